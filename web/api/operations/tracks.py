"""The operations on tracks."""

from web.api.operations.words import AUTH
from web.api.operations.words import FORM
from web.api.operations.words import IF_MATCH
from web.api.operations.words import JSON
from web.api.operations.words import Answer
from web.api.operations.words import Operation

OPERATIONS = (
    Operation(
        "Tracks",
        "POST",
        "/api/v1/releases/{release_id}/tracks",
        "Send a recording in one request.",
        {
            202: Answer(
                "The track, in state `uploaded`.", "Track", headers={"Location": "The track's address."}
            )
        },
        signed_in=True,
        notes="WAV, AIFF, FLAC, ALAC, MP3, AAC (M4A), Ogg Vorbis or Opus. For large files and weak connections take a resumable "
        "upload. Ask for the track until its `state` is `ready` or `failed`.",
        sends={FORM: "file"},
        problems=(404, 411, 413, 422, 503),
        example=f"curl {AUTH} -F file=@song.flac {{root}}/api/v1/releases/$RELEASE/tracks",
    ),
    Operation(
        "Tracks",
        "GET",
        "/api/v1/tracks/{track_id}",
        "One track: how far it is, and what it sounds like.",
        {200: Answer("The track.", "Track")},
        problems=(404,),
        example=f"curl {AUTH} {{root}}/api/v1/tracks/$TRACK",
    ),
    Operation(
        "Tracks",
        "PATCH",
        "/api/v1/tracks/{track_id}",
        "Change title, ISRC, lyrics, licence or credits.",
        {200: Answer("The track as it is now.", "Track")},
        signed_in=True,
        headers=(IF_MATCH,),
        sends={JSON: "TrackChange"},
        problems=(404, 412, 415, 422, 503),
        example=f'curl -X PATCH {AUTH} --json \'{{"title": "Low Tide"}}\' {{root}}/api/v1/tracks/$TRACK',
    ),
    Operation(
        "Tracks",
        "DELETE",
        "/api/v1/tracks/{track_id}",
        "Take a track off its release.",
        {204: Answer("It is gone.")},
        signed_in=True,
        problems=(404,),
        example=f"curl -X DELETE {AUTH} {{root}}/api/v1/tracks/$TRACK",
    ),
    Operation(
        "Tracks",
        "POST",
        "/api/v1/tracks/{track_id}/play",
        "Get the address of the stream.",
        {200: Answer("A signed address and how long it works.", "Play")},
        notes="An HLS master playlist with the qualities you may hear, and no others; the addresses in it inherit the signature. "
        "Ask again before `expires_at` to go on. The people behind a track hear `low` before the rest is made.",
        problems=(403, 404, 409),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/tracks/$TRACK/play",
    ),
    Operation(
        "Tracks",
        "POST",
        "/api/v1/tracks/{track_id}/offline",
        "Keep a track for listening without a connection.",
        {200: Answer("What may be kept, the key to keep it under, and for how long.", "OfflineOffer")},
        signed_in=True,
        notes="The browser keeps the file encrypted under the key and plays it until `expires_at`; ask again before that to go on. The key is "
        "the same while one stays signed in, and another one afterwards.",
        problems=(404, 409),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/tracks/$TRACK/offline",
    ),
    Operation(
        "Tracks",
        "POST",
        "/api/v1/tracks/{track_id}/retry",
        "Make the renditions again.",
        {202: Answer("The track; what was heard before stays until the new run is done.", "Track")},
        signed_in=True,
        problems=(404,),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/tracks/$TRACK/retry",
    ),
)
