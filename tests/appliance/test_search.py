"""The search, on both engines: what is found by which words, in which order, and what may be asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance import search
from appliance import search_commands
from appliance.catalog import findable
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import topics
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.topics import TopicKind
from appliance.cli import cli
from appliance.discovery import featured
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.search import Entry
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release
from tests.queries import counted
from tests.servers import site

RUBBISH = st.text(max_size=500) | st.text(alphabet="\"'*()-:^+&|!<>\\%_\0 aé🌊{}NEARAND", max_size=60)


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def put(appliance: Appliance) -> Callable[..., None]:
    def put(*entries: tuple[str, ...]) -> None:
        search.TRACKS.put(Entry(f"{number}", *entry) for number, entry in enumerate(entries))

    return put


def found(query: str, *, limit: int = 20) -> list[str]:
    return search.TRACKS.find(query, limit=limit)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Für Élise", "fur elise"),
        ("Fur Elise", "Für ÉLISE"),
        ("Straße", "strasse"),
        ("Smørrebrød", "smorrebrod"),
        ("Æther", "aether"),
        ("Łódź", "lodz"),
        ("Don’t Go", "dont go"),
        ("Drum'n'Bass", "drumnbass"),
        ("AC/DC", "ac dc"),
        ("夜の船", "船"),
        ("Ночной паром", "НОЧНОЙ"),
        ("مرحبا بالعالم", "مرحبا"),
        ("Ｆｕｌｌ Ｗｉｄｔｈ", "full width"),
        ("Sea 🌊 Song", "🌊"),
        ("x" * 300, "x" * 200),
        ("Harbour Lights", "harb li"),
    ],
)
def test_accents_case_and_halves_of_words_are_forgiven(put, written: str, asked: str) -> None:
    put((written,), ("Something Else",))
    assert found(asked) == ["0"]


def test_all_words_must_be_there_wherever_they_are(put) -> None:
    put(("Low Tide", "Night Ferry", "ambient sea"), ("Low Tide", "Other"), ("Tide", "Night Ferry"))
    assert found("low ferry") == ["0"]
    assert found("ambient tide night") == ["0"]
    assert found("low ferry nothing") == []


def test_a_title_comes_before_a_name_and_a_name_before_a_tag(put) -> None:
    put(("By Tag", "", "sun"), ("By Artist", "Sun"), ("Under the Sun",), ("Sunday",), ("Sun",), ("Sun Song",))
    assert found("sun") == ["4", "5", "2", "3", "1", "0"]


def test_of_equals_the_newer_comes_first(put) -> None:
    put(("Sea",), ("Sea",), ("Sea",))
    assert found("sea") == ["2", "1", "0"]
    assert found("sea", limit=2) == ["2", "1"]


def test_the_very_title_is_found_among_many_newer_that_begin_so(put) -> None:
    put(("Sun",), *((f"Sunday {number}",) for number in range(60)))
    assert found("sun", limit=5)[0] == "0"


def test_what_is_put_again_replaces_and_what_is_removed_is_gone(put) -> None:
    put(("Old Name",))
    search.TRACKS.put([Entry("0", "New Name")])
    assert (found("old"), found("new")) == ([], ["0"])
    search.TRACKS.remove(["0", "never there"])
    assert found("new") == []


def test_what_is_unchanged_is_not_written(put) -> None:
    put(("Sea",))
    with counted() as statements:
        put(("Sea",))
    assert [s for s in statements if not s.startswith("SELECT")] == []


@pytest.mark.parametrize(
    "query", ["", "   ", "\0", "***", '"', "-", "()", "' OR 1=1 --", "a" * 500, "é" * 500]
)
def test_a_query_of_signs_is_harmless(put, query: str) -> None:
    put(("Sea",))
    assert found(query) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=RUBBISH)
@example(query="\x00")
@example(query='sea" OR "tide')
@example(query="sea* AND NOT tide")
@example(query="words: sea")
@example(query="'sea':* | !'tide'")
@example(query="sea\\")
def test_whatever_is_asked_is_words_and_nothing_else(appliance: Appliance, query: str) -> None:
    search.TRACKS.put([Entry("0", "Sea"), Entry("1", "Tide")])
    hits = found(query)
    asked = search.words(query)[:12]
    assert hits == [
        subject
        for subject, word in (("1", "tide"), ("0", "sea"))
        if asked and all(word.startswith(part) for part in asked)
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(max_size=300))
def test_what_can_be_written_can_be_found(appliance: Appliance, title: str) -> None:
    search.TRACKS.put([Entry("0", title, "name", "tag")])
    assert found("name tag") == ["0"]
    assert search.words(title)[:1] == [] or found(title[:500]) == ["0"]


def test_a_search_asks_the_same_number_of_questions_at_any_size(put) -> None:
    prices = []
    for count in (10, 1000):
        put(*((f"Song {number}", "Night Ferry", "ambient") for number in range(count)))
        with counted() as statements:
            assert len(found("ambient", limit=8)) == 8
        prices.append(len(statements))
    assert prices[0] == prices[1] <= 6


def publish(appliance: Appliance, title: str = "Harbour Lights", **fields: object) -> Release:
    release = make_release(fields.pop("artist", None) or make_artist(), title=title, **fields)
    site.make_track(release, appliance, title=f"{title} One")
    return publishing.publish(release, now=fields.get("now", NOW))[0]


def test_what_is_public_is_found_and_no_draft(appliance: Appliance) -> None:
    draft = make_release(title="Secret Plans")
    site.make_track(draft, appliance, title="Secret Song")
    assert [index.find("secret", limit=5) for index in search.INDEXES] == [[], [], [], []]
    publishing.publish(draft, now=NOW)
    assert search.RELEASES.find("secret", limit=5) == [draft.id]
    assert len(search.TRACKS.find("secret", limit=5)) == 1
    assert search.ARTISTS.find("night ferry", limit=5) == [draft.artist_id]


def test_what_is_taken_back_is_found_no_more(appliance: Appliance) -> None:
    release = publish(appliance, genre="Ambient", tags=["sea"])
    assert search.TAGS.find("sea", limit=5) == ["tag:sea"]
    publishing.take_back(release, now=NOW)
    for word in ("harbour", "night", "ambient", "sea"):
        assert [index.find(word, limit=5) for index in search.INDEXES] == [[], [], [], []]
    assert topics.largest(TopicKind.GENRE, limit=5) == []


def test_a_new_name_is_found_and_the_old_one_not(appliance: Appliance) -> None:
    release = publish(appliance)
    track = Track.get(Track.release == release.id)
    releases.edit(release, {"title": "Quiet Water", "tags": ["drone"]}, now=NOW)
    tracks.edit(track, {"title": "First Light"}, now=NOW)
    assert search.RELEASES.find("harbour", limit=5) == []
    assert search.RELEASES.find("quiet drone", limit=5) == [release.id]
    assert search.TRACKS.find("first quiet", limit=5) == [track.id]
    tracks.remove(track, now=NOW)
    assert search.TRACKS.find("first", limit=5) == []


def test_a_track_is_found_when_it_is_ready(appliance: Appliance) -> None:
    release = publish(appliance)
    later = site.make_track(release, appliance, state=site.TrackState.PROCESSING, title="Latecomer")
    assert search.TRACKS.find("latecomer", limit=5) == []
    Track.update(state=site.TrackState.READY).where(Track.id == later.id).execute()
    publishing.became_ready(tracks.find(later.id), now=NOW)
    assert search.TRACKS.find("latecomer", limit=5) == [later.id]


def test_genres_and_tags_are_counted_and_spellings_are_one(appliance: Appliance) -> None:
    artist = make_artist()
    for number, (genre, tags) in enumerate(
        [("Hip Hop", ["Sea", "night"]), ("hip-hop", ["sea"]), ("Ambient", ["sea", "SEA "]), ("!!!", ["?"])]
    ):
        publish(
            appliance,
            f"Volume {number}",
            artist=artist,
            genre=genre,
            tags=tags,
            now=NOW + timedelta(minutes=number),
        )
    assert [(row.name, row.count) for row in topics.largest(TopicKind.GENRE, limit=9)] == [
        ("Hip Hop", 2),
        ("Ambient", 1),
    ]
    assert [(row.name, row.count) for row in topics.largest(TopicKind.TAG, limit=9)] == [
        ("sea", 3),
        ("night", 1),
    ]
    sea = topics.find(TopicKind.TAG, "SEA")
    first = topics.releases_of(sea, limit=2)
    assert [row.title for row in first] == ["Volume 2", "Volume 1"]
    rest = topics.releases_of(sea, limit=2, before=(first[-1].published_at, first[-1].id))
    assert [row.title for row in rest] == ["Volume 0"]
    with pytest.raises(NotFound):
        topics.find(TopicKind.TAG, "nobody")


def test_the_index_can_be_made_anew(appliance: Appliance) -> None:
    release = publish(appliance, genre="Ambient", tags=["sea"])
    search.TRACKS.put([Entry("ghost", "Ghost")])
    search.RELEASES.clear()
    assert findable.rebuild() == 1
    assert search.RELEASES.find("harbour", limit=5) == [release.id]
    assert search.TRACKS.find("ghost", limit=5) == []
    assert topics.find(TopicKind.TAG, "sea").count == 1


def test_an_operator_can_make_the_index_anew(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(appliance)
    # This process is started already; a second connection would be a second pool.
    monkeypatch.setattr(search_commands, "started", lambda ctx: appliance)
    answer = CliRunner().invoke(cli, ["search", "rebuild"])
    assert answer.output == "Releases that can be found now: 1.\n"


def test_the_collective_features_releases_in_its_order(appliance: Appliance) -> None:
    artist = make_artist()
    first, second = (publish(appliance, title, artist=artist) for title in ("First", "Second"))
    featured.put([second.id, first.id], notes={first.id: "For the <evening>"}, now=NOW)
    assert [(pick.release.title, pick.note) for pick in featured.list()] == [
        ("Second", ""),
        ("First", "For the <evening>"),
    ]
    publishing.take_back(second, now=NOW)
    assert [pick.release.title for pick in featured.list()] == ["First"]
    featured.put([], now=NOW)
    assert featured.list() == []


def test_only_what_is_public_is_featured_and_only_once(appliance: Appliance) -> None:
    draft, out = make_release(), publish(appliance)
    for wanted in ([draft.id], [out.id, out.id], ["nothing"], [out.id] * 25):
        with pytest.raises(Invalid):
            featured.put(wanted, now=NOW)
    assert featured.list() == []
