"""Resumable uploads by tus 1.0.0 (tus.io): core, creation, creation-with-upload, termination, expiration, checksum."""

import base64
import binascii
import io
from datetime import UTC
from email.utils import format_datetime
from typing import BinaryIO

from flask import Response
from flask import request
from flask import url_for
from werkzeug.exceptions import ClientDisconnected

from appliance import clock
from appliance import jobs
from appliance.accounts.models import User
from appliance.catalog import originals
from appliance.catalog import releases
from appliance.catalog import staging
from appliance.catalog import tracks
from appliance.catalog import uploads
from appliance.catalog.models import Upload
from appliance.errors import Invalid
from appliance.memberships import access
from web import bodies
from web import rates
from web.api.routing import blueprint
from web.errors import answer_with
from web.request_cycle import appliance
from web.request_cycle import require_person
from web.request_cycle import roles

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
OCTETS = "application/offset+octet-stream"


class Bytes(io.RawIOBase):
    """The body of the request; a cut connection is told as ``EOFError``, as ``uploads.append`` expects."""

    def read(self, size: int = -1) -> bytes:
        """At most *size* bytes."""
        try:
            return request.stream.read(size)
        except ClientDisconnected as error:
            raise EOFError from error


@blueprint.route("/uploads", methods=["OPTIONS"])
@blueprint.route("/uploads/<upload_id>", methods=["OPTIONS"])
def options(upload_id: str = "") -> Response:
    """What this server can do."""
    answer = Response(status=204)
    answer.headers["Tus-Version"] = VERSION
    answer.headers["Tus-Extension"] = EXTENSIONS
    answer.headers["Tus-Max-Size"] = str(appliance().settings.max_upload_mb * originals.MIB)
    answer.headers["Tus-Checksum-Algorithm"] = ",".join(staging.CHECKSUMS)
    return _versioned(answer)


@blueprint.post("/uploads")
@rates.limited("uploads")
@bodies.takes_original
def create_upload() -> Response:
    """Announce a file: ``Upload-Length``, and ``Upload-Metadata`` with ``filename`` and ``release``, or ``track`` for a new master."""
    owner = require_person()
    if (refusal := _refusal()) is not None:
        return refusal
    length, metadata = _number("Upload-Length"), _metadata()
    replaces = tracks.find(metadata["track"]) if metadata.get("track") else None
    release = replaces.release if replaces else releases.find(metadata.get("release", ""))
    access.require_edit(owner, release, roles=roles(), now=clock.now())
    settings = appliance().settings
    upload = uploads.begin(
        owner,
        release,
        filename=metadata.get("filename", ""),
        size_bytes=length,
        max_upload_mb=settings.max_upload_mb,
        expiry_h=settings.upload_expiry_h,
        now=clock.now(),
        replaces=replaces,
    )
    if request.mimetype == OCTETS and request.content_length:
        upload = _take(upload, 0)
    return _standing(upload, 201, Location=url_for("api.upload_offset", upload_id=upload.id, _external=True))


@blueprint.route("/uploads/<upload_id>", methods=["HEAD"])
def upload_offset(upload_id: str) -> Response:
    """How many bytes have arrived."""
    if (refusal := _refusal()) is not None:
        return refusal
    upload = _own(upload_id)
    _heal(upload)
    return _standing(upload, 200, **{"Upload-Length": str(upload.size_bytes), "Cache-Control": "no-store"})


@blueprint.patch("/uploads/<upload_id>")
@bodies.takes_original
def append_upload(upload_id: str) -> Response:
    """Send bytes at ``Upload-Offset``; with the last of them the file becomes a track with the id of the upload."""
    if (refusal := _refusal()) is not None:
        return refusal
    if request.mimetype != OCTETS:
        return _versioned(answer_with(415, f"Send the bytes as {OCTETS}."))
    upload = _own(upload_id)
    # Whoever was taken off the artist meanwhile, or may not change what is public by now, adds nothing any more.
    access.require_edit(upload.user, releases.find(upload.release_id), roles=roles(), now=clock.now())
    return _standing(_take(upload, _number("Upload-Offset")), 204)


@blueprint.delete("/uploads/<upload_id>")
def terminate_upload(upload_id: str) -> Response:
    """Forget an unfinished upload."""
    if (refusal := _refusal()) is not None:
        return refusal
    uploads.terminate(_own(upload_id), folder=appliance().staging, store=appliance().store)
    return _versioned(Response(status=204))


def _own(upload_id: str) -> Upload:
    owner: User = require_person()
    return uploads.find(upload_id, owner, now=clock.now())


def _take(upload: Upload, offset: int) -> Upload:
    stream: BinaryIO = Bytes()  # type: ignore[assignment]
    upload = uploads.append(
        upload,
        stream,
        offset=offset,
        folder=appliance().staging,
        store=appliance().store,
        now=clock.now(),
        checksum=_checksum(),
        expiry_h=appliance().settings.upload_expiry_h,
    )
    if upload.offset_bytes == upload.size_bytes and upload.finished_at is None:
        _finish(upload)
    return upload


def _heal(upload: Upload) -> None:
    """Finish what a killed server left complete but not finished."""
    if upload.offset_bytes == upload.size_bytes and upload.finished_at is None and not upload.problem:
        _finish(upload)


def _finish(upload: Upload) -> None:
    started = appliance()
    _, job_id = uploads.finish(
        upload,
        folder=started.staging,
        store=started.store,
        attempts=started.settings.job_attempts,
        now=clock.now(),
    )
    jobs.send(job_id)


def _refusal() -> Response | None:
    if request.headers.get("Tus-Resumable") == VERSION:
        return None
    answer = answer_with(412, f"This server speaks tus {VERSION}; say so in the header Tus-Resumable.")
    answer.headers["Tus-Version"] = VERSION
    return answer


def _number(header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(f"The header {header} must be a whole number of bytes.", field=header)
    return int(text)


def _metadata() -> dict[str, str]:
    """``Upload-Metadata``: pairs of a key and its value in base64, separated by commas."""
    found: dict[str, str] = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except (ValueError, binascii.Error) as error:
            raise Invalid(
                "The header Upload-Metadata must hold base64 values.", field="Upload-Metadata"
            ) from error
    return found


def _checksum() -> tuple[str, bytes] | None:
    header = request.headers.get("Upload-Checksum")
    if not header:
        return None
    algorithm, _, value = header.partition(" ")
    if algorithm not in staging.CHECKSUMS:
        raise Invalid(f"A checksum is one of {', '.join(staging.CHECKSUMS)}.", field="Upload-Checksum")
    try:
        return algorithm, base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Invalid("The checksum must be in base64.", field="Upload-Checksum") from error


def _standing(upload: Upload, status: int, **headers: str) -> Response:
    answer = Response(status=status, headers=headers)
    answer.headers["Upload-Offset"] = str(upload.offset_bytes)
    if upload.offset_bytes < upload.size_bytes:
        answer.headers["Upload-Expires"] = format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)
    return _versioned(answer)


def _versioned(answer: Response) -> Response:
    answer.headers["Tus-Resumable"] = VERSION
    return answer
