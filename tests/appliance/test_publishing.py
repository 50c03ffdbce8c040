"""A draft goes public, and plugins learn of its tracks once."""

from datetime import datetime
from datetime import timedelta

import pytest

from appliance import hooks
from appliance import jobs
from appliance.accounts import audit
from appliance.catalog import private_links
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog import versions
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.hookspecs import PublishedTrack
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user


@pytest.fixture(autouse=True)
def idle(appliance: Appliance) -> None:
    jobs.huey.immediate = False


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[PublishedTrack]:
    """What plugins were told."""
    heard: list[PublishedTrack] = []
    monkeypatch.setattr(hooks, "announce", lambda hook, track: heard.append(track))
    return heard


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
    tracks.remove(track, now=NOW)
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


LATER = NOW + timedelta(days=3)


def test_a_scheduled_release_goes_out_at_its_hour_and_not_before() -> None:
    release = make_release()
    track = add_track(release)
    assert publishing.schedule(release, LATER, now=NOW).state == ReleaseState.SCHEDULED
    assert publishing.publish_due(now=LATER - timedelta(seconds=1)) == []
    assert releases.find(release.id).state == ReleaseState.SCHEDULED
    (job_id,) = publishing.publish_due(now=LATER)
    out = releases.find(release.id)
    assert (out.state, out.published_at, out.publish_at) == (ReleaseState.PUBLISHED, LATER, None)
    assert jobs.Job.get_by_id(job_id).subject == track.id
    assert publishing.publish_due(now=LATER) == []


def test_what_was_due_while_the_server_was_away_goes_out_when_it_is_back() -> None:
    release = make_release()
    add_track(release)
    publishing.schedule(release, LATER, now=NOW)
    back = LATER + timedelta(days=2)
    publishing.publish_due(now=back)
    assert releases.find(release.id).published_at == back


def test_a_due_release_whose_track_failed_waits_and_stops_no_other() -> None:
    broken, fine = make_release(), make_release()
    track = add_track(broken)
    add_track(fine)
    for release in (broken, fine):
        publishing.schedule(release, LATER, now=NOW)
    Track.update(state=TrackState.FAILED).where(Track.id == track.id).execute()
    publishing.publish_due(now=LATER)
    states = [releases.find(release.id).state for release in (broken, fine)]
    assert states == [ReleaseState.SCHEDULED, ReleaseState.PUBLISHED]


@pytest.mark.parametrize(
    ("at", "sentence"), [(NOW, "has passed"), (NOW + timedelta(days=8000), "look at the year")]
)
def test_an_hour_that_cannot_be_meant_is_refused(at: datetime, sentence: str) -> None:
    release = make_release()
    add_track(release)
    with pytest.raises(Invalid, match=sentence) as refused:
        publishing.schedule(release, at, now=NOW)
    assert refused.value.field == "publish_at"


def test_a_release_in_the_making_can_be_scheduled_and_an_empty_one_cannot() -> None:
    release = make_release()
    with pytest.raises(Conflict, match="at least one track"):
        publishing.schedule(release, LATER, now=NOW)
    add_track(release, TrackState.PROCESSING)
    publishing.schedule(release, LATER, now=NOW)
    assert publishing.schedule(release, LATER + timedelta(hours=1), now=NOW).publish_at == LATER + timedelta(
        hours=1
    )


def test_a_release_that_is_taken_back_is_a_draft_at_the_same_address() -> None:
    release = make_release()
    add_track(release)
    publishing.publish(release, now=NOW)
    back = publishing.take_back(release, now=NOW)
    assert (back.state, back.slug) == (ReleaseState.DRAFT, release.slug)
    publishing.schedule(release, LATER, now=NOW)
    assert publishing.take_back(release, now=NOW).publish_at is None
    assert publishing.publish(release, now=LATER)[0].published_at == LATER


def test_a_published_release_cannot_be_scheduled() -> None:
    release = make_release()
    add_track(release)
    publishing.publish(release, now=NOW)
    with pytest.raises(Conflict, match="published cannot become scheduled"):
        publishing.schedule(release, LATER, now=NOW)


def test_a_private_link_is_made_renewed_and_revoked_and_ends_with_publication() -> None:
    release = make_release()
    add_track(release)
    first = private_links.make(release, now=NOW).private_key
    second = private_links.make(release, now=NOW).private_key
    assert len(first) >= 22
    assert first != second
    assert private_links.revoke(release, now=NOW).private_key == ""
    private_links.make(release, now=NOW)
    assert publishing.publish(release, now=NOW)[0].private_key == ""
    with pytest.raises(Conflict, match="is public"):
        private_links.make(release, now=NOW)


def test_the_address_of_a_track_follows_its_title_until_somebody_may_have_shared_it() -> None:
    release = make_release()
    first, second = add_track(release, title="mix final 7"), add_track(release, title="Low Tide")
    assert (first.slug, second.slug) == ("mix-final-7", "low-tide")
    assert tracks.edit(first, {"title": "Low Tide"}, now=NOW).slug == "low-tide-2"
    assert tracks.find_by_address("night-ferry", release.slug, "low-tide-2").id == first.id
    publishing.publish(release, now=NOW)
    assert tracks.edit(tracks.find(first.id), {"title": "High Tide"}, now=NOW).slug == "low-tide-2"


def test_of_two_who_edit_the_same_the_second_is_told_and_nothing_is_lost() -> None:
    release = make_release(title="First")
    seen = release.version
    releases.edit(release, {"title": "Ada's"}, now=NOW, made_from=seen)
    with pytest.raises(versions.Stale):
        releases.edit(release, {"title": "Bo's", "genre": "Ambient"}, now=NOW, made_from=seen)
    now = releases.find(release.id)
    assert (now.title, now.genre, now.version) == ("Ada's", "", seen + 1)
    track = add_track(release)
    tracks.edit(track, {"title": "Once"}, now=NOW, made_from=track.version)
    with pytest.raises(versions.Stale):
        tracks.edit(track, {"title": "Twice"}, now=NOW, made_from=track.version)


def test_three_hundred_tags_are_answered_with_a_sentence() -> None:
    with pytest.raises(Invalid, match="at most 20 tags") as refused:
        make_release(tags=[f"tag {number}" for number in range(300)])
    assert refused.value.field == "tags"
    with pytest.raises(Invalid, match="these are 21"):
        make_release(tags=[f"tag {number}" for number in range(21)])


def test_the_trail_tells_who_published_scheduled_and_took_back() -> None:
    release, person = make_release(), make_user()
    add_track(release)
    publishing.schedule(release, LATER, now=NOW, actor=person.id)
    publishing.publish(release, now=NOW, actor=person.id)
    publishing.publish(release, now=NOW, actor=person.id)
    publishing.take_back(release, now=NOW, actor=person.id)
    entries = [entry for entry in audit.entries() if entry.subject == f"release:{release.id}"]
    assert [entry.action for entry in entries] == [
        "release.withdrawn",
        "release.published",
        "release.scheduled",
    ]
    assert {entry.actor for entry in entries} == {person.id}
