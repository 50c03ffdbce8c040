"""The installed app as the server gives it: manifest, icons, worker, and who may keep what."""

import io
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from appliance import clock
from appliance.catalog.models import Audience
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from web.frame import STATIC

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def track(appliance: Appliance, artist: Person) -> Track:
    return site.make_track(site.make_release(artist, published=True), appliance)


def make_superfan(track: Track) -> Person:
    """Somebody whose tier lets them keep what this artist made."""
    person, artist = site.make_person(), track.release.artist
    (tier,) = [row for row in tiers.of_artist(artist) if row.kind == "superfan"]
    granting.grant(
        artist, person.user.email, tier_id=tier.id, origin="gift", actor=artist.owner, now=clock.now()
    )
    return person


def meta(page: str, name: str) -> str:
    found = re.search(rf'<meta name="{name}" content="([^"]*)"', page)
    assert found is not None
    return found[1]


def facts(client: FlaskClient) -> dict:
    text = client.get("/service-worker.js").get_data(as_text=True)
    return dict(json.loads(text.splitlines()[0].removeprefix("const FACTS = ").rstrip(";")))


def test_the_manifest_names_the_collective_and_its_icons(client: FlaskClient) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    told = json.loads(answer.data)
    assert told["name"] and told["display"] == "standalone" and told["start_url"] == told["scope"] == "/"
    assert {icon["sizes"] for icon in told["icons"]} == {"192x192", "512x512", "any"}
    assert "maskable" in {icon["purpose"] for icon in told["icons"]}
    for icon in told["icons"]:
        found = client.get(icon["src"])
        assert found.status_code == 200 and found.mimetype == icon["type"]
        assert "immutable" in found.headers["Cache-Control"]
        if icon["type"] == "image/png":
            side = Image.open(io.BytesIO(found.data)).size
            assert f"{side[0]}x{side[1]}" == icon["sizes"]
    for shortcut in told["shortcuts"]:
        assert client.get(shortcut["url"]).status_code in {200, 302}
    assert '<link rel="manifest"' in client.get("/").get_data(as_text=True)


def test_an_icon_of_an_older_look_still_shows_something(client: FlaskClient) -> None:
    answer = client.get("/icons/192-0000000000.png")
    assert answer.status_code == 200 and "immutable" not in answer.headers["Cache-Control"]
    assert client.get("/icons/33-0000000000.png").status_code == 404


def test_the_worker_is_asked_for_anew_and_knows_what_is_there(client: FlaskClient) -> None:
    answer = client.get("/service-worker.js")
    assert answer.mimetype == "text/javascript" and answer.headers["Cache-Control"] == "no-cache"
    told = facts(client)
    for address in told["shell"]:
        assert client.get(address).status_code == 200, address
    assert client.get(told["offline"]).status_code == 200
    assert not [address for address in told["shell"] if f"/assets/{told['version']}/" not in address]


def test_the_shell_holds_every_script_that_a_page_begins_with(client: FlaskClient) -> None:
    shell = {address.split("/", 3)[3] for address in facts(client)["shell"]}
    waiting, seen = ["js/app.js"], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        text = (STATIC / path).read_text("utf-8")
        near = re.findall(r'^(?:import|export) (?:[^"\n]* from )?"(\.[^"]+)"', text, re.MULTILINE)
        waiting += [str((STATIC / path).parent.joinpath(one).resolve().relative_to(STATIC)) for one in near]
    assert seen <= shell, seen - shell
    page = client.get("/offline").get_data(as_text=True)
    styles = re.findall(r'<link rel="stylesheet" href="/assets/[^/]+/([^"]+)"', page)
    assert set(styles) <= shell, set(styles) - shell


def test_the_offline_page_is_nobodys(app: Flask, artist: Person) -> None:
    page = site.signed_in(app, artist).get("/offline").get_data(as_text=True)
    assert artist.user.email not in page
    assert "csrf" not in page and 'name="listener"' not in page


def test_only_who_is_signed_in_keeps_music(app: Flask, client: FlaskClient, track: Track) -> None:
    assert client.post(f"/api/v1/tracks/{track.id}/offline").status_code == 401
    assert client.get("/library/offline").status_code == 302


def test_a_listener_is_told_what_to_keep_and_how(app: Flask, artist: Person, track: Track) -> None:
    browser = site.signed_in(app, make_superfan(track))
    page = browser.get("/library/offline").get_data(as_text=True)
    headers = {"X-CSRFToken": meta(page, "csrf-token")}
    answer = browser.post(f"/api/v1/tracks/{track.id}/offline", headers=headers)
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json
    assert told["owner"] == meta(page, "listener")
    kept = browser.get(told["file_url"], headers={"Range": "bytes=0-99"})
    assert kept.status_code == 206 and f"/{told['size_bytes']}" in kept.headers["Content-Range"]
    folder = told["hls_url"].rpartition("/")[0]
    assert browser.get(f"{folder}/{told['quality']}.media.m3u8").status_code == 200
    assert browser.get(f"{folder}/lossless.mp4").status_code == 403
    # The same session, the same key: a transfer can go on.
    assert browser.post(f"/api/v1/tracks/{track.id}/offline", headers=headers).json["key"] == told["key"]


def test_after_signing_out_and_in_again_it_is_another_key(app: Flask, track: Track) -> None:
    someone = make_superfan(track)
    browser = site.signed_in(app, someone)
    tokens = []
    for _ in range(2):
        page = browser.get("/library/offline").get_data(as_text=True)
        headers = {"X-CSRFToken": meta(page, "csrf-token")}
        tokens.append(browser.post(f"/api/v1/tracks/{track.id}/offline", headers=headers).json["key"])
        left = browser.post("/sign-out", data={"csrf_token": meta(page, "csrf-token")})
        assert '"storage"' in left.headers["Clear-Site-Data"]
        assert meta(browser.get("/").get_data(as_text=True), "listener") == ""
        sign_in = browser.get("/sign-in").get_data(as_text=True)
        sent = {
            "email": someone.user.email,
            "password": site.PASSWORD,
            "csrf_token": site.csrf_token(sign_in),
        }
        assert browser.post("/sign-in", data=sent).status_code in {302, 303}
    assert tokens[0] != tokens[1]


def test_what_nobody_may_know_of_cannot_be_kept(app: Flask, appliance: Appliance, artist: Person) -> None:
    hidden = site.make_track(site.make_release(artist), appliance)
    stranger = site.make_person()
    client = app.test_client()
    assert client.post(f"/api/v1/tracks/{hidden.id}/offline", headers=stranger.headers).status_code == 404
    assert client.post("/api/v1/tracks/NONE/offline", headers=stranger.headers).status_code == 404


def test_pages_offer_to_keep_only_what_may_be_kept(app: Flask, client: FlaskClient, track: Track) -> None:
    page = f"/@{track.release.artist.slug}/{track.release.slug}"
    assert "data-keep-offline" not in client.get(page).get_data(as_text=True)
    Release.update(audience=Audience.LISTENERS).where(Release.id == track.release_id).execute()
    assert "data-keep-offline" not in site.signed_in(app, site.make_person()).get(page).get_data(as_text=True)
    browser = site.signed_in(app, make_superfan(track))
    text = browser.get(page).get_data(as_text=True)
    assert "data-keep-offline" in text and "data-keep-all" in text


def test_only_leaving_clears_a_browser(client: FlaskClient) -> None:
    for address in ("/", "/sign-in", "/offline"):
        assert "Clear-Site-Data" not in client.get(address).headers
