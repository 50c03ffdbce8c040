"""The operations on resumable uploads."""

from appliance.catalog import staging
from web.api.operations.words import AUTH
from web.api.operations.words import CHECKSUM
from web.api.operations.words import OCTETS
from web.api.operations.words import RESUMABLE
from web.api.operations.words import TUS
from web.api.operations.words import Answer
from web.api.operations.words import Operation

OPERATIONS = (
    Operation(
        "Resumable uploads",
        "OPTIONS",
        "/api/v1/uploads",
        "What this server can do of tus 1.0.0.",
        {
            204: Answer(
                "In the headers.",
                headers={
                    "Tus-Version": "1.0.0",
                    "Tus-Extension": "creation, creation-with-upload, termination, expiration, checksum",
                    "Tus-Max-Size": "The largest original, in bytes.",
                    "Tus-Checksum-Algorithm": ", ".join(staging.CHECKSUMS),
                },
            )
        },
        notes="Any tus client will do. What a finished request brought is kept; so send large files in parts of some MiB "
        "(`chunkSize` in tus-js-client), and a dropped connection costs one part at most.",
        example="curl -i -X OPTIONS {root}/api/v1/uploads",
    ),
    Operation(
        "Resumable uploads",
        "POST",
        "/api/v1/uploads",
        "Announce a file.",
        {
            201: Answer(
                "Send the bytes to the address in `Location`.",
                headers={"Location": "The upload's address.", "Upload-Offset": "How many bytes are here."},
            )
        },
        signed_in=True,
        headers=(
            RESUMABLE,
            ("Upload-Length", "Size of the file in bytes.", True),
            (
                "Upload-Metadata",
                "`filename` and `release` (its id), each with its value in base64, by commas; `track` instead of `release` to give "
                "that track a new master.",
                True,
            ),
            CHECKSUM,
        ),
        sends={OCTETS: ""},
        notes="The first bytes may come along as the body.",
        problems=(404, 412, 413, 422, 460, 503),
        example=f'curl -i -X POST {AUTH} {TUS} -H "Upload-Length: $SIZE" '
        '-H "Upload-Metadata: filename $(printf song.flac | base64),release $(printf $RELEASE | base64)" {root}/api/v1/uploads',
    ),
    Operation(
        "Resumable uploads",
        "OPTIONS",
        "/api/v1/uploads/{upload_id}",
        "As above.",
        {204: Answer("In the headers.")},
    ),
    Operation(
        "Resumable uploads",
        "HEAD",
        "/api/v1/uploads/{upload_id}",
        "How many bytes have arrived.",
        {
            200: Answer(
                "In the headers.",
                headers={
                    "Upload-Offset": "How many bytes are here.",
                    "Upload-Length": "How many there will be.",
                    "Upload-Expires": "When an unfinished upload is removed.",
                },
            )
        },
        signed_in=True,
        headers=(RESUMABLE,),
        problems=(404, 412),
        example=f"curl -I {AUTH} {TUS} {{root}}/api/v1/uploads/$UPLOAD",
    ),
    Operation(
        "Resumable uploads",
        "PATCH",
        "/api/v1/uploads/{upload_id}",
        "Send bytes; with the last of them the file becomes a track with the id of the upload.",
        {204: Answer("They are kept.", headers={"Upload-Offset": "How many bytes are here now."})},
        signed_in=True,
        headers=(RESUMABLE, ("Upload-Offset", "Where these bytes begin.", True), CHECKSUM),
        sends={OCTETS: ""},
        problems=(404, 409, 412, 415, 422, 423, 460, 503),
        example=f'curl -i -X PATCH {AUTH} {TUS} -H "Upload-Offset: 0" -H "Content-Type: {OCTETS}" '
        "--data-binary @song.flac {root}/api/v1/uploads/$UPLOAD",
    ),
    Operation(
        "Resumable uploads",
        "DELETE",
        "/api/v1/uploads/{upload_id}",
        "Forget an unfinished upload.",
        {204: Answer("It is gone.")},
        signed_in=True,
        headers=(RESUMABLE,),
        problems=(404, 409, 412, 423),
        example=f"curl -X DELETE {AUTH} {TUS} {{root}}/api/v1/uploads/$UPLOAD",
    ),
)
