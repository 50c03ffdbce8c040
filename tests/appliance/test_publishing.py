"""A draft goes public, and plugins learn of its tracks once."""

from datetime import timedelta

import pytest

from appliance import hooks
from appliance import jobs
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.hookspecs import PublishedTrack
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release


@pytest.fixture(autouse=True)
def idle(appliance: Appliance) -> None:
    jobs.huey.immediate = False


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[PublishedTrack]:
    """What plugins were told."""
    heard: list[PublishedTrack] = []
    monkeypatch.setattr(hooks, "announce", lambda hook, track: heard.append(track))
    return heard


def add_track(release: Release, state: TrackState = TrackState.READY, title: str = "Low Tide") -> Track:
    track_id = new_id()
    Track.create(
        id=track_id,
        release=release.id,
        position=1,
        title=title,
        state=state,
        duration_ms=2000,
        original_key=f"originals/{track_id}",
        original_name="x.flac",
        original_type="audio/flac",
        original_size_bytes=1,
        original_sha256="0" * 64,
        created_at=NOW,
        updated_at=NOW,
    )
    return tracks.find(track_id)


def test_a_release_without_a_finished_track_stays_a_draft() -> None:
    release = make_release()
    add_track(release, TrackState.PROCESSING)
    with pytest.raises(Conflict, match="at least one track that is ready"):
        publishing.publish(release, now=NOW)
    assert releases.find(release.id).state == ReleaseState.DRAFT


def test_a_failed_track_is_named() -> None:
    release = make_release()
    add_track(release)
    add_track(release, TrackState.FAILED, "Broken")
    with pytest.raises(Conflict, match="“Broken” could not be prepared"):
        publishing.publish(release, now=NOW)


def test_each_finished_track_is_announced_by_a_job_of_its_own(told: list[PublishedTrack]) -> None:
    release = make_release()
    ready = [add_track(release).id for _ in range(2)]
    later = add_track(release, TrackState.PROCESSING)
    published, queued = publishing.publish(release, now=NOW)
    assert (published.state, published.published_at) == (ReleaseState.PUBLISHED, NOW)
    assert sorted(jobs.Job.get_by_id(job_id).subject for job_id in queued) == ready
    assert publishing.publish(release, now=NOW + timedelta(days=1))[1] == []
    assert releases.find(release.id).published_at == NOW
    assert len(publishing.became_ready(tracks.find(later.id), now=NOW)) == 1


def test_plugins_hear_of_a_track_once_and_in_full(told: list[PublishedTrack]) -> None:
    release = make_release()
    track = add_track(release)
    publishing.publish(release, now=NOW)
    for _ in range(2):
        publishing.announce(track.id, public_url="https://music.example", now=NOW)
    assert [(t.track_id, t.title, t.url) for t in told] == [
        (track.id, "Low Tide", "https://music.example/@night-ferry/harbour-lights")
    ]
    assert publishing.became_ready(tracks.find(track.id), now=NOW) == []


def test_nobody_hears_of_a_draft_or_of_what_is_gone(told: list[PublishedTrack]) -> None:
    track = add_track(make_release())
    assert publishing.became_ready(track, now=NOW) == []
    publishing.announce(track.id, public_url="", now=NOW)
    publishing.announce(new_id(), public_url="", now=NOW)
    assert told == []


def test_the_address_of_a_release_stays_when_its_title_changes() -> None:
    release = make_release(title="First")
    assert releases.edit(release, {"title": "Second"}, now=NOW).slug == "first"
    assert releases.find_by_address("night-ferry", "first").title == "Second"


def test_releases_of_one_name_get_addresses_of_their_own() -> None:
    artist = make_artist()
    slugs = [make_release(artist, title=title).slug for title in ("Same", "Same", "same!", "夜", "昼")]
    assert slugs == ["same", "same-2", "same-3", "untitled", "untitled-2"]


def test_only_an_empty_draft_can_be_removed() -> None:
    release = make_release()
    track = add_track(release)
    with pytest.raises(Conflict):
        releases.delete_draft(release)
    tracks.remove(track)
    releases.delete_draft(release)
    with pytest.raises(NotFound):
        releases.find(release.id)


def test_a_track_moves_only_as_the_table_says() -> None:
    track = add_track(make_release(), TrackState.UPLOADED)
    with pytest.raises(Conflict, match="uploaded cannot become ready"):
        tracks.move(track, TrackState.READY, now=NOW)
    tracks.move(track, TrackState.PROCESSING, now=NOW)
    tracks.move(tracks.find(track.id), TrackState.PROCESSING, now=NOW)
    tracks.move(tracks.find(track.id), TrackState.READY, now=NOW, problem="")
    assert tracks.find(track.id).state == TrackState.READY
