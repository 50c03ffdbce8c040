"""When and to whom a release is open, and two who edit it, by the interface."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.startup import Appliance
from tests import sounds
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")
LATER = "2040-05-01T18:00:00+00:00"


def test_a_change_made_from_an_older_version_is_refused_and_changes_nothing(
    client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist)
    address = f"/api/v1/releases/{release.id}"
    etag = client.get(address, headers=artist.headers).headers["ETag"]
    with_etag = {**artist.headers, "If-Match": etag}
    first = client.patch(address, json={"genre": "Ambient"}, headers=with_etag)
    assert (first.status_code, first.json["version"]) == (200, 2)
    assert first.headers["ETag"] != etag
    second = client.patch(address, json={"genre": "Techno"}, headers=with_etag)
    assert second.status_code == 412
    assert releases.find(release.id).genre == "Ambient"
    assert client.patch(address, json={"genre": "Techno"}, headers=artist.headers).status_code == 200
    wrong = {**artist.headers, "If-Match": "yesterday"}
    assert client.patch(address, json={"genre": "Folk"}, headers=wrong).status_code == 422


def test_a_browser_never_takes_a_track_in_the_making_for_the_finished_one(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist)
    track = site.make_track(release, appliance, state=TrackState.PROCESSING)
    for address in (f"/api/v1/releases/{release.id}", f"/api/v1/tracks/{track.id}"):
        etag = client.get(address, headers=artist.headers).headers["ETag"]
        Track.update(state=TrackState.FAILED).where(Track.id == track.id).execute()
        assert client.get(address, headers=artist.headers).headers["ETag"] != etag
        Track.update(state=TrackState.PROCESSING).where(Track.id == track.id).execute()
        # As it comes back from a compressing server: people changed nothing, so the change is taken.
        compressed = {**artist.headers, "If-Match": f'W/{etag[:-1]}:gzip"'}
        assert client.patch(address, json={"title": "Told"}, headers=compressed).status_code == 200


def test_a_track_has_a_version_too(appliance: Appliance, client: FlaskClient, artist: Person) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    address = f"/api/v1/tracks/{track.id}"
    with_etag = {**artist.headers, "If-Match": '"1"'}
    fields = {
        "synced_lyrics": "[00:01.00]La",
        "licence": "CC BY 4.0",
        "contributors": [{"name": "Ada", "role": "Vocals"}],
    }
    shown = client.patch(address, json=fields, headers=with_etag).json
    assert (shown["synced_lyrics"], shown["licence"]) == ("[00:01.00]La", "CC-BY-4.0")
    assert shown["contributors"] == fields["contributors"]
    assert client.patch(address, json={"title": "Lost"}, headers=with_etag).status_code == 412
    bad = client.patch(address, json={"synced_lyrics": "La"}, headers=artist.headers)
    assert (bad.status_code, bad.json["field"]) == (422, "synced_lyrics")
    assert bad.json["detail"].startswith("Line 1 has no time")


def test_a_release_is_scheduled_and_taken_back(
    appliance: Appliance, client: FlaskClient, artist: Person, stranger: Person
) -> None:
    release = site.make_release(artist)
    site.make_track(release, appliance)
    address = f"/api/v1/releases/{release.id}"
    shown = client.post(
        f"{address}/schedule", json={"at": "2040-05-01T20:00:00+02:00"}, headers=artist.headers
    )
    assert (shown.json["state"], shown.json["publish_at"]) == ("scheduled", LATER)
    assert client.get(address).status_code == 404
    assert client.post(f"{address}/unpublish", headers=stranger.headers).status_code == 404
    assert client.post(f"{address}/unpublish", headers=artist.headers).json["state"] == "draft"
    for at in ("tomorrow", "2040-05-01T18:00:00", None, 7, "2001-01-01T00:00:00Z"):
        assert client.post(f"{address}/schedule", json={"at": at}, headers=artist.headers).status_code == 422


def test_whoever_has_the_private_link_sees_and_hears_the_draft(
    appliance: Appliance, app: Flask, client: FlaskClient, artist: Person, stranger: Person
) -> None:
    release = site.make_release(artist)
    track = site.make_track(release, appliance)
    address = f"/api/v1/releases/{release.id}"
    assert client.post(f"{address}/private-link", headers=stranger.headers).status_code == 404
    link = client.post(f"{address}/private-link", headers=artist.headers).json["private_url"]
    friend = app.test_client()
    first = friend.get(link.removeprefix("http://localhost"))
    assert (first.status_code, "key" in first.headers["Location"]) == (302, False)
    assert (first.headers["Cache-Control"], first.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "private_url" not in friend.get(address).json
    assert friend.get(f"/api/v1/tracks/{track.id}").status_code == 200
    assert client.get(address).status_code == 404
    assert client.delete(f"{address}/private-link", headers=artist.headers).status_code == 204
    assert friend.get(address).status_code == 404


def test_a_wrong_key_opens_nothing_and_an_endless_one_is_not_kept(
    appliance: Appliance, app: Flask, artist: Person
) -> None:
    release = site.make_release(artist)
    friend = app.test_client()
    for key in ("", "wrong", "x" * 5000):
        friend.get(f"/@night-ferry/{release.slug}?key={key}")
        assert friend.get(f"/api/v1/releases/{release.id}").status_code == 404
    for number in range(50):
        friend.get(f"/@night-ferry/{release.slug}?key=wrong{number}&theme=dark")
    with friend.session_transaction() as session:
        assert len(session["private_keys"]) == 20


def test_a_new_master_comes_by_a_resumable_upload(
    appliance: Appliance, client: FlaskClient, artist: Person, stranger: Person
) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    data = sounds.tone(1)
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(data)),
        "Upload-Metadata": site.metadata(filename="new.flac", track=track.id),
        "Content-Type": "application/offset+octet-stream",
    }
    refused = client.post("/api/v1/uploads", data=data, headers={**headers, **stranger.headers})
    assert refused.status_code == 404
    sent = client.post("/api/v1/uploads", data=data, headers={**headers, **artist.headers})
    assert sent.status_code == 201
    assert Replacement.get().track_id == track.id
    assert tracks.find(track.id).run_id == track.run_id


def test_what_is_due_is_public_for_everybody(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist)
    site.make_track(release, appliance)
    address = f"/api/v1/releases/{release.id}"
    client.post(f"{address}/schedule", json={"at": LATER}, headers=artist.headers)
    publishing.publish_due(now=clock.now().replace(year=2041))
    assert client.get(address).json["state"] == "published"
