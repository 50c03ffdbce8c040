"""What players report becomes plays: once, in whatever order, from two places at once, on both engines."""

import threading
import uuid
from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance import database
from appliance.accounts.models import User
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.errors import NotFound
from appliance.listening import counting
from appliance.listening import history
from appliance.listening import recording
from appliance.listening.models import DailyPlays
from appliance.listening.models import Play
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_user
from tests.queries import counted
from tests.servers import site

NOBODY: frozenset[str] = frozenset()
CLIENT = str(uuid.UUID(int=1))
PLAY = str(uuid.UUID(int=2))
SENT_AT_MS = 1_800_000_000_000
TODAY = NOW.date()


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def track(appliance: Appliance) -> Track:
    """Two minutes of published music."""
    made = site.make_track(site.make_release(site.make_person(), published=True), appliance)
    return with_duration(made, 120_000)


def with_duration(track: Track, duration_ms: int) -> Track:
    Track.update(duration_ms=duration_ms).where(Track.id == track.id).execute()
    return track


def event(track: Track, kind: str, *, ago_s: float = 0, heard_s: float = 0, **more: Any) -> dict[str, Any]:
    """One thing that a player noticed *ago_s* seconds before it told."""
    return {
        "play": PLAY,
        "track": track.id,
        "kind": kind,
        "at": SENT_AT_MS - round(1000 * ago_s),
        "position_ms": round(1000 * heard_s),
        "heard_ms": round(1000 * heard_s),
        "quality": "high",
        "context": "/@night-ferry/harbour-lights",
        **more,
    }


def record(*events: Any, user: User | None = None, client: str = CLIENT, **more: Any) -> None:
    more = {"sent_at_ms": SENT_AT_MS, "now": NOW, "roles": NOBODY, **more}
    recording.record(events, user, client=client, **more)


def only() -> Play:
    (play,) = Play.select()
    return play


def rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return list(Play.select().order_by(Play.id).dicts()), list(
        DailyPlays.select().where(DailyPlays.plays != 0).order_by(DailyPlays.track).dicts()
    )


def test_a_play_counts_after_thirty_seconds(track: Track) -> None:
    record(event(track, "start", ago_s=40), event(track, "progress", ago_s=11, heard_s=29))
    assert only().counted_at is None
    assert counting.totals([track.id]) == {}
    record(event(track, "progress", ago_s=10, heard_s=30))
    play = only()
    assert play.counted_at == play.started_at == NOW - timedelta(seconds=40)
    assert counting.totals([track.id]) == {track.id: 1}


def test_half_of_a_short_track_is_enough(track: Track) -> None:
    with_duration(track, 20_000)
    record(event(track, "start", ago_s=30), event(track, "skip", ago_s=20, heard_s=10))
    assert only().counted_at is not None


def test_a_play_counts_once_however_often_and_long_it_is_told(track: Track) -> None:
    for heard_s in (31, 60, 120, 120):
        record(event(track, "start", ago_s=121), event(track, "end", ago_s=1, heard_s=heard_s))
    assert counting.totals([track.id]) == {track.id: 1}
    assert (only().outcome, only().heard_ms, only().position_ms) == ("ended", 120_000, 120_000)


def test_a_preview_never_counts_even_where_the_player_calls_it_whole_later(track: Track) -> None:
    record(event(track, "start", ago_s=40), event(track, "progress", ago_s=5, heard_s=35, quality="preview"))
    record(event(track, "end", heard_s=40, quality="high"))
    assert (only().quality, only().counted_at) == ("preview", None)


def test_nobody_hears_more_than_the_clock_admits(track: Track) -> None:
    record(event(track, "start", ago_s=5), event(track, "end", ago_s=0, heard_s=120))
    assert (only().heard_ms, only().counted_at) == (15_000, None)


def test_nobody_hears_a_track_more_than_three_times_in_one_play(track: Track) -> None:
    record(event(track, "start", ago_s=9000), event(track, "end", ago_s=0, heard_s=8000))
    assert only().heard_ms == 360_000


def test_a_wrong_clock_of_a_player_is_set_right(track: Track) -> None:
    years_off = SENT_AT_MS - 10**11
    record(event(track, "start", at=years_off - 60_000), sent_at_ms=years_off)
    assert only().started_at == NOW - timedelta(minutes=1)


def test_what_is_said_to_come_from_the_future_happened_when_it_was_sent(track: Track) -> None:
    record(event(track, "start", ago_s=-1000))
    assert only().started_at == NOW


def test_what_was_heard_offline_counts_on_its_day(track: Track) -> None:
    days = 3 * 86_400
    record(event(track, "start", ago_s=days), event(track, "end", ago_s=days - 120, heard_s=120))
    assert counting.plays_by_day(track.release.artist, since=date(2026, 1, 1)) == {
        TODAY - timedelta(days=3): 1
    }
    record(event(track, "start", play=str(uuid.UUID(int=3)), ago_s=90 * 86_400))
    assert Play.select().count() == 1, "what is months old is dropped"


def test_an_earlier_start_that_comes_late_moves_the_play_to_its_day(track: Track) -> None:
    noon = 12 * 3600
    record(event(track, "progress", ago_s=noon - 1), event(track, "end", ago_s=noon - 61, heard_s=60))
    assert counting.plays_by_day(track.release.artist, since=TODAY) == {TODAY: 1}
    record(event(track, "start", ago_s=noon + 1))
    assert counting.plays_by_day(track.release.artist, since=date(2026, 1, 1)) == {
        TODAY - timedelta(days=1): 1
    }


def test_the_outcome_only_moves_forward(track: Track) -> None:
    record(event(track, "end", ago_s=1, heard_s=5))
    record(event(track, "skip", ago_s=2, heard_s=4), event(track, "progress", heard_s=3))
    play = only()
    assert (play.outcome, play.claimed_ms, play.position_ms) == ("ended", 5_000, 3_000)


def test_an_id_of_another_player_or_for_another_track_is_refused_quietly(
    appliance: Appliance, track: Track
) -> None:
    other = with_duration(site.make_track(track.release, appliance), 120_000)
    record(event(track, "start", ago_s=100))
    before = rows()
    record(event(track, "end", heard_s=100), client=str(uuid.UUID(int=9)))
    record(event(other, "end", heard_s=100))
    assert rows() == before


def test_who_signs_in_meanwhile_is_known_and_another_is_refused(track: Track) -> None:
    fan, other = make_user(), make_user()
    record(event(track, "start", ago_s=100))
    record(event(track, "progress", ago_s=50, heard_s=50), user=fan)
    record(event(track, "end", heard_s=100), user=other)
    assert (only().user_id, only().heard_ms) == (fan.id, 50_000)


def test_a_track_they_may_not_see_leaves_no_trace(appliance: Appliance, track: Track) -> None:
    Release.update(state=ReleaseState.DRAFT).where(Release.id == track.release_id).execute()
    record(event(track, "start"), {**event(track, "start"), "track": "01ARZ3NDEKTSV4RRFFQ69G5FAV"})
    assert rows() == ([], [])


@pytest.mark.parametrize(
    "rubbish",
    [
        None,
        [],
        {},
        "start",
        {"play": "x"},
        {"kind": "explode"},
        {"kind": ["start"]},
        {"at": "now"},
        {"at": True},
        {"at": -1},
        {"at": 10**400},
        {"at": float("nan")},
        {"at": float("inf")},
        {"heard_ms": -5},
        {"heard_ms": None},
        {"position_ms": "1"},
        {"track": 5},
        {"track": "x" * 100},
        {"track": "\x00"},
        {"quality": "ultra"},
        {"quality": {}},
        {"play": "not-a-uuid-not-a-uuid-not-a-uuid-not"},
    ],
    ids=repr,
)
def test_bad_events_are_dropped_and_good_ones_beside_them_kept(track: Track, rubbish: Any) -> None:
    good = event(track, "start")
    bad = (
        {**event(track, "end", play=str(uuid.UUID(int=7))), **rubbish}
        if isinstance(rubbish, dict)
        else rubbish
    )
    if rubbish == {}:
        bad = {}
    record(bad, good)
    assert only().id == PLAY


@pytest.mark.parametrize(
    "context", [None, 5, "https://elsewhere.example", "//elsewhere.example", "/" + "x" * 999]
)
def test_where_the_queue_came_from_is_a_path_of_ours_or_nothing(track: Track, context: Any) -> None:
    record(event(track, "start", context=context))
    assert only().context in {"", "/" + "x" * 199}


EVENTS = st.lists(
    st.builds(
        lambda play, track, kind, ago_s, heard_s, quality: (play, track, kind, ago_s, heard_s, quality),
        st.integers(1, 3),
        st.integers(0, 1),
        st.sampled_from(["start", "progress", "skip", "end"]),
        st.integers(0, 100_000),
        st.integers(0, 400),
        st.sampled_from(["low", "high", "preview"]),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("database_url", [""])
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, data=st.data())
def test_any_order_and_repetition_of_batches_gives_the_same_rows(
    track: Track, events: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    sent = [
        event(
            track,
            kind,
            play=str(uuid.UUID(int=100 + play)),
            ago_s=ago_s,
            heard_s=heard_s,
            quality=quality,
            context=f"/{play}/{ago_s}",
        )
        for play, _other, kind, ago_s, heard_s, quality in events
    ]
    _clear()
    record(*sent)
    together = rows()
    _clear()
    for chosen in data.draw(st.permutations([*range(len(sent)), *range(len(sent))])):
        record(sent[chosen])
    assert rows() == together
    counts = sum(row["plays"] for row in together[1])
    assert counts == sum(row["counted_at"] is not None for row in together[0])


def _clear() -> None:
    Play.delete().execute()
    DailyPlays.delete().execute()


def test_two_at_once_tell_of_the_same_plays_and_each_counts_once(appliance: Appliance, track: Track) -> None:
    batches = [
        [
            event(track, kind, play=str(uuid.UUID(int=number)), ago_s=ago_s, heard_s=100 - ago_s)
            for number in numbers
            for kind, ago_s in (("start", 100), ("end", 0))
        ]
        for numbers in (range(10, 40), range(39, 9, -1))
    ]
    problems: list[BaseException] = []

    def send(batch: list[dict[str, Any]]) -> None:
        try:
            database.hold_open()
            for _ in range(3):
                record(*batch)
        except BaseException as problem:
            problems.append(problem)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=send, args=(batch,)) for batch in batches * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert Play.select().count() == 30
    assert counting.totals([track.id]) == {track.id: 30}


def many_plays(track: Track, number: int, *, user: User | None = None, first: int = 1000) -> None:
    for start in range(0, number, 100):
        batch = []
        for index in range(start, min(number, start + 100)):
            ids = {"play": str(uuid.UUID(int=first + index))}
            batch += [event(track, "start", ago_s=100, **ids), event(track, "end", heard_s=100, **ids)]
        record(*batch, user=user)


def test_figures_tell_days_and_top_tracks_of_one_artist_only(appliance: Appliance, track: Track) -> None:
    second = with_duration(site.make_track(track.release, appliance, title="High Tide"), 120_000)
    elsewhere = with_duration(
        site.make_track(site.make_release(site.make_person(), published=True), appliance), 120_000
    )
    many_plays(track, 2)
    many_plays(second, 3, first=2000)
    many_plays(elsewhere, 4, first=3000)
    artist = track.release.artist
    assert counting.plays_by_day(artist, since=TODAY) == {TODAY: 5}
    assert counting.plays_by_day(artist, since=TODAY + timedelta(days=1)) == {}
    top = counting.top_tracks(artist, since=TODAY)
    assert [(row.title, plays) for row, plays in top] == [("High Tide", 3), ("Low Tide", 2)]
    assert top[0][0].release.artist.id == artist.id
    assert len(counting.top_tracks(artist, since=TODAY, limit=1)) == 1
    assert counting.total_of(artist) == counting.total_of(artist, since=TODAY) == 5
    assert counting.totals([]) == {}


def test_history_is_newest_first_in_pages(track: Track) -> None:
    fan = make_user()
    for number in range(5):
        record(event(track, "start", play=str(uuid.UUID(int=50 + number)), ago_s=number), user=fan)
    page = history.of(fan, limit=3)
    assert [play.id[-2:] for play in page] == ["32", "33", "34"]
    rest = history.of(fan, before=(page[-1].started_at, page[-1].id), limit=3)
    assert [play.id[-2:] for play in rest] == ["35", "36"]
    assert rest[0].track.release.artist.name == "Night Ferry"
    assert history.of(make_user()) == []


def test_what_is_forgotten_counts_for_nobody_in_particular_and_does_not_come_back(track: Track) -> None:
    fan, other = make_user(), make_user()
    many_plays(track, 3, user=fan)
    with pytest.raises(NotFound):
        history.forget(other, history.of(fan)[0].id)
    history.forget(fan, history.of(fan)[0].id)
    assert len(history.of(fan)) == 2
    assert history.forget_all(fan) == 2
    many_plays(track, 3, user=fan)
    assert history.of(fan) == []
    assert counting.totals([track.id]) == {track.id: 3}


def test_with_an_account_goes_who_listened_and_not_that_somebody_did(track: Track) -> None:
    fan = make_user()
    many_plays(track, 2, user=fan)
    fan.delete_instance(recursive=False)
    assert [play.user_id for play in Play.select()] == [None, None]
    assert counting.totals([track.id]) == {track.id: 2}


def test_questions_cost_the_same_with_ten_plays_and_with_a_thousand(track: Track) -> None:
    fan = make_user()
    costs = []
    for number in (10, 1000):
        many_plays(track, number, user=fan)
        with counted() as asked:
            assert counting.plays_by_day(track.release.artist, since=TODAY)
            assert counting.top_tracks(track.release.artist, since=TODAY)
            assert counting.totals([track.id]) == {track.id: number}
            assert len(history.of(fan, limit=10)) == 10
        costs.append(len(asked))
    assert costs == [5, 5]


def test_a_batch_costs_the_same_however_many_plays_it_tells_of(track: Track) -> None:
    costs = []
    for number in (1, 100):
        _clear()
        with counted() as asked:
            many_plays(track, number)
        costs.append(len(asked))
    assert costs[0] == costs[1]
