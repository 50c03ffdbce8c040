"""What the player fetches to put something on from anywhere."""

from flask.testing import FlaskClient

from appliance.catalog.models import Audience
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.startup import Appliance
from tests.servers.site import make_artist
from tests.servers.site import make_person
from tests.servers.site import make_release
from tests.servers.site import make_track
from tests.servers.site import signed_in


def test_a_release_is_put_on_from_a_card(appliance: Appliance, client: FlaskClient) -> None:
    release = make_release(make_person(), published=True)
    first, second = make_track(release, appliance, title="One"), make_track(release, appliance, title="Two")
    make_track(release, appliance, title="Not yet", state=TrackState.UPLOADED)
    answer = client.get(f"/listen/release/{release.id}.json")
    assert answer.status_code == 200
    assert answer.json["name"] == release.title
    assert answer.json["url"] == f"/@{release.artist.slug}/{release.slug}"
    assert [track["id"] for track in answer.json["tracks"]] == [first.id, second.id]
    assert all(track["mayPlay"] for track in answer.json["tracks"])


def test_a_draft_is_put_on_by_its_makers_only(appliance: Appliance, client: FlaskClient) -> None:
    owner = make_person()
    release = make_release(owner)
    make_track(release, appliance)
    stranger, maker = client, signed_in(client.application, owner)
    assert stranger.get(f"/listen/release/{release.id}.json").status_code == 404
    assert len(maker.get(f"/listen/release/{release.id}.json").json["tracks"]) == 1


def test_an_artist_is_put_on_with_the_newest_release_first(appliance: Appliance, client: FlaskClient) -> None:
    owner = make_person()
    artist = make_artist(owner)
    older = make_release(owner, artist=artist, published=True, title="Older")
    newer = make_release(owner, artist=artist, published=True, title="Newer")
    draft = make_release(owner, artist=artist, title="Draft")
    for release in (older, newer, draft):
        make_track(release, appliance, title=release.title)
    answer = client.get(f"/listen/artist/{artist.slug}.json")
    assert [track["title"] for track in answer.json["tracks"]] == ["Newer", "Older"]
    assert answer.json["name"] == artist.name


def test_no_artist_and_no_release_is_nothing_to_play(client: FlaskClient) -> None:
    assert client.get("/listen/artist/nobody.json").status_code == 404
    assert client.get("/listen/release/01ARZ3NDEKTSV4RRFFQ69G5FAV.json").status_code == 404


def test_lyrics_are_for_those_who_may_see_the_release(appliance: Appliance, client: FlaskClient) -> None:
    release = make_release(make_person(), published=True)
    track = make_track(release, appliance)
    Track.update(lyrics="La la", synced_lyrics="[00:01.00]La la").where(Track.id == track.id).execute()
    address = f"/listen/tracks/{track.id}/lyrics.json"
    assert client.get(address).json == {"plain": "La la", "synced": "[00:01.00]La la"}
    hidden = make_track(make_release(make_person(), title="Draft"), appliance)
    assert client.get(f"/listen/tracks/{hidden.id}/lyrics.json").status_code == 404


def test_without_scripts_one_hears_what_one_may(appliance: Appliance, client: FlaskClient) -> None:
    release = make_release(make_person(), published=True)
    track = make_track(release, appliance)
    address = f"/listen/tracks/{track.id}/plain.m4a"
    assert f'<noscript><audio controls preload="none" src="{address}"' in client.get(
        f"/@{release.artist.slug}/{release.slug}"
    ).get_data(as_text=True)
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    assert "/media/" in answer.location
    assert client.get(answer.location).status_code == 200
    Release.update(audience=Audience.LISTENERS).where(Release.id == release.id).execute()
    assert client.get(address).location.endswith(track.preview_key)
    fan = signed_in(client.application, make_person("fan@example.com"))
    assert "/media/" in fan.get(address).location
    hidden = make_track(make_release(make_person("else@example.com"), title="Draft"), appliance)
    assert client.get(f"/listen/tracks/{hidden.id}/plain.m4a").status_code == 404
