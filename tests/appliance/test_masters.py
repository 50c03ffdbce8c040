"""A new master takes the place of the old: when it is good, and not before."""

import io
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import clock
from appliance import jobs
from appliance.catalog import cleaning
from appliance.catalog import masters
from appliance.catalog import tracks
from appliance.catalog import uploads
from appliance.catalog.models import Rendition
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.catalog.models import Upload
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.startup import Appliance
from tests import makers
from tests.makers import NOW
from tests.sounds import tone


@pytest.fixture
def track(appliance: Appliance, flac: Path) -> Track:
    """A track that is heard, made for real."""
    made, job_id = makers.make_track(appliance, flac)
    jobs.send(job_id)
    return tracks.edit(made, {"title": "Low Tide", "lyrics": "La la"}, now=NOW)


def send(appliance: Appliance, track: Track, data: bytes, *, replacement_id: str = "") -> tuple[str, str]:
    """A new master as a browser sends it; its id and that of the job."""
    path = appliance.scratch / f"{new_id()}.part"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    replacement_id = replacement_id or new_id()
    _, job_id = masters.receive(
        track,
        path,
        replacement_id=replacement_id,
        filename="better.flac",
        store=appliance.store,
        attempts=1,
        now=NOW,
    )
    return replacement_id, job_id


def test_a_new_master_is_heard_and_everything_else_about_the_track_stays(
    appliance: Appliance, track: Track
) -> None:
    replacement_id, job_id = send(appliance, track, tone(3.0))
    waiting = tracks.find(track.id)
    assert (waiting.original_key, waiting.run_id, waiting.state) == (
        track.original_key,
        track.run_id,
        TrackState.READY,
    )
    jobs.send(job_id)
    now = tracks.find(track.id)
    assert (now.id, now.slug, now.title, now.lyrics) == (track.id, track.slug, "Low Tide", "La la")
    assert now.duration_ms == pytest.approx(3000, abs=60)
    assert now.original_name == "better.flac"
    assert now.original_key == f"originals/{track.id}.{replacement_id}"
    assert now.run_id != track.run_id
    assert {row.run_id for row in Rendition.select()} == {now.run_id}
    assert Replacement.select().count() == 0


def test_a_new_master_that_cannot_be_made_leaves_the_old_and_tells(
    appliance: Appliance, track: Track
) -> None:
    _, job_id = send(appliance, track, b"fLaC" + bytes(5000))
    jobs.send(job_id)
    now = tracks.find(track.id)
    assert (now.run_id, now.original_key, now.problem) == (track.run_id, track.original_key, "")
    assert masters.waiting([now])[track.id].problem
    masters.dismiss(now)
    assert masters.waiting([now]) == {}


def test_what_is_no_music_is_refused_at_the_door(appliance: Appliance, track: Track) -> None:
    with pytest.raises(Invalid, match="does not look like music"):
        send(appliance, track, b"\x89PNG\r\n\x1a\n" + bytes(500))
    assert masters.waiting([track]) == {}


def test_a_newer_master_takes_the_place_of_one_that_waits(appliance: Appliance, track: Track) -> None:
    _, first_job = send(appliance, track, tone(4.0))
    second, second_job = send(appliance, track, tone(3.0))
    jobs.send(first_job)
    assert tracks.find(track.id).run_id == track.run_id
    jobs.send(second_job)
    assert tracks.find(track.id).original_key.endswith(second)


def test_finishing_twice_makes_one_replacement(appliance: Appliance, track: Track) -> None:
    replacement_id, job_id = send(appliance, track, tone(3.0))
    assert send(appliance, track, tone(3.0), replacement_id=replacement_id) == (replacement_id, job_id)
    jobs.send(job_id)
    run_id = tracks.find(track.id).run_id
    send(appliance, track, tone(3.0), replacement_id=replacement_id)
    assert tracks.find(track.id).run_id == run_id


def test_the_old_original_stays_until_the_new_is_heard_and_goes_with_the_cleaning(
    appliance: Appliance, track: Track
) -> None:
    replacement_id, job_id = send(appliance, track, tone(3.0))
    later = clock.now() + cleaning.GRACE + timedelta(hours=1)

    def originals() -> set[str]:
        return {found.key for found in appliance.store.list("originals/")}

    new_key = f"originals/{track.id}.{replacement_id}"
    cleaning.remove_orphans(appliance.store, now=later)
    assert originals() == {track.original_key, new_key}
    jobs.send(job_id)
    cleaning.remove_orphans(appliance.store, now=later)
    assert originals() == {new_key}


def test_a_new_master_comes_in_by_a_resumable_upload(appliance: Appliance, track: Track) -> None:
    data = tone(3.0)
    owner = track.release.artist.owner
    upload = uploads.begin(
        owner,
        track.release,
        filename="new.flac",
        size_bytes=len(data),
        max_upload_mb=100,
        expiry_h=24,
        now=NOW,
        replaces=track,
    )
    upload = uploads.append(
        upload, io.BytesIO(data), offset=0, folder=appliance.staging, store=appliance.store, now=NOW
    )
    found, job_id = uploads.finish(
        Upload.get_by_id(upload.id), folder=appliance.staging, store=appliance.store, attempts=1, now=NOW
    )
    assert found.id == track.id
    jobs.send(job_id)
    assert tracks.find(track.id).original_name == "new.flac"
    assert Track.select().count() == 1
