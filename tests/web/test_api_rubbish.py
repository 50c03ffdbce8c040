"""Whatever is sent, the answer is a sentence: never a 500, and nothing is half changed."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from web.api.routing import cursor_for

pytestmark = pytest.mark.usefixtures("nobody_works")

DEEP = '{"title": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"title"', 422),
        (b'{"title": "x"', 422),
        (
            b"\xff\xfe{\x00}\x00",
            200,
        ),  # RFC 8259 wants UTF-8; json reads UTF-16 too, and there is nothing in it.
        (b'{"title": "\xff"}', 422),
        (DEEP.encode(), 422),
        (b'{"title": ' + b"9" * 100_000 + b"}", 422),
        (b'{"title": NaN}', 422),
        (b'{"title": 1e999}', 422),
        (b'{"title": null}', 422),
        (b'{"title": ""}', 422),
        (b'{"title": " \\u0000\\u202e\\ud800 "}', 422),
        (b'{"title": ["a"]}', 422),
        (json.dumps({"title": "x" * 301}).encode(), 422),
        (json.dumps({"about": "x" * 20_001}).encode(), 422),
        (json.dumps({"tags": [f"tag {n}" for n in range(300)]}).encode(), 422),
        (json.dumps({"tags": [["a"]]}).encode(), 422),
        (json.dumps({"tags": [{"a": 1}]}).encode(), 422),
        (json.dumps({"tags": {"a": 1}}).encode(), 422),
        (json.dumps({"tags": ["x" * 41]}).encode(), 422),
        (b'{"kind": "opera"}', 422),
        (b'{"kind": []}', 422),
        (b'{"release_date": "2026-02-30"}', 422),
        (b'{"release_date": "yesterday"}', 422),
        (b'{"release_date": 20260501}', 422),
        (b'{"release_date": "+10000-01-01"}', 422),
        (b'{"state": "published"}', 422),
        (b'{"id": "other"}', 422),
        (b'{"\\ud800": 1}', 422),
        (json.dumps({"y" * 100_000: 1}).encode(), 422),
        (b'{"about": "' + b"x" * 2_000_000 + b'"}', 413),
        (b"{}", 200),
        (json.dumps({"title": "x" * 300, "about": "🌊\r\n\tdeep", "release_date": None}).encode(), 200),
    ],
    ids=lambda value: str(value[:30]) if isinstance(value, bytes) else None,
)
def test_a_body_that_cannot_be_taken_is_told_and_changes_nothing(
    client: FlaskClient, artist: Person, body: bytes, status: int
) -> None:
    release = site.make_release(artist, tags=["sea"])
    answer = client.patch(
        f"/api/v1/releases/{release.id}", data=body, content_type="application/json", headers=artist.headers
    )
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    assert len(answer.data) < 5000 or status == 200
    if status != 200:
        assert releases.find(release.id).__data__ == release.__data__


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"])
def test_another_content_type_is_told(client: FlaskClient, artist: Person, kind: str) -> None:
    answer = client.post("/api/v1/artists", data=b'{"name": "X"}', content_type=kind, headers=artist.headers)
    assert (answer.status_code, answer.json["detail"]) == (415, "Send this as application/json.")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "====",
        "bnVsbA",
        "W10",
        "WyJhIiwiYiJd",
        "WzEsMl0",
        "eyJhIjoxfQ",
        "A" * 10_000,
        "%00",
        "W1tbW1tb",
    ],
)
def test_a_damaged_cursor_is_told(client: FlaskClient, cursor: str) -> None:
    answer = client.get("/api/v1/releases", query_string={"cursor": cursor})
    assert (answer.status_code, answer.json["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    "parts",
    [
        ["2026-13-01T00:00:00+00:00", "0" * 26],
        ["2026-01-01T00:00:00+00:00", "\ud800"],
        ["2026-01-01T00:00:00+00:00", "\0"],
        ["0001-01-01T00:00:00+23:59", "0" * 26],
        ["9999-12-31T23:59:59-23:59", "0" * 26],
        ["2026-01-01T00:00:00+00:00"],
    ],
)
def test_a_forged_cursor_is_told(client: FlaskClient, parts: list[str]) -> None:
    answer = client.get("/api/v1/releases", query_string={"cursor": cursor_for(*parts)})
    assert (answer.status_code, answer.json["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": None},
        {"name": "x" * 201},
        {"name": "X", "slug": 5},
        {"name": "X", "slug": "UPPER"},
        {"name": "X", "slug": "a b"},
        {"name": "X", "slug": "-a"},
        {"name": "X", "slug": "a" * 61},
        {"name": "X", "slug": "é"},
        {"name": "X", "about": []},
        {"name": "X", "owner": "me"},
    ],
    ids=str,
)
def test_an_artist_that_cannot_be_is_told(
    client: FlaskClient, artist: Person, fields: dict[str, Any]
) -> None:
    assert client.post("/api/v1/artists", json=fields, headers=artist.headers).status_code == 422


rubbish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_at_all_breaks_the_server(
    appliance: Appliance, client: FlaskClient, artist: Person, data: st.DataObject
) -> None:
    if not Release.select().exists():
        site.make_track(site.make_release(artist), appliance)
    release, track = Release.get(), Track.get()
    for address, names in (
        (f"/api/v1/releases/{release.id}", [*releases._READERS, "track_order"]),
        (f"/api/v1/tracks/{track.id}", list(tracks._READERS)),
    ):
        keys = st.sampled_from(names) | st.text(max_size=8)
        body = json.dumps(data.draw(st.dictionaries(keys, rubbish, max_size=4)))
        answer = client.patch(address, data=body, content_type="application/json", headers=artist.headers)
        assert answer.status_code in {200, 409, 422}
