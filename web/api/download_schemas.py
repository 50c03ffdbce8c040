"""Downloads, as JSON Schema."""

from appliance.downloads.formats import Format
from appliance.downloads.progress import Stage
from web.api.shapes import Schema
from web.api.shapes import many
from web.api.shapes import maybe
from web.api.shapes import number
from web.api.shapes import one_of
from web.api.shapes import ref
from web.api.shapes import text
from web.api.shapes import thing

ID = text("Identifier.", pattern="^[0-9A-Z]{26}$")
INSTANT = {"type": "string", "format": "date-time"}
FORMAT = one_of(
    Format,
    "The format. `original` is for recordings that came in a lossy one; of those, no lossless format is made.",
)

SCHEMAS: dict[str, Schema] = {
    "Download": thing(
        {
            "id": ID,
            "release": text("The id of the release."),
            "tracks": many({"type": "string"}, "The ids of its tracks."),
            "format": FORMAT,
            "stage": one_of(Stage, "How far it is; what ended or failed is asked for again."),
            "progress": number("number", "How much is made, 0 to 1.", minimum=0, maximum=1),
            "problem": maybe(text("Why it failed.")),
            "size_bytes": maybe(number("integer", "The size of its files, when it is ready.", minimum=0)),
            "url": maybe(
                text(
                    "Where it is fetched from, when it is ready; with your token, and by ranges.",
                    format="uri",
                )
            ),
            "asked_at": {**INSTANT, "description": "When it was asked for."},
            "expires_at": {**INSTANT, "description": "Until when the address works."},
        },
        says="A track as a file, or several as a zip.",
    ),
    "DownloadList": thing(
        {
            "items": many(ref("Download"), "Last one first."),
            "next_cursor": maybe(text("The cursor of the next page; null on the last.")),
        },
        says="A page of downloads.",
    ),
    "TrackDownload": thing({"format": FORMAT}, says="What the track is wanted as."),
    "ReleaseDownload": thing(
        {"format": FORMAT, "tracks": many(ID, "Only these of its tracks; without it, all of them.")},
        optional=("tracks",),
        says="What the release is wanted as.",
    ),
}
