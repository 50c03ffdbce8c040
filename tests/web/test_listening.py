"""What players report over HTTP: by a page of ours, bounded, and never a reason to send it again for ever."""

import json
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.catalog.models import Track
from appliance.listening.models import Play
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def track(appliance: Appliance, artist: Person) -> Track:
    return site.make_track(site.make_release(artist, published=True), appliance)


def batch(track: Track, **more: Any) -> dict[str, Any]:
    start = {
        "play": str(uuid.uuid4()),
        "track": track.id,
        "kind": "start",
        "at": 1000,
        "position_ms": 0,
        "heard_ms": 0,
        "quality": "low",
        "context": "/",
    }
    return {"client": str(uuid.uuid4()), "sent_at": 2000, "events": [start], **more}


def send(client: FlaskClient, sent: Any, headers: dict[str, str] | None = None) -> TestResponse:
    """As ``sendBeacon`` sends a text."""
    data = sent if isinstance(sent, bytes) else json.dumps(sent)
    return client.post(
        "/listen/events",
        data=data,
        content_type="text/plain;charset=UTF-8",
        headers=OURS if headers is None else headers,
    )


def test_a_page_reports_without_a_token_of_its_own(client: FlaskClient, track: Track) -> None:
    answer = send(client, batch(track))
    assert (answer.status_code, answer.data) == (204, b"")
    assert Play.get().user_id is None


def test_a_listener_who_is_signed_in_is_known(app: Flask, track: Track, stranger: Person) -> None:
    assert send(site.signed_in(app, stranger), batch(track)).status_code == 204
    assert Play.get().user_id == stranger.user.id


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost"}, 204),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 204),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
    ids=str,
)
def test_only_pages_of_this_server_report(
    client: FlaskClient, track: Track, headers: dict[str, str], status: int
) -> None:
    assert send(client, batch(track), headers).status_code == status


def test_the_public_address_is_ours_behind_a_proxy_too(
    client: FlaskClient, appliance: Appliance, track: Track
) -> None:
    origin = appliance.settings.public_url.rstrip("/") or "http://localhost"
    assert send(client, batch(track), {"Origin": origin}).status_code == 204


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\xff",
        b"[" * 60_000,
        [],
        {},
        {"client": "me", "sent_at": 1, "events": []},
        {"client": str(uuid.UUID(int=1)), "sent_at": "noon", "events": []},
        {"client": str(uuid.UUID(int=1)), "sent_at": 1, "events": {}},
        {"client": str(uuid.UUID(int=1)), "sent_at": 1, "events": [{}] * 201},
    ],
    ids=lambda sent: str(sent)[:40],
)
def test_rubbish_is_told_in_a_sentence(client: FlaskClient, appliance: Appliance, sent: Any) -> None:
    answer = send(client, sent)
    assert answer.status_code == 422
    assert Play.select().count() == 0


def test_a_batch_that_is_too_large_is_not_read(client: FlaskClient, appliance: Appliance) -> None:
    assert send(client, b" " * 70_000).status_code == 413


def test_a_good_event_beside_a_bad_one_is_kept(client: FlaskClient, track: Track) -> None:
    sent = batch(track)
    sent["events"].append({"kind": "explode"})
    assert send(client, sent).status_code == 204
    assert Play.select().count() == 1


def test_other_forms_still_need_their_token(app: Flask, artist: Person) -> None:
    browser = site.signed_in(app, artist)
    assert browser.post("/sign-out", headers=OURS).status_code == 400
