"""What a web server in front is told: where the bytes of an address are, for as long as the answer may be kept, and nobody else is."""

import time
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import database
from appliance import revocations
from appliance.catalog.models import Track
from appliance.memberships import media_tokens
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from web import gate

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def track(appliance: Appliance, artist: Person) -> Track:
    return site.make_track(site.make_release(artist, published=True), appliance)


@pytest.fixture
def address(client: FlaskClient, track: Track, artist: Person) -> str:
    """What is behind ``/media/`` in the address of a rung."""
    told = client.post(f"/api/v1/tracks/{track.id}/play", headers=artist.headers).json
    hls = urlsplit(told["hls_url"]).path
    return hls.removeprefix("/media/").replace("master.m3u8", "high.mp4")


@pytest.fixture
def in_front(appliance: Appliance) -> dict[str, str]:
    return {gate.KEY_HEADER: media_tokens.gate_key(appliance.secret)}


def test_the_server_in_front_is_told_the_object_and_how_long_to_keep_it(
    client: FlaskClient, track: Track, address: str, in_front: dict[str, str]
) -> None:
    answer = client.get(f"/gate/{address}", headers=in_front)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["X-Gate-Object"] == f"hls/{track.id}/{track.run_id}/high.mp4"
    assert answer.headers["X-Gate-Type"] == "audio/mp4"
    assert answer.headers["X-Accel-Expires"] == str(gate.KEPT_S)
    assert "Set-Cookie" not in answer.headers


def test_an_answer_is_not_kept_longer_than_the_permission_lasts(
    client: FlaskClient, address: str, in_front: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time() + 590
    monkeypatch.setattr(time, "time", lambda: later)
    kept_s = int(client.get(f"/gate/{address}", headers=in_front).headers["X-Accel-Expires"])
    assert 0 < kept_s <= 11


def test_a_kept_answer_and_the_look_for_revocations_fit_into_a_minute() -> None:
    assert gate.KEPT_S + revocations.POLL_S < 60


def test_a_refusal_tells_nothing_and_is_not_kept(
    client: FlaskClient, track: Track, address: str, in_front: dict[str, str]
) -> None:
    token, asset, _ = address.split("/")
    with database.transaction():
        revocations.revoke(f"track:{track.id}", now=clock.now())
    for path in (address, f"{token}/{asset}/master.m3u8", f"{token}/{asset}/original", f"x/{asset}/low.mp4"):
        answer = client.get(f"/gate/{path}", headers=in_front)
        assert (answer.status_code, answer.data) == (403, b"")
        assert not [name for name, _ in answer.headers if name.startswith(("X-Gate", "X-Accel"))]


@pytest.mark.parametrize("key", [None, "", "x", "é", "0" * 64])
def test_nobody_else_is_told_anything(client: FlaskClient, address: str, key: str | None) -> None:
    headers = {"Accept": "application/json"} | ({} if key is None else {gate.KEY_HEADER: key})
    right, wrong = (client.get(f"/gate/{path}", headers=headers) for path in (address, "x" + address))
    assert right.status_code == wrong.status_code == 404
    assert right.data == wrong.data
    assert client.get("/gate/sender", headers=headers).status_code == 404


def test_the_server_in_front_is_told_whether_anybody_is_known(
    client: FlaskClient, in_front: dict[str, str], artist: Person
) -> None:
    def asked(**more: str) -> int:
        return client.get("/gate/sender", headers={**in_front, **more}).status_code

    assert (asked(), asked(Authorization="Bearer x"), asked(Cookie="session=x")) == (401, 401, 401)
    assert asked(**artist.headers) == 204


def test_the_key_of_the_gate_tells_nothing_of_the_secret_and_is_another_one_for_each(
    appliance: Appliance,
) -> None:
    assert media_tokens.gate_key(appliance.secret) != media_tokens.gate_key("another" * 8)
    assert appliance.secret not in media_tokens.gate_key(appliance.secret)
