"""The job that makes a file for download: from the untouched original, with everything that is known of the track written on it."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

from appliance import clock
from appliance import hooks
from appliance import jobs
from appliance import startup
from appliance.catalog import tracks
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.collective import identity
from appliance.database import transaction
from appliance.downloads import files
from appliance.downloads import formats
from appliance.downloads import keeping
from appliance.downloads import sleeves
from appliance.downloads.formats import Format
from appliance.downloads.models import DownloadFile
from appliance.downloads.models import FileState
from appliance.downloads.sleeves import Sleeve
from appliance.errors import N_
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.startup import Appliance
from appliance.storage import as_file
from transcoder import ffmpeg
from transcoder import formats as encoders
from transcoder import pipeline
from transcoder import program
from transcoder import sleeves as writing
from transcoder.failures import Interrupted
from transcoder.failures import Unplayable

MIB = 1024 * 1024
BLOCK_BYTES = 1 << 20
OFF_BY_S = 0.25
NOT_WHOLE = N_("What was made for download is not as long as the track. It will be tried again.")
NOT_HEARD = N_("This track cannot be heard any more, so it cannot be downloaded.")

NOT_MADE = N_("This file could not be made from what the artist sent. If it was counted, it is given back.")
REPLACED = N_("The artist replaced this recording just now; ask for the download again.")


@jobs.handles(files.MAKE, failed=files.give_up)
def make_download(job: jobs.Running) -> None:
    """Make the file *job.subject*; leave quietly when it is there, or nobody wants it any more."""
    file = files.find(job.subject)
    if file is None or file.state != FileState.WAITING:
        return
    try:
        track = tracks.find(file.track_id)
    except NotFound:
        return
    appliance = startup.appliance()
    sleeve = _sleeve(track, appliance)
    if (track.run_id, sleeve.digest()) != (file.run_id, file.digest):
        _follow(file, track, sleeve, appliance)
        return
    folder = appliance.scratch / f"{job.job_id}-{job.attempt}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _make(job, file, track, sleeve, folder, appliance)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    budget_bytes = appliance.settings.downloads_budget_mb * MIB
    keeping.make_room(appliance.store, budget_bytes=budget_bytes, now=clock.now())


def _sleeve(track: Track, appliance: Appliance) -> Sleeve:
    settings = appliance.settings
    found = sleeves.of(
        track.release, public_url=settings.public_url, label=identity.current(settings).name
    ).get(track.id)
    if found is None or track.state != TrackState.READY:
        raise Invalid(NOT_HEARD)
    return found


def _follow(file: DownloadFile, track: Track, sleeve: Sleeve, appliance: Appliance) -> None:
    """Have the present version made for all who wait for this one."""
    if formats.fitting(Format(file.format), formats.codec_of(track)) != file.format:
        raise Invalid(REPLACED)
    now = clock.now()
    with transaction():
        found = files.follow(file, run_id=track.run_id, digest=sleeve.digest(), now=now)
        if found.state == FileState.READY:
            return
        job = jobs.add(files.MAKE, found.id, now=now, max_attempts=appliance.settings.job_attempts)
    jobs.send(job.id)


def _make(
    job: jobs.Running, file: DownloadFile, track: Track, sleeve: Sleeve, folder: Path, appliance: Appliance
) -> None:
    format = Format(file.format)
    row = formats.row(format, formats.codec_of(track))
    made = folder / "made"
    made.mkdir(exist_ok=True, mode=0o700)
    target = made / f"made.{row.ending}"
    with as_file(appliance.store, track.original_key, folder=folder) as source:
        _encode(job, source, format, target, appliance)
    length_s = writing.write(target, sleeve, _cover(sleeve, appliance))
    if abs(length_s - (track.duration_ms or 0) / 1000) > OFF_BY_S:
        raise Interrupted(NOT_WHOLE, detail=f"{length_s} s instead of {track.duration_ms} ms")
    if file.listener:
        about = {"format": file.format, "track_id": track.id, "listener_id": file.listener}
        hooks.insist("mark_download", path=str(target), **about)
    job.progress(0.95)
    crc32 = _crc32(target)
    key = f"{keeping.FOLDER}{track.id}/{file.run_id}/{file.id}.{row.ending}"
    stored = appliance.store.put_file(key, target, content_type=row.content_type, move=True)
    files.ready(file, stored, crc32=crc32, now=clock.now())


def _encode(job: jobs.Running, source: Path, format: Format, target: Path, appliance: Appliance) -> None:
    tool = program.path(appliance.settings.ffmpeg)
    limits = pipeline.Limits(max_duration_s=60 * appliance.settings.max_duration_min)
    try:
        facts = pipeline.probe(source, ffmpeg=tool, limits=limits)
        ffmpeg.run(
            tool,
            encoders.arguments(source, facts, format, target.suffix[1:], target),
            sound_s=facts.duration_s,
            limits=limits,
            reads=[source],
            folder=target.parent,
            on_progress=lambda at_s: job.progress(0.9 * at_s / facts.duration_s if facts.duration_s else 0.0),
        )
    except Unplayable as error:
        # Those sentences tell an artist what to send; who reads this sent nothing.
        raise Invalid(encoders.TOO_LARGE if error.sentence == encoders.TOO_LARGE else NOT_MADE) from error


def _cover(sleeve: Sleeve, appliance: Appliance) -> bytes:
    if not sleeve.cover_key:
        return b""
    try:
        with appliance.store.open(sleeve.cover_key) as stream:
            return stream.read()
    except NotFound:
        # Another picture took its place just now; that one has another digest, and files of its own.
        return b""


def _crc32(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            value = zlib.crc32(block, value)
    return value
