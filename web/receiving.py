"""Taking an original by one multipart form: the way without JavaScript, and the plain way of the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import request
from werkzeug.exceptions import LengthRequired

from appliance import clock
from appliance import jobs
from appliance.catalog import masters
from appliance.catalog import originals
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import new_id
from appliance.errors import Invalid
from web.request_cycle import appliance

BLOCK_BYTES = 1024 * 1024


def form_file(release: Release) -> Track:
    """Make the multipart field ``file`` of this request a track of *release* and queue its work.

    ``Invalid`` when there is no such field or when it holds no music.
    """
    with _staged() as (path, name, new):
        track, job_id = originals.receive(
            release,
            path,
            track_id=new,
            filename=name,
            store=appliance().store,
            attempts=appliance().settings.job_attempts,
            now=clock.now(),
        )
    jobs.send(job_id)
    return track


def new_master(track: Track) -> None:
    """Make the multipart field ``file`` the next master of *track* and queue its work; ``Invalid`` as above."""
    with _staged() as (path, name, new):
        _, job_id = masters.receive(
            track,
            path,
            replacement_id=new,
            filename=name,
            store=appliance().store,
            attempts=appliance().settings.job_attempts,
            now=clock.now(),
        )
    jobs.send(job_id)


@contextmanager
def _staged() -> Iterator[tuple[Path, str, str]]:
    """The file that was sent, on the disk for as long as it is looked at; its name, and an id for what is made of it."""
    if request.content_length is None:
        raise LengthRequired("Say the length of the file, or send it by tus at /api/v1/uploads.")
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("Choose a recording first: it is sent as the form field 'file'.", field="file")
    staging, new = appliance().staging, new_id()
    staging.mkdir(parents=True, exist_ok=True)
    path = staging / f"{new}.part"
    try:
        sent.save(path, buffer_size=BLOCK_BYTES)
        originals.check_size(path.stat().st_size, max_upload_mb=appliance().settings.max_upload_mb)
        yield path, sent.filename, new
    finally:
        path.unlink(missing_ok=True)
