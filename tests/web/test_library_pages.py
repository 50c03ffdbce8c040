"""The library of a listener as pages: kept, heard, followed, and put into playlists."""

import json
import re
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.library import entries
from appliance.library import favourites
from appliance.library import follows
from appliance.library import playlists
from appliance.library.models import FavouriteTrack
from appliance.library.models import Playlist
from appliance.library.models import PlaylistEntry
from appliance.listening import history
from appliance.listening import recording
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")
PAGES = (
    "/library",
    "/library/favourites",
    "/library/releases",
    "/library/following",
    "/library/playlists",
    "/library/history",
)


@pytest.fixture
def release(appliance: Appliance, artist: Person) -> Release:
    return site.make_release(artist, published=True)


@pytest.fixture
def track(appliance: Appliance, release: Release) -> Track:
    return site.make_track(release, appliance)


@pytest.fixture
def fan(appliance: Appliance) -> Person:
    return site.make_person()


@pytest.fixture
def browser(app: Flask, fan: Person) -> FlaskClient:
    return site.signed_in(app, fan)


def post(browser: FlaskClient, path: str, *, page: str = "/library", **sent: Any) -> Any:
    """Send a form with the token of a page."""
    token = site.csrf_token(browser.get(page).get_data(as_text=True))
    return browser.post(
        path, data={"csrf_token": token, **sent}, headers={"Referer": f"http://localhost{page}"}
    )


def text(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return str(answer.get_data(as_text=True))


def make_playlist(person: Person, *tracks: Track, **fields: Any) -> Playlist:
    playlist = playlists.create(person.user, {"title": "For the night", **fields}, now=clock.now())
    for track in tracks:
        entries.add(playlist, track, now=clock.now())
    return playlist


def hear(person: Person, track: Track, number: int = 1) -> None:
    for _ in range(number):
        event = {
            "play": str(uuid.uuid4()),
            "track": track.id,
            "kind": "start",
            "at": 1000,
            "position_ms": 0,
            "heard_ms": 0,
        }
        recording.record(
            [event],
            person.user,
            client=str(uuid.uuid4()),
            sent_at_ms=1000,
            now=clock.now(),
            roles=frozenset(),
        )


@pytest.mark.parametrize("path", [*PAGES, "/playlists/new", "/library/add?track=x"])
def test_the_library_is_for_who_is_signed_in(client: FlaskClient, appliance: Appliance, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=")


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_library_tells_the_next_step(browser: FlaskClient, path: str) -> None:
    page = text(browser, path)
    assert 'class="empty"' in page
    assert re.search(r'<div class="empty">.*?<a class="button(?: quiet)?" href="/', page, re.DOTALL)


def test_a_heart_keeps_a_track_and_lets_it_go(browser: FlaskClient, fan: Person, track: Track) -> None:
    address = f"/@{track.release.artist.slug}/{track.release.slug}"
    answer = post(browser, "/library/keep", page=address, keep=f"track:{track.id}")
    assert (answer.status_code, answer.location) == (303, address)
    assert favourites.of(fan.user, [track.id]) == {track.id}
    page = text(browser, "/library/favourites")
    assert "Low Tide" in page
    assert 'name="drop"' in page
    assert post(browser, "/library/keep", drop=f"track:{track.id}").status_code == 303
    assert favourites.of(fan.user, [track.id]) == set()


def test_a_script_keeps_without_a_page(browser: FlaskClient, fan: Person, release: Release) -> None:
    token = site.csrf_token(text(browser, "/library"))
    for verb, kept in (("keep", {release.id}), ("drop", set())):
        answer = browser.post(
            "/library/keep",
            data={"csrf_token": token, verb: f"release:{release.id}"},
            headers={"Accept": "application/json"},
        )
        assert answer.status_code == 204
        assert favourites.of_releases(fan.user, [release.id]) == kept


def test_an_artist_is_followed_and_left(browser: FlaskClient, fan: Person, release: Release) -> None:
    post(browser, "/library/keep", keep=f"artist:{release.artist.slug}")
    assert follows.has(fan.user, release.artist)
    assert "Night Ferry" in text(browser, "/library/following")
    post(browser, "/library/keep", drop=f"artist:{release.artist.slug}")
    assert not follows.has(fan.user, release.artist)


@pytest.mark.parametrize("sent", [{}, {"keep": ""}, {"keep": "song:1"}, {"drop": "everything"}], ids=str)
def test_a_button_that_names_nothing_is_told(browser: FlaskClient, sent: dict[str, str]) -> None:
    assert post(browser, "/library/keep", **sent).status_code == 422


def test_nothing_is_kept_without_the_token_of_a_page(browser: FlaskClient, track: Track) -> None:
    assert browser.post("/library/keep", data={"keep": f"track:{track.id}"}).status_code == 400
    assert FavouriteTrack.select().count() == 0


def test_what_is_not_public_cannot_be_kept(browser: FlaskClient, track: Track) -> None:
    Release.update(state=ReleaseState.DRAFT).where(Release.id == track.release_id).execute()
    for what in (f"track:{track.id}", f"release:{track.release_id}"):
        assert post(browser, "/library/keep", keep=what).status_code == 404
    assert browser.get(f"/library/add?track={track.id}").status_code == 404


def sign_in(client: FlaskClient, location: str, person: Person) -> Any:
    page = text(client, location)
    sent = {"email": person.user.email, "password": site.PASSWORD, "csrf_token": site.csrf_token(page)}
    return client.post(location, data=sent)


def test_who_has_to_sign_in_first_gets_what_they_wanted_and_comes_back(
    client: FlaskClient, fan: Person, track: Track
) -> None:
    address = f"/@{track.release.artist.slug}/{track.release.slug}"
    answer = client.get(
        f"/library/wish?keep=track:{track.id}",
        headers={"Sec-Fetch-Site": "same-origin", "Referer": f"http://localhost{address}"},
    )
    back = sign_in(client, answer.location, fan)
    assert back.location.endswith("/library/wish")
    assert client.get("/library/wish").location == address
    assert favourites.of(fan.user, [track.id]) == {track.id}
    assert client.get("/library/wish").location == "/library", "it is done once"


def test_another_site_cannot_make_somebody_keep_a_thing(
    client: FlaskClient, fan: Person, track: Track
) -> None:
    answer = client.get(f"/library/wish?keep=track:{track.id}", headers={"Sec-Fetch-Site": "cross-site"})
    target = sign_in(client, answer.location, fan).location
    page = text(client, target)
    assert "Do you want to keep this" in page
    assert favourites.of(fan.user, [track.id]) == set()


def test_history_is_grouped_by_day_and_can_be_forgotten(
    browser: FlaskClient, fan: Person, track: Track
) -> None:
    hear(fan, track, 3)
    page = text(browser, "/library/history")
    assert page.count("<time") == 3
    assert page.count('class="history-day"') == 1
    play = history.of(fan.user)[0].id
    assert post(browser, "/library/history/forget", page="/library/history", play=play).status_code == 303
    assert len(history.of(fan.user)) == 2
    assert post(browser, "/library/history/forget", play=play).status_code == 404
    assert post(browser, "/library/history/forget", all="yes").status_code == 303
    assert history.of(fan.user) == []


def test_long_lists_go_on_page_by_page(browser: FlaskClient, fan: Person, track: Track) -> None:
    hear(fan, track, 70)
    page = text(browser, "/library/history")
    assert page.count("<time") == 60
    older = re.search(r'href="(/library/history\?cursor=[^"]+)"', page)
    assert older
    assert text(browser, older[1]).count("<time") == 10


def test_what_was_heard_and_is_not_public_any_more_is_not_named(
    browser: FlaskClient, fan: Person, track: Track
) -> None:
    hear(fan, track)
    favourites.keep_track(fan.user, track, now=clock.now())
    favourites.keep_release(fan.user, track.release, now=clock.now())
    Release.update(state=ReleaseState.DRAFT).where(Release.id == track.release_id).execute()
    for path in PAGES:
        assert "Low Tide" not in text(browser, path)
        assert "Harbour Lights" not in text(browser, path)
    assert "not available any more" in text(browser, "/library/history")


def test_a_playlist_is_made_filled_and_heard(browser: FlaskClient, fan: Person, track: Track) -> None:
    sent = {"title": "For the <night>", "about": "**Quiet** <script>", "visibility": "public"}
    answer = post(browser, "/playlists/new", page="/playlists/new", **sent)
    assert answer.status_code == 303
    playlist = playlists.of(fan.user)[0]
    assert answer.location == f"/playlists/{playlist.id}"
    answer = post(
        browser,
        "/library/add",
        page=f"/library/add?track={track.id}",
        track=track.id,
        playlist=playlist.id,
        back="/",
    )
    assert (answer.status_code, answer.location) == (303, "/")
    page = text(browser, f"/playlists/{playlist.id}")
    assert "For the &lt;night&gt;" in page
    assert "<strong>Quiet</strong>" in page
    assert "<script>" not in page
    assert "data-play-all" in page
    told = json.loads(re.search(r"data-track=\"([^\"]+)\"", page)[1].replace("&#34;", '"'))  # type: ignore[index]
    assert told["id"] == track.id
    queue = browser.get(f"/listen/playlist/{playlist.id}.json").json
    assert (queue["name"], [one["id"] for one in queue["tracks"]]) == ("For the <night>", [track.id])


def test_a_playlist_without_a_title_comes_back_as_it_was_written(browser: FlaskClient) -> None:
    answer = post(browser, "/playlists/new", page="/playlists/new", title=" ", about="All of this")
    assert answer.status_code == 422
    assert "All of this" in answer.get_data(as_text=True)


def test_a_track_goes_into_a_new_playlist_at_once(browser: FlaskClient, fan: Person, track: Track) -> None:
    page = f"/library/add?track={track.id}"
    answer = post(
        browser, "/library/add", page=page, track=track.id, title="Brand new", back="//elsewhere.example"
    )
    playlist = playlists.of(fan.user)[0]
    assert (playlist.title, answer.location) == ("Brand new", f"/playlists/{playlist.id}")
    assert [row.track_id for row in entries.of(playlist)] == [track.id]
    assert post(browser, "/library/add", page=page, track=track.id, title="").status_code == 422
    assert "It is in there already" in text(browser, page)


def test_a_duplicate_is_taken_and_told(browser: FlaskClient, fan: Person, track: Track) -> None:
    playlist = make_playlist(fan, track)
    post(browser, "/library/add", track=track.id, playlist=playlist.id, back="/library")
    assert "it was there already" in text(browser, "/library")
    assert len(entries.of(playlist)) == 2


def test_a_full_playlist_says_so(
    browser: FlaskClient, fan: Person, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES", 1)
    playlist = make_playlist(fan, track)
    answer = post(browser, "/library/add", track=track.id, playlist=playlist.id)
    assert answer.status_code == 409
    assert "at most 1 tracks" in answer.get_data(as_text=True)


@pytest.mark.parametrize(("visibility", "status"), [("private", 404), ("unlisted", 200), ("public", 200)])
def test_who_may_see_a_playlist(
    client: FlaskClient, fan: Person, track: Track, visibility: str, status: int
) -> None:
    playlist = make_playlist(fan, track, visibility=visibility)
    for path in (f"/playlists/{playlist.id}", f"/listen/playlist/{playlist.id}.json"):
        assert client.get(path).status_code == status
    page = client.get(f"/playlists/{playlist.id}").get_data(as_text=True)
    assert ("noindex" in page) == (visibility != "public") or status == 404


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_nobody_changes_the_playlist_of_another(
    app: Flask, fan: Person, stranger: Person, track: Track, visibility: str
) -> None:
    playlist = make_playlist(fan, track, visibility=visibility)
    browser = site.signed_in(app, stranger)
    refused = 404 if visibility == "private" else 403
    entry = entries.of(playlist)[0].id
    for path, sent in (
        ("edit", {"title": "Mine"}),
        ("entries", {"remove": entry}),
        ("delete", {}),
    ):
        assert post(browser, f"/playlists/{playlist.id}/{path}", **sent).status_code == refused
        assert path == "entries" or browser.get(f"/playlists/{playlist.id}/{path}").status_code == refused
    assert post(browser, "/library/add", track=track.id, playlist=playlist.id).status_code == refused
    assert playlists.seen(fan.user, playlist.id).title == "For the night"
    assert len(entries.of(playlist)) == 1


def test_a_playlist_is_put_in_order_without_a_script(
    appliance: Appliance, browser: FlaskClient, fan: Person, release: Release
) -> None:
    tracks = [site.make_track(release, appliance, title=title) for title in ("One", "Two", "Three")]
    playlist = make_playlist(fan, *tracks)
    path, page = f"/playlists/{playlist.id}/entries", f"/playlists/{playlist.id}/edit"

    def titles() -> list[str]:
        return [row.track.title for row in entries.of(playlist)]

    rows = [row.id for row in entries.of(playlist)]
    assert post(browser, path, page=page, down=rows[0]).location == page
    assert titles() == ["Two", "One", "Three"]
    post(browser, path, page=page, up=rows[2])
    assert titles() == ["Two", "Three", "One"]
    post(browser, path, page=page, remove=rows[1])
    assert titles() == ["Three", "One"]
    post(browser, path, page=page, order=f"{rows[0]} {rows[2]}")
    assert titles() == ["One", "Three"]
    assert post(browser, path, page=page, order=rows[0]).status_code == 409
    assert post(browser, path, page=page, up="nothing").status_code == 404


def test_who_edits_an_older_version_sees_both(browser: FlaskClient, fan: Person) -> None:
    playlist = make_playlist(fan)
    playlists.edit(playlist, {"title": "From the other window"}, now=clock.now())
    path = f"/playlists/{playlist.id}/edit"
    answer = post(browser, path, page=path, title="From this one", version="1")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "From the other window" in page
    assert 'value="From this one"' in page
    assert post(browser, path, page=path, title="From this one", version="2").status_code == 303
    assert post(browser, path, page=path, title="", version="3").status_code == 422
    assert playlists.own(fan.user, playlist.id).title == "From this one"


def test_a_playlist_is_deleted_after_a_question(browser: FlaskClient, fan: Person, track: Track) -> None:
    playlist = make_playlist(fan, track)
    path = f"/playlists/{playlist.id}/delete"
    assert "For the night" in text(browser, path)
    assert post(browser, path, page=path).location == "/library/playlists"
    assert browser.get(f"/playlists/{playlist.id}").status_code == 404


def test_an_entry_that_is_not_public_any_more_stays_for_its_owner_alone(
    client: FlaskClient, browser: FlaskClient, fan: Person, track: Track
) -> None:
    playlist = make_playlist(fan, track, visibility="public")
    Release.update(state=ReleaseState.DRAFT).where(Release.id == track.release_id).execute()
    address = f"/playlists/{playlist.id}"
    for path in (address, f"{address}/edit"):
        assert "vailable any more" in text(browser, path)
    for page in (text(browser, address), text(client, address)):
        assert "Low Tide" not in page
    assert "vailable any more" not in text(client, address)
    assert client.get(f"/listen{address.replace('playlists', 'playlist')}.json").json["tracks"] == []


def test_favourites_can_be_put_on_from_anywhere(
    client: FlaskClient, browser: FlaskClient, fan: Person, track: Track
) -> None:
    favourites.keep_track(fan.user, track, now=clock.now())
    assert [one["id"] for one in browser.get("/listen/favourites.json").json["tracks"]] == [track.id]
    assert client.get("/listen/favourites.json").status_code in {302, 401}


def test_no_page_of_the_library_uses_an_id_twice(
    appliance: Appliance, browser: FlaskClient, fan: Person, track: Track
) -> None:
    playlist = make_playlist(fan, track, track)
    hear(fan, track, 2)
    favourites.keep_track(fan.user, track, now=clock.now())
    for path in (
        *PAGES,
        f"/playlists/{playlist.id}",
        f"/playlists/{playlist.id}/edit",
        f"/library/add?track={track.id}",
    ):
        ids = re.findall(r'\sid="([^"]+)"', text(browser, path))
        assert len(ids) == len(set(ids)), path


def test_pages_ask_as_much_for_ten_rows_as_for_a_thousand(
    appliance: Appliance, browser: FlaskClient, fan: Person, release: Release, track: Track
) -> None:
    playlist = make_playlist(fan, visibility="public")
    paths = (*PAGES, f"/playlists/{playlist.id}", f"/playlists/{playlist.id}/edit")
    many = [site.make_track(release, appliance, title=f"Track {number}") for number in range(10)]
    costs = []
    for number in (10, 1000):
        PlaylistEntry.delete().execute()
        rows = [
            {
                "playlist": playlist.id,
                "track": many[place % 10].id,
                "position": place,
                "added_at": clock.now(),
            }
            for place in range(number)
        ]
        for row in rows:
            PlaylistEntry.insert(**row).execute()
        if number == 1000:
            hear(fan, track, 100)
            for one in many:
                favourites.keep_track(fan.user, one, now=clock.now())
            for index in range(60):
                make_playlist(fan, title=f"Playlist {index}")
        else:
            hear(fan, track, 10)
            for one in many[:5]:
                favourites.keep_track(fan.user, one, now=clock.now())
            favourites.keep_release(fan.user, release, now=clock.now())
            follows.follow(fan.user, release.artist, now=clock.now())
        counts = {}
        for path in paths:
            counts[path] = least(lambda path=path: text(browser, path))
        costs.append(counts)
    assert costs[0] == costs[1]
    assert max(costs[1].values()) <= 27
