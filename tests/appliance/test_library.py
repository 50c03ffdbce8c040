"""What a listener keeps: favourites, follows and playlists, on both engines."""

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import peewee
import pytest

from appliance import database
from appliance.accounts.models import User
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.versions import Stale
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.library import entries
from appliance.library import favourites
from appliance.library import follows
from appliance.library import playlists
from appliance.library.models import FavouriteTrack
from appliance.library.models import Follow
from appliance.library.models import Playlist
from appliance.library.models import PlaylistEntry
from appliance.library.models import Visibility
from appliance.library.models import unguessable_id
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_user
from tests.queries import counted
from tests.servers import site


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def fan(appliance: Appliance) -> User:
    return make_user()


@pytest.fixture
def release(appliance: Appliance) -> Release:
    return site.make_release(site.make_person(), published=True)


@pytest.fixture
def tracks(appliance: Appliance, release: Release) -> list[Track]:
    return [site.make_track(release, appliance, title=title) for title in ("One", "Two", "Three")]


def make_playlist(owner: User, *tracks: Track, **fields: Any) -> Playlist:
    playlist = playlists.create(owner, {"title": "For the night", **fields}, now=NOW)
    for track in tracks:
        entries.add(playlist, track, now=NOW)
    return playlist


def titles(playlist: Playlist) -> list[str]:
    return [entry.track.title for entry in entries.of(playlist)]


def test_a_favourite_is_kept_once_and_dropped_once(fan: User, tracks: list[Track]) -> None:
    for number, track in enumerate([*tracks, tracks[0]]):
        favourites.keep_track(fan, track, now=NOW + timedelta(seconds=number))
    assert [row.track.title for row in favourites.tracks(fan)] == ["Three", "Two", "One"]
    assert favourites.of(fan, [tracks[0].id, "nothing"]) == {tracks[0].id}
    for _ in range(2):
        favourites.drop_track(fan, tracks[0].id)
    assert favourites.of(fan, [track.id for track in tracks]) == {tracks[1].id, tracks[2].id}
    assert favourites.of(None, [tracks[1].id]) == favourites.of(make_user(), [tracks[1].id]) == set()


def test_favourites_come_in_pages(fan: User, tracks: list[Track]) -> None:
    for track in tracks:
        favourites.keep_track(fan, track, now=NOW)
    page = favourites.tracks(fan, limit=2)
    rest = favourites.tracks(fan, before=(page[-1].added_at, page[-1].track_id), limit=2)
    assert {row.track_id for row in [*page, *rest]} == {track.id for track in tracks}
    assert len(rest) == 1


def test_a_release_can_be_kept_too(fan: User, release: Release) -> None:
    favourites.keep_release(fan, release, now=NOW)
    favourites.keep_release(fan, release, now=NOW)
    assert favourites.of_releases(fan, [release.id]) == {release.id}
    (row,) = favourites.releases(fan)
    assert row.release.artist.name == "Night Ferry"
    assert favourites.releases(fan, before=(row.added_at, row.release_id)) == []
    favourites.drop_release(fan, release.id)
    assert favourites.of_releases(fan, [release.id]) == favourites.of_releases(None, [release.id]) == set()


def test_follows_are_told_and_counted(fan: User) -> None:
    artist, other = make_artist(), make_artist(name="Low Tide")
    assert not follows.has(fan, artist)
    for _ in range(2):
        follows.follow(fan, artist, now=NOW)
    follows.follow(make_user(), artist, now=NOW)
    assert follows.has(fan, artist)
    assert not follows.has(None, artist)
    assert follows.count(artist) == 2
    assert follows.of(fan, [artist.id, other.id]) == {artist.id}
    (row,) = follows.artists(fan)
    assert row.artist.name == "Night Ferry"
    assert follows.artists(fan, before=(row.added_at, row.artist_id)) == []
    follows.unfollow(fan, artist)
    follows.unfollow(fan, artist)
    assert follows.count(artist) == 1


def test_a_playlist_is_private_until_its_owner_says_otherwise(fan: User) -> None:
    playlist = make_playlist(fan)
    other = make_user()
    assert playlists.seen(fan, playlist.id).owner.id == fan.id
    for who in (None, other):
        with pytest.raises(NotFound):
            playlists.seen(who, playlist.id)
    with pytest.raises(NotFound):
        playlists.own(other, playlist.id)
    for visibility in (Visibility.UNLISTED, Visibility.PUBLIC):
        playlists.edit(playlist, {"visibility": visibility}, now=NOW)
        assert playlists.seen(None, playlist.id).visibility == visibility
        with pytest.raises(NotAllowed):
            playlists.own(other, playlist.id)
    assert playlists.own(fan, playlist.id).version == 3


def test_only_public_playlists_can_be_found(fan: User) -> None:
    for visibility in Visibility:
        make_playlist(fan, title=visibility, visibility=visibility)
    assert [row.title for row in playlists.public()] == ["public"]
    assert len(playlists.of(fan)) == 3
    page = playlists.of(fan, limit=2)
    assert len(playlists.of(fan, before=(page[-1].updated_at, page[-1].id))) == 1


def test_the_address_of_a_playlist_does_not_follow_from_that_of_another() -> None:
    parts = [int.from_bytes(unguessable_id()[10:].encode()) for _ in range(200)]
    assert len(set(parts)) == 200
    assert all(abs(one - two) > 1 for one, two in itertools.pairwise(parts))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": 5}, "title"),
        ({"title": "T", "about": "x" * 5001}, "about"),
        ({"title": "T", "visibility": "secret"}, "visibility"),
        ({"title": "T", "visibility": []}, "visibility"),
        ({"title": "T", "owner": "me"}, "owner"),
    ],
)
def test_what_cannot_be_is_told_with_its_field(fan: User, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        playlists.create(fan, fields, now=NOW)
    assert refused.value.field == field


def test_who_edits_an_older_version_is_told_and_nothing_is_lost(fan: User) -> None:
    playlist = make_playlist(fan)
    playlists.edit(playlist, {"title": "First"}, made_from=1, now=NOW)
    with pytest.raises(Stale):
        playlists.edit(playlist, {"title": "Second"}, made_from=1, now=NOW)
    assert playlists.seen(fan, playlist.id).title == "First"
    playlists.edit(playlist, {}, now=NOW)
    assert playlists.seen(fan, playlist.id).version == 2


def test_nobody_has_more_playlists_than_can_be_shown(fan: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlists, "MOST_PLAYLISTS", 1)
    make_playlist(fan)
    with pytest.raises(Conflict):
        make_playlist(fan)


def test_a_track_may_stand_twice_and_that_is_told(fan: User, tracks: list[Track]) -> None:
    playlist = make_playlist(fan, tracks[0])
    entry, before = entries.add(playlist, tracks[0], now=NOW)
    assert (entry.position, before) == (2, 1)
    assert titles(playlist) == ["One", "One"]
    assert entries.holding([playlist], tracks[0]) == {playlist.id}
    assert entries.holding([playlist], tracks[1]) == entries.holding([], tracks[0]) == set()


def test_a_playlist_ends_somewhere(fan: User, tracks: list[Track], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES", 2)
    playlist = make_playlist(fan, *tracks[:2])
    with pytest.raises(Conflict):
        entries.add(playlist, tracks[2], now=NOW)


def test_entries_move_and_stop_at_the_ends(fan: User, tracks: list[Track]) -> None:
    playlist = make_playlist(fan, *tracks)
    first = entries.of(playlist)[0].id
    entries.move(playlist, first, 1, now=NOW)
    assert titles(playlist) == ["Two", "One", "Three"]
    entries.move(playlist, first, 5, now=NOW)
    assert titles(playlist) == ["Two", "Three", "One"]
    entries.move(playlist, first, 1, now=NOW)
    entries.move(playlist, first, -9, now=NOW)
    assert titles(playlist) == ["One", "Two", "Three"]
    with pytest.raises(NotFound):
        entries.move(playlist, new_id(), 1, now=NOW)


def test_an_order_is_taken_only_of_all_entries_there_are(fan: User, tracks: list[Track]) -> None:
    playlist = make_playlist(fan, *tracks)
    order = [row.id for row in entries.of(playlist)][::-1]
    entries.reorder(playlist, order, now=NOW)
    assert titles(playlist) == ["Three", "Two", "One"]
    wrong: list[list[str]] = [order[:2], [*order, order[0]], [*order[:2], new_id()], []]
    for one in wrong:
        with pytest.raises(Conflict):
            entries.reorder(playlist, one, now=NOW)
    with pytest.raises(Stale):
        entries.reorder(playlist, order, made_from=1, now=NOW)


def test_what_is_removed_leaves_no_gap_and_twice_is_once(fan: User, tracks: list[Track]) -> None:
    playlist = make_playlist(fan, *tracks)
    first = entries.of(playlist)[0].id
    for _ in range(2):
        entries.remove(playlist, first, now=NOW)
    assert [(row.track.title, row.position) for row in entries.of(playlist)] == [("Two", 1), ("Three", 2)]
    other = make_playlist(fan, tracks[0])
    entries.remove(playlist, entries.of(other)[0].id, now=NOW)
    assert titles(other) == ["One"], "an entry of another playlist is not touched"


def test_a_track_that_leaves_the_catalogue_leaves_playlists_and_favourites(
    fan: User, tracks: list[Track]
) -> None:
    playlist = make_playlist(fan, *tracks)
    favourites.keep_track(fan, tracks[1], now=NOW)
    Track.delete().where(Track.id == tracks[1].id).execute()
    assert titles(playlist) == ["One", "Three"]
    assert favourites.tracks(fan) == []


def test_everything_goes_with_the_account(fan: User, tracks: list[Track]) -> None:
    make_playlist(fan, *tracks)
    favourites.keep_track(fan, tracks[0], now=NOW)
    favourites.keep_release(fan, tracks[0].release, now=NOW)
    follows.follow(fan, tracks[0].release.artist, now=NOW)
    fan.delete_instance(recursive=False)
    for model in (Playlist, PlaylistEntry, FavouriteTrack, Follow):
        assert model.select().count() == 0


def test_a_playlist_that_is_deleted_takes_its_entries(fan: User, tracks: list[Track]) -> None:
    playlist = make_playlist(fan, *tracks)
    playlists.delete(playlist)
    assert PlaylistEntry.select().count() == 0
    with pytest.raises(NotFound):
        entries.add(playlist, tracks[0], now=NOW)


def test_a_cover_is_made_of_the_first_public_releases(fan: User, appliance: Appliance) -> None:
    person = site.make_person()
    releases = [site.make_release(person, published=number != 1) for number in range(6)]
    Release.update(artwork_key="artwork/x").where(Release.id != releases[2].id).execute()
    playlist = make_playlist(fan, *(site.make_track(row, appliance) for row in [releases[0], *releases]))
    other = make_playlist(fan)
    found = entries.covers([playlist, other])
    assert [row.id for row in found[playlist.id]] == [releases[number].id for number in (0, 3, 4, 5)]
    assert found[other.id] == []
    assert entries.covers([]) == {}
    assert entries.counts([playlist, other]) == {playlist.id: 7}


def at_once(*acts: Callable[[], object]) -> None:
    problems: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        try:
            database.hold_open()
            act()
        except BaseException as problem:
            problems.append(problem)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_two_who_add_at_once_both_get_a_place(fan: User, tracks: list[Track]) -> None:
    playlist = make_playlist(fan)
    at_once(*(lambda track=track: entries.add(playlist, track, now=NOW) for track in tracks * 3))  # type: ignore[misc]
    assert [row.position for row in entries.of(playlist)] == list(range(1, 10))
    at_once(*(lambda track=track: favourites.keep_track(fan, track, now=NOW) for track in tracks * 2))  # type: ignore[misc]
    assert len(favourites.tracks(fan)) == 3


def fill(playlist: Playlist, track: Track, number: int) -> None:
    rows = [
        {"id": new_id(), "playlist": playlist.id, "track": track.id, "position": place, "added_at": NOW}
        for place in range(1, number + 1)
    ]
    PlaylistEntry.insert_many(rows).execute()


def test_a_thousand_entries_cost_as_many_queries_as_ten(fan: User, tracks: list[Track]) -> None:
    costs = []
    for number in (10, 1000):
        playlist = make_playlist(fan)
        fill(playlist, tracks[0], number)
        with counted() as asked:
            order = [row.id for row in entries.of(playlist)]
            entries.reorder(playlist, order[::-1], now=NOW)
            entries.move(playlist, order[0], -3, now=NOW)
            assert entries.counts([playlist]) == {playlist.id: number}
            entries.covers([playlist])
            entries.remove(playlist, order[5], now=NOW)
        costs.append(len(asked))
        assert [row.position for row in entries.of(playlist)] == list(range(1, number))
    assert costs[0] == costs[1]


def test_a_row_of_a_stranger_cannot_be_kept(appliance: Appliance, tracks: list[Track]) -> None:
    with pytest.raises(peewee.IntegrityError):
        favourites.keep_track(User(id=new_id()), tracks[0], now=NOW)
