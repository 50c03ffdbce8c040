"""Artists, releases and tracks by the interface: made, edited, listed, published, and hidden while they are drafts."""

import io
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance import jobs
from appliance.accounts import people
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.startup import Appliance
from tests import sounds
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")


def test_an_artist_makes_a_release_sends_a_track_and_publishes_it(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    made = client.post(
        "/api/v1/artists", json={"name": "Night Ferry", "slug": "night-ferry"}, headers=artist.headers
    )
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/artists/night-ferry")
    fields = {
        "title": "Harbour Lights",
        "kind": "ep",
        "tags": ["Sea", "sea", "fog"],
        "release_date": "2026-05-01",
    }
    draft = client.post("/api/v1/artists/night-ferry/releases", json=fields, headers=artist.headers)
    assert draft.status_code == 201
    assert (draft.json["state"], draft.json["tags"], draft.json["release_date"]) == (
        "draft",
        ["sea", "fog"],
        "2026-05-01",
    )
    address = draft.headers["Location"]
    sent = client.post(
        f"{address}/tracks",
        data={"file": (io.BytesIO(sounds.tone(1)), "01 Low Tide.flac")},
        headers=artist.headers,
    )
    assert (sent.status_code, sent.json["state"], sent.json["title"]) == (202, "uploaded", "Low Tide")
    assert jobs.latest(tracks.TRANSCODE, [sent.json["id"]])[sent.json["id"]].state == jobs.JobState.QUEUED
    refused = client.post(f"{address}/publish", headers=artist.headers)
    assert (refused.status_code, refused.json["detail"]) == (
        409,
        "A release needs at least one track that is ready before it can be published.",
    )
    site.make_track(Release.get_by_id(draft.json["id"]), appliance)
    assert client.post(f"{address}/publish", headers=artist.headers).json["state"] == "published"
    shown = client.get(address)
    assert [track["title"] for track in shown.json["tracks"]] == ["Low Tide"]
    assert "original" not in shown.json["tracks"][0]
    assert [row["id"] for row in client.get("/api/v1/releases").json["items"]] == [draft.json["id"]]


def test_publishing_twice_changes_nothing(appliance: Appliance, client: FlaskClient, artist: Person) -> None:
    release = site.make_release(artist)
    site.make_track(release, appliance)
    address = f"/api/v1/releases/{release.id}/publish"
    first = client.post(address, headers=artist.headers).json
    assert client.post(address, headers=artist.headers).json["published_at"] == first["published_at"]


def test_a_failed_track_hinders_publishing_by_name(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist)
    site.make_track(release, appliance)
    site.make_track(release, appliance, state=TrackState.FAILED, title="Broken")
    answer = client.post(f"/api/v1/releases/{release.id}/publish", headers=artist.headers)
    assert answer.status_code == 409
    assert "“Broken”" in answer.json["detail"]


def test_a_draft_and_all_of_it_is_404_for_everyone_else(
    appliance: Appliance, client: FlaskClient, artist: Person, stranger: Person
) -> None:
    release = site.make_release(artist)
    track = site.make_track(release, appliance)
    here, there = f"/api/v1/releases/{release.id}", f"/api/v1/tracks/{track.id}"
    for headers in (stranger.headers, {}):
        for method, address in (("GET", here), ("GET", there), ("POST", f"{there}/play")):
            assert client.open(address, method=method, headers=headers).status_code == 404
    for method, address in (
        ("PATCH", here),
        ("PUT", f"{here}/artwork"),
        ("POST", f"{here}/publish"),
        ("POST", f"{here}/tracks"),
        ("PATCH", there),
        ("DELETE", there),
        ("POST", f"{there}/retry"),
    ):
        assert client.open(address, method=method, json={}, headers=stranger.headers).status_code == 404
        assert client.open(address, method=method, json={}).status_code == 401


def test_what_is_public_can_be_seen_but_not_changed_by_others(
    appliance: Appliance, client: FlaskClient, artist: Person, stranger: Person
) -> None:
    release = site.make_release(artist, published=True)
    track = site.make_track(release, appliance)
    assert client.get(f"/api/v1/tracks/{track.id}", headers=stranger.headers).status_code == 200
    for method, address in (
        ("PATCH", f"/api/v1/releases/{release.id}"),
        ("PATCH", f"/api/v1/tracks/{track.id}"),
        ("DELETE", f"/api/v1/tracks/{track.id}"),
        ("POST", f"/api/v1/artists/{release.artist.slug}/releases"),
    ):
        answer = client.open(address, method=method, json={"title": "Mine"}, headers=stranger.headers)
        assert answer.status_code == 403


def test_listeners_learn_nothing_of_a_track_in_the_making_on_a_public_release(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    track = site.make_track(release, appliance, state=TrackState.PROCESSING)
    assert client.get(f"/api/v1/tracks/{track.id}").status_code == 404
    assert client.get(f"/api/v1/releases/{release.id}").json["tracks"] == []
    assert client.get(f"/api/v1/tracks/{track.id}", headers=artist.headers).json["state"] == "processing"
    answer = client.post(f"/api/v1/tracks/{track.id}/play", headers=artist.headers)
    assert (answer.status_code, answer.json["detail"]) == (409, "This track is not ready to be played yet.")


def test_a_problem_of_a_track_is_told_to_its_artist_only(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    track = site.make_track(site.make_release(artist, published=True), appliance)
    Track.update(problem="A second run failed.").where(Track.id == track.id).execute()
    assert client.get(f"/api/v1/tracks/{track.id}").json["problem"] is None
    assert (
        client.get(f"/api/v1/tracks/{track.id}", headers=artist.headers).json["problem"]
        == "A second run failed."
    )


def test_an_admin_may_edit_everything_if_the_token_says_so(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist)
    address = f"/api/v1/releases/{release.id}"
    admin = site.make_person(roles=(RoleName.ADMIN,), scopes=(Scope.WRITE, Scope.ADMIN))
    assert client.patch(address, json={"genre": "dub"}, headers=admin.headers).json["genre"] == "dub"
    modest = site.make_person(roles=(RoleName.ADMIN,), scopes=(Scope.READ, Scope.WRITE))
    assert client.patch(address, json={"genre": "ska"}, headers=modest.headers).status_code == 404


def test_the_order_of_tracks_and_the_fields_change_together_or_not_at_all(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist)
    first, second = (site.make_track(release, appliance, title=title).id for title in ("One", "Two"))
    address = f"/api/v1/releases/{release.id}"
    changed = client.patch(
        address, json={"title": "Other", "track_order": [second, first]}, headers=artist.headers
    )
    assert changed.json["title"] == "Other"
    assert [(row["position"], row["title"]) for row in changed.json["tracks"]] == [(1, "Two"), (2, "One")]
    for order in ([first], [first, first], [first, second, "X"], []):
        answer = client.patch(address, json={"title": "No", "track_order": order}, headers=artist.headers)
        assert answer.status_code == 409
    for wrong in ("x", {"a": 1}, [1, 2], None, [[first], [second]]):
        answer = client.patch(address, json={"title": "No", "track_order": wrong}, headers=artist.headers)
        assert (answer.status_code, answer.json["field"]) == (422, "track_order")
    assert client.get(address, headers=artist.headers).json["title"] == "Other"


def test_a_removed_track_leaves_no_gap(appliance: Appliance, client: FlaskClient, artist: Person) -> None:
    release = site.make_release(artist)
    first = site.make_track(release, appliance, title="One")
    site.make_track(release, appliance, title="Two")
    assert client.delete(f"/api/v1/tracks/{first.id}", headers=artist.headers).status_code == 204
    rest = client.get(f"/api/v1/releases/{release.id}", headers=artist.headers).json["tracks"]
    assert [(row["position"], row["title"]) for row in rest] == [(1, "Two")]


def test_a_failed_track_can_be_tried_again(appliance: Appliance, client: FlaskClient, artist: Person) -> None:
    track = site.make_track(site.make_release(artist), appliance, state=TrackState.FAILED)
    answer = client.post(f"/api/v1/tracks/{track.id}/retry", headers=artist.headers)
    assert (answer.status_code, answer.json["state"], answer.json["progress"]) == (202, "processing", 0)
    again = client.post(f"/api/v1/tracks/{track.id}/retry", headers=artist.headers)
    assert again.status_code == 202
    assert jobs.Job.select().where(jobs.Job.subject == track.id).count() == 1


def test_the_list_goes_through_every_release_once_however_many_share_an_instant(
    client: FlaskClient, artist: Person
) -> None:
    band, now = site.make_artist(artist), clock.now().replace(microsecond=0)
    expected = []
    for number in range(9):
        release = site.make_release(artist, artist=band, published=True, title=f"Release {number}")
        at = now - timedelta(seconds=number // 3, microseconds=number % 2)
        Release.update(published_at=at).where(Release.id == release.id).execute()
        expected.append((at, release.id))
    seen, address = [], "/api/v1/releases?limit=2"
    for _ in range(5):
        page = client.get(address).json
        seen += [row["id"] for row in page["items"]]
        address = f"/api/v1/releases?limit=2&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert seen == [release_id for _, release_id in sorted(expected, reverse=True)]


def test_the_list_of_one_artist_holds_no_other(client: FlaskClient, artist: Person, stranger: Person) -> None:
    mine = site.make_release(artist, published=True)
    site.make_release(stranger, artist=site.make_artist(stranger, "Other"), published=True)
    site.make_release(artist, artist=mine.artist)
    found = client.get(f"/api/v1/releases?artist={mine.artist.slug}").json["items"]
    assert [row["id"] for row in found] == [mine.id]
    assert client.get("/api/v1/releases?artist=nobody").status_code == 404


@pytest.mark.parametrize("limit", ["0", "101", "-1", "", "x", "1e1", "00001000000", "９", "9" * 5000])
def test_a_wrong_limit_is_told(client: FlaskClient, limit: str) -> None:
    answer = client.get("/api/v1/releases", query_string={"limit": limit})
    assert (answer.status_code, answer.json["field"]) == (422, "limit")


def test_artists_whose_names_have_no_latin_letters_get_addresses_of_their_own(
    client: FlaskClient, artist: Person
) -> None:
    slugs = [
        client.post("/api/v1/artists", json={"name": name}, headers=artist.headers).json["slug"]
        for name in ("夜のフェリー", "Ночной паром", "Night Ferry", "Night Ferry")
    ]
    assert slugs == ["artist", "artist-2", "night-ferry", "night-ferry-2"]


def test_a_taken_address_is_a_conflict(client: FlaskClient, artist: Person, stranger: Person) -> None:
    band = site.make_artist(artist)
    answer = client.post("/api/v1/artists", json={"name": "X", "slug": band.slug}, headers=stranger.headers)
    assert (answer.status_code, answer.json["detail"]) == (409, "The address @night-ferry is taken.")


def test_making_an_artist_gives_the_artist_role(client: FlaskClient, stranger: Person) -> None:
    client.post("/api/v1/artists", json={"name": "New"}, headers=stranger.headers)
    assert people.roles_of(stranger.user) == {RoleName.LISTENER, RoleName.ARTIST}


def test_the_permission_to_play_names_its_end_and_what_may_be_heard(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    track = site.make_track(site.make_release(artist, published=True), appliance)
    assert client.post(f"/api/v1/tracks/{track.id}/play").json["qualities"] == ["low"]
    right = client.post(f"/api/v1/tracks/{track.id}/play", headers=artist.headers).json
    assert right["qualities"] == ["low", "high", "lossless"]
    master = client.get(right["hls_url"])
    assert (master.status_code, master.mimetype) == (200, "application/vnd.apple.mpegurl")


def test_addresses_begin_as_the_request_did(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/openapi.json", base_url="http://localhost:8080")
    assert answer.json["servers"] == [{"url": "http://localhost:8080"}]


def test_a_wrong_address_under_the_api_is_a_problem_not_a_page(client: FlaskClient, artist: Person) -> None:
    for method, address, status in (
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/releases", 405),
        ("GET", "/api/v1/releases/%00", 404),
        ("GET", "/api/v1/releases/%ff%fe", 404),
        ("GET", "/api/v1/tracks/" + "x" * 5000, 404),
    ):
        answer = client.open(address, method=method)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_an_invented_method_makes_no_figure_of_its_own(client: FlaskClient) -> None:
    for method in ("BREW", "ZZZ1", "ZZZ2"):
        assert client.open("/api/v1/releases", method=method).status_code == 405
    assert "ZZZ" not in client.get("/metrics").get_data(as_text=True)
    assert "api.list_releases" not in client.get("/metrics").get_data(as_text=True)
    client.get("/api/v1/releases")
    assert "api.list_releases" in client.get("/metrics").get_data(as_text=True)


def test_an_empty_draft_can_be_removed_and_nothing_else(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist)
    track = site.make_track(release, appliance)
    address = f"/api/v1/releases/{release.id}"
    assert client.delete(address, headers=artist.headers).status_code == 409
    client.delete(f"/api/v1/tracks/{track.id}", headers=artist.headers)
    assert client.delete(address, headers=artist.headers).status_code == 204
    assert client.get(address, headers=artist.headers).status_code == 404
