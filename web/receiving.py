"""Taking an original by one multipart form: the way without JavaScript, and the plain way of the API."""

from flask import request
from werkzeug.exceptions import LengthRequired

from appliance import clock
from appliance import jobs
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
    if request.content_length is None:
        raise LengthRequired("Say the length of the file, or send it by tus at /api/v1/uploads.")
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("Choose a recording first: it is sent as the form field 'file'.", field="file")
    settings, track_id = appliance().settings, new_id()
    staging = appliance().staging
    staging.mkdir(parents=True, exist_ok=True)
    path = staging / f"{track_id}.part"
    try:
        sent.save(path, buffer_size=BLOCK_BYTES)
        originals.check_size(path.stat().st_size, max_upload_mb=settings.max_upload_mb)
        track, job_id = originals.receive(
            release,
            path,
            track_id=track_id,
            filename=sent.filename,
            store=appliance().store,
            attempts=settings.job_attempts,
            now=clock.now(),
        )
    finally:
        path.unlink(missing_ok=True)
    jobs.send(job_id)
    return track
