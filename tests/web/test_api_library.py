"""The library by the interface: what the pages do, programs can do; every answer is held against its description."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.library import entries
from appliance.library import follows
from appliance.library import playlists
from appliance.library.models import Playlist
from appliance.listening import recording
from appliance.startup import Appliance
from tests.queries import counted
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")
API = "/api/v1"


@pytest.fixture
def fan(appliance: Appliance) -> Person:
    return site.make_person()


@pytest.fixture
def track(appliance: Appliance, artist: Person) -> Track:
    return site.make_track(site.make_release(artist, published=True), appliance)


def ask(client: FlaskClient, person: Person, method: str, path: str, **more: Any) -> TestResponse:
    headers = {**person.headers, **more.pop("headers", {})}
    return client.open(API + path, method=method, headers=headers, **more)


def make_playlist(owner: Person, *tracks: Track, **fields: Any) -> Playlist:
    playlist = playlists.create(owner.user, {"title": "For the night", **fields}, now=clock.now())
    for track in tracks:
        entries.add(playlist, track, now=clock.now())
    return playlist


def hear(person: Person, track: Track) -> None:
    event = {
        "play": str(uuid.uuid4()),
        "track": track.id,
        "kind": "start",
        "at": 1,
        "position_ms": 0,
        "heard_ms": 0,
    }
    recording.record(
        [event], person.user, client=str(uuid.uuid4()), sent_at_ms=1, now=clock.now(), roles=frozenset()
    )


def hide(track: Track) -> None:
    Release.update(state=ReleaseState.DRAFT).where(Release.id == track.release_id).execute()


def test_tracks_and_releases_are_kept_and_dropped(client: FlaskClient, fan: Person, track: Track) -> None:
    for kind, key in (("tracks", track.id), ("releases", track.release_id)):
        for _ in range(2):
            assert ask(client, fan, "PUT", f"/favourites/{kind}/{key}").status_code == 204
        (item,) = ask(client, fan, "GET", f"/favourites/{kind}").json["items"]
        assert item[kind.removesuffix("s")]["id"] == key
        for _ in range(2):
            assert ask(client, fan, "DELETE", f"/favourites/{kind}/{key}").status_code == 204
        assert ask(client, fan, "GET", f"/favourites/{kind}").json == {"items": [], "next_cursor": None}


def test_what_is_hidden_cannot_be_kept_and_is_not_told(
    client: FlaskClient, fan: Person, track: Track
) -> None:
    for kind, key in (("tracks", track.id), ("releases", track.release_id)):
        ask(client, fan, "PUT", f"/favourites/{kind}/{key}")
    hear(fan, track)
    hide(track)
    for kind, key in (("tracks", track.id), ("releases", track.release_id)):
        assert ask(client, fan, "PUT", f"/favourites/{kind}/{key}").status_code == 404
        assert ask(client, fan, "GET", f"/favourites/{kind}").json["items"] == []
    assert "track" not in ask(client, fan, "GET", "/history").json["items"][0]


def test_artists_are_followed(client: FlaskClient, fan: Person, track: Track) -> None:
    slug = track.release.artist.slug
    assert ask(client, fan, "PUT", f"/follows/{slug}").status_code == 204
    assert ask(client, fan, "GET", "/follows").json["items"][0]["artist"]["slug"] == slug
    assert ask(client, fan, "DELETE", f"/follows/{slug}").status_code == 204
    assert not follows.has(fan.user, track.release.artist)
    assert ask(client, fan, "PUT", "/follows/nobody").status_code == 404


def test_history_is_read_and_forgotten(
    client: FlaskClient, fan: Person, stranger: Person, track: Track
) -> None:
    for _ in range(3):
        hear(fan, track)
    page = ask(client, fan, "GET", "/history?limit=2").json
    assert len(page["items"]) == 2
    rest = ask(client, fan, "GET", f"/history?limit=2&cursor={page['next_cursor']}").json
    assert len(rest["items"]) == 1
    assert rest["next_cursor"] is None
    play = rest["items"][0]["id"]
    assert ask(client, stranger, "DELETE", f"/history/{play}").status_code == 404
    assert ask(client, fan, "DELETE", f"/history/{play}").status_code == 204
    assert ask(client, fan, "DELETE", "/history").status_code == 204
    assert ask(client, fan, "GET", "/history").json["items"] == []


def test_a_playlist_lives_by_the_interface_alone(client: FlaskClient, fan: Person, track: Track) -> None:
    made = ask(client, fan, "POST", "/playlists", json={"title": "Mine", "visibility": "public"})
    assert made.status_code == 201
    path = made.headers["Location"].removeprefix(API)
    first = ask(client, fan, "POST", f"{path}/entries", json={"track": track.id})
    second = ask(client, fan, "POST", f"{path}/entries", json={"track": track.id})
    assert (first.json["there_before"], second.json["there_before"]) == (0, 1)
    order = [second.json["id"], first.json["id"]]
    changed = ask(client, fan, "PATCH", path, json={"title": "Yours", "entry_order": order})
    assert changed.json["title"] == "Yours"
    assert [entry["id"] for entry in changed.json["entries"]] == order
    assert client.get(API + path).json["yours"] is False
    assert ask(client, fan, "DELETE", f"{path}/entries/{order[0]}").status_code == 204
    listed = ask(client, fan, "GET", "/playlists").json["items"]
    assert [(row["title"], row["length"], row["yours"]) for row in listed] == [("Yours", 1, True)]
    assert ask(client, fan, "DELETE", path).status_code == 204
    assert ask(client, fan, "GET", path).status_code == 404


def test_a_change_of_an_older_version_is_refused(client: FlaskClient, fan: Person) -> None:
    path = f"/playlists/{make_playlist(fan).id}"
    tag = ask(client, fan, "GET", path).headers["ETag"]
    for status in (200, 412):
        answer = ask(client, fan, "PATCH", path, json={"title": "New"}, headers={"If-Match": tag})
        assert answer.status_code == status


def test_a_wrong_order_changes_nothing_at_all(client: FlaskClient, fan: Person, track: Track) -> None:
    playlist = make_playlist(fan, track)
    answer = ask(
        client, fan, "PATCH", f"/playlists/{playlist.id}", json={"title": "Half", "entry_order": ["x"]}
    )
    assert answer.status_code == 409
    assert playlists.own(fan.user, playlist.id).title == "For the night"


@pytest.mark.parametrize(("visibility", "seen", "changed"), [("private", 404, 404), ("unlisted", 200, 403)])
def test_others_see_what_they_may_and_change_nothing(
    client: FlaskClient, fan: Person, stranger: Person, track: Track, visibility: str, seen: int, changed: int
) -> None:
    playlist = make_playlist(fan, track, visibility=visibility)
    path = f"/playlists/{playlist.id}"
    assert client.get(API + path).status_code == seen
    assert ask(client, stranger, "GET", path).status_code == seen
    entry = entries.of(playlist)[0].id
    for method, below, sent in (
        ("PATCH", "", {"title": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/entries", {"track": track.id}),
        ("DELETE", f"/entries/{entry}", None),
    ):
        assert ask(client, stranger, method, path + below, json=sent).status_code == changed
    hide(track)
    places = ask(client, fan, "GET", path).json["entries"]
    assert [("track" in place) for place in places] == [False]
    if seen == 200:
        assert client.get(API + path).json["entries"] == []


@pytest.mark.parametrize(
    ("method", "path", "sent", "field"),
    [
        ("POST", "/playlists", {}, "title"),
        ("POST", "/playlists", {"title": ""}, "title"),
        ("POST", "/playlists", {"title": "T", "visibility": "all"}, "visibility"),
        ("POST", "/playlists", {"title": "T", "cover": "x"}, "cover"),
        ("PATCH", "/playlists/ID", {"about": 5}, "about"),
        ("PATCH", "/playlists/ID", {"entry_order": "abc"}, "entry_order"),
        ("PATCH", "/playlists/ID", {"entry_order": [1]}, "entry_order"),
        ("POST", "/playlists/ID/entries", {}, "track"),
        ("POST", "/playlists/ID/entries", {"track": 5}, "track"),
        ("GET", "/playlists?limit=0", None, "limit"),
        ("GET", "/history?cursor=x", None, "cursor"),
        ("GET", "/follows?cursor=WyIxIiwiMiJd", None, "cursor"),
    ],
)
def test_rubbish_is_told_with_its_field(
    client: FlaskClient, fan: Person, method: str, path: str, sent: Any, field: str
) -> None:
    playlist = make_playlist(fan)
    answer = ask(client, fan, method, path.replace("ID", playlist.id), json=sent)
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_a_token_reaches_as_far_as_its_scopes(
    client: FlaskClient, appliance: Appliance, track: Track
) -> None:
    reader = site.make_person(scopes=(Scope.READ,))
    for path in ("/favourites/tracks", "/favourites/releases", "/follows", "/history", "/playlists"):
        assert ask(client, reader, "GET", path).status_code == 200
        assert client.get(API + path).status_code == 401
    for method, path in (
        ("PUT", f"/favourites/tracks/{track.id}"),
        ("DELETE", "/history"),
        ("POST", "/playlists"),
    ):
        sent = {"title": "T"} if method == "POST" else None
        assert ask(client, reader, method, path, json=sent).status_code == 403


def test_lists_ask_as_much_for_one_row_as_for_many(
    client: FlaskClient, appliance: Appliance, artist: Person, fan: Person
) -> None:
    release = site.make_release(artist, published=True)
    playlist = make_playlist(fan)
    paths = ("/favourites/tracks", "/history", "/playlists", f"/playlists/{playlist.id}")
    costs = []
    for number in (1, 12):
        for index in range(number):
            track = site.make_track(release, appliance, title=f"{number} {index}")
            ask(client, fan, "PUT", f"/favourites/tracks/{track.id}")
            hear(fan, track)
            make_playlist(fan)
            entries.add(playlist, track, now=clock.now())
        with counted() as asked:
            for path in paths:
                assert ask(client, fan, "GET", path).status_code == 200
        costs.append(len(asked))
    assert costs[0] == costs[1]
