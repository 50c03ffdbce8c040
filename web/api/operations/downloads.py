"""The operations on downloads."""

from web.api.operations.words import AUTH
from web.api.operations.words import JSON
from web.api.operations.words import PAGE
from web.api.operations.words import Answer
from web.api.operations.words import Operation

_ASKED = {202: Answer("The download.", "Download", headers={"Location": "The download's address."})}
_NOTES = (
    "Files are made when somebody asks: ask for the download until its `stage` is `ready`, then fetch its `url`. Where the right comes with a "
    "number of downloads a month, each track is counted once a month (UTC), whatever the formats; 403 tells that none is left."
)

OPERATIONS = (
    Operation(
        "Downloads",
        "POST",
        "/api/v1/tracks/{track_id}/downloads",
        "Ask for a track as a file.",
        _ASKED,
        signed_in=True,
        notes=_NOTES,
        sends={JSON: "TrackDownload"},
        problems=(404, 409, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"format": "flac"}}\' {{root}}/api/v1/tracks/$TRACK/downloads',
    ),
    Operation(
        "Downloads",
        "POST",
        "/api/v1/releases/{release_id}/downloads",
        "Ask for a release as a zip.",
        _ASKED,
        signed_in=True,
        notes=_NOTES,
        sends={JSON: "ReleaseDownload"},
        problems=(404, 409, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"format": "mp3-320"}}\' {{root}}/api/v1/releases/$RELEASE/downloads',
    ),
    Operation(
        "Downloads",
        "GET",
        "/api/v1/downloads",
        "What you asked for.",
        {200: Answer("One page.", "DownloadList")},
        signed_in=True,
        query=PAGE,
        problems=(422, 503),
        example=f"curl {AUTH} {{root}}/api/v1/downloads",
    ),
    Operation(
        "Downloads",
        "GET",
        "/api/v1/downloads/{download_id}",
        "How far one of them is.",
        {200: Answer("The download.", "Download")},
        signed_in=True,
        problems=(404, 503),
    ),
)
