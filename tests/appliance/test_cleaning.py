"""What nobody names any more leaves the store, and nothing else does."""

import io
from datetime import timedelta
from pathlib import Path

from appliance import clock
from appliance.catalog import cleaning
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.startup import Appliance
from tests import makers
from tests.makers import NOW

LATER = cleaning.GRACE + timedelta(hours=1)


def keys(appliance: Appliance) -> set[str]:
    return {
        found.key
        for folder in ("originals/", "hls/", "previews/", "artwork/")
        for found in appliance.store.list(folder)
    }


def put(appliance: Appliance, *names: str) -> set[str]:
    for name in names:
        appliance.store.put(name, io.BytesIO(b"bytes"), content_type="application/octet-stream")
    return set(names)


def test_the_bytes_of_a_removed_track_go_when_the_time_of_grace_is_over(
    appliance: Appliance, flac: Path
) -> None:
    track, _ = makers.make_track(appliance, flac)
    put(appliance, f"originals/{track.id}", f"hls/{track.id}/RUN/low.mp4")
    tracks.remove(track, now=NOW)
    assert cleaning.remove_orphans(appliance.store, now=clock.now()) == 0
    assert cleaning.remove_orphans(appliance.store, now=clock.now() + LATER) >= 2
    assert not any(track.id in key for key in keys(appliance))


def test_what_can_be_heard_stays_and_what_an_older_run_made_goes(appliance: Appliance, flac: Path) -> None:
    track, _ = makers.make_track(appliance, flac)
    Track.update(run_id="NEW").where(Track.id == track.id).execute()
    Release.update(artwork_key=f"artwork/{track.release_id}/SECOND").where(
        Release.id == track.release_id
    ).execute()
    kept = put(
        appliance,
        f"originals/{track.id}",
        f"hls/{track.id}/NEW/low.mp4",
        f"previews/{track.id}/NEW.m4a",
        f"artwork/{track.release_id}/SECOND/300.webp",
    )
    put(
        appliance,
        f"hls/{track.id}/OLD/low.mp4",
        f"previews/{track.id}/OLD.m4a",
        f"artwork/{track.release_id}/FIRST/300.webp",
    )
    cleaning.remove_orphans(appliance.store, now=clock.now() + LATER)
    assert {key for key in keys(appliance) if track.id in key or track.release_id in key} == kept
