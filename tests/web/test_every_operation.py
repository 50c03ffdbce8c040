"""Every operation of the interface, asked with whatever its description admits and much that it does not, by four kinds of people.

Schemathesis makes the requests from the OpenAPI document. Whatever is asked, nothing breaks on our side, every answer is one that the
document describes (``ContractClient`` holds it to that), and nobody reads or changes what is somebody else's. ``make drills`` asks ten
thousand times and more; here a few times each, other ones at each run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import hypothesis
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import strategies as st
from schemathesis import GenerationMode
from werkzeug.test import TestResponse

from appliance import clock
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.catalog import releases
from appliance.catalog import uploads
from appliance.catalog.models import Artist
from appliance.database import proxy
from appliance.library import entries
from appliance.library import playlists
from appliance.shop import codes
from appliance.shop import discounts
from appliance.shop import orders
from appliance.shop import prices
from appliance.shop import receipts
from appliance.shop.orders import Buyer
from appliance.shop.quotes import Wish
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from web.api.documentation import document

CASES = int(os.environ.get("CASES", "3"))
"""How often each operation is asked by each kind of person."""
SECRET = "unheard-of"
"""Stands in everything that nobody but its owner may read."""
OWN_TABLES = (
    "artist",
    "release",
    "track",
    "credit",
    "playlist",
    "playlist_entry",
    "api_token",
    "user",
    "upload",
    "shop_price",
    "shop_discount",
    "shop_code_batch",
)


class Asker(StrEnum):
    """Who asks."""

    NOBODY = "nobody"
    LISTENER = "listener"
    ARTIST = "artist"
    ADMIN = "admin"


OUTSIDERS = (Asker.NOBODY, Asker.LISTENER, Asker.ARTIST)
"""To whom what belongs to the other artist is closed."""


@schemathesis.serializer("application/offset+octet-stream")
def octets(context: Any, value: Any) -> bytes:
    """A piece of an upload, whatever it is made of."""
    return value if isinstance(value, bytes) else repr(value).encode()


DOCUMENT = schemathesis.openapi.from_dict(document("http://localhost", cookie="session"))
OPERATIONS = {
    f"{found.method.upper()} {found.path}": found
    for found in (result.ok() for result in DOCUMENT.get_all_operations())
}


@dataclass(frozen=True)
class World:
    """Two artists who share nothing, and everybody who asks."""

    people: dict[Asker, Person]
    ids: dict[str, list[str]]
    owned: frozenset[str]

    def rows(self) -> list[str]:
        """All that the other artist has, as it stands in the database."""
        found: list[str] = []
        for table in OWN_TABLES:
            rows = proxy.execute_sql(f'SELECT * FROM "{table}"').fetchall()
            found += sorted(repr(row) for row in rows if self.owned & {str(value) for value in row})
        return found


@pytest.fixture
def world(appliance: Appliance, nobody_works: None) -> World:
    every, now = tuple(Scope), clock.now()
    people = {
        Asker.LISTENER: site.make_person(scopes=every),
        Asker.ARTIST: site.make_person(scopes=every),
        Asker.ADMIN: site.make_person(roles=(RoleName.ADMIN,), scopes=every),
    }
    other = site.make_person(f"{SECRET}@example.com", scopes=every)
    ids: dict[str, list[str]] = {
        name: []
        for name in (
            "slug",
            "release_id",
            "track_id",
            "playlist_id",
            "entry_id",
            "upload_id",
            "discount_id",
            "batch_id",
            "order_id",
        )
    }
    for person, name in ((other, SECRET), (people[Asker.ARTIST], "of my own")):
        artist = site.make_artist(person, "Night Ferry" if person is other else "Low Tide")
        ids["slug"].append(artist.slug)
        for published in (False, True):
            title = name if not published else "Harbour Lights"
            release = site.make_release(person, artist=artist, published=published, title=title)
            track = site.make_track(release, appliance, title=title)
            ids["release_id"].append(release.id)
            ids["track_id"].append(track.id)
        playlist = playlists.create(person.user, {"title": name}, now=now)
        entry, _count = entries.add(playlist, track, now=now)
        upload = uploads.begin(
            person.user, release, filename=f"{name}.flac", size_bytes=9, max_upload_mb=1, expiry_h=1, now=now
        )
        ids["playlist_id"].append(playlist.id)
        ids["entry_id"].append(str(entry.id))
        ids["upload_id"].append(upload.id)
        for_sale(artist, person, name, ids)
    owned = {found[0] for found in ids.values()} | {ids["release_id"][1], ids["track_id"][1], other.user.id}
    return World(people, ids, frozenset(owned))


def for_sale(artist: Artist, person: Person, name: str, ids: dict[str, list[str]]) -> None:
    """Prices, codes and an order of this artist; what is in them is called *name*."""
    now = clock.now()
    for release_id in ids["release_id"][-2:]:
        prices.set_release(releases.find(release_id), 0, pay_more=True, actor=person.user, now=now)
    release = releases.find(ids["release_id"][-2])
    receipts.describe_seller(artist, name=name, address="", tax_number="", actor=person.user, now=now)
    batch = codes.make(release, 1, name=name, actor=person.user, now=now)
    discount = discounts.make(artist, "SPRING", percent=10, actor=person.user, now=now)
    order = orders.begin(
        Wish("release", ids["release_id"][-1]),
        Buyer(person.user.email, person.user),
        provider="",
        now=now,
    )
    ids["discount_id"].append(discount.id)
    ids["batch_id"].append(batch.id)
    ids["order_id"].append(order.id)


@pytest.fixture
def browser(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as opened:
        yield opened


def sent(case: Any, ids: dict[str, list[str]], data: st.DataObject) -> dict[str, Any]:
    """The request of *case*, mostly about things that are there."""
    path = case.operation.path
    for name, made in (case.path_parameters or {}).items():
        there = ids.get(name, [])
        chosen = data.draw(st.sampled_from([*there, *there, str(made)]), label=name) if there else str(made)
        path = path.replace("{" + name + "}", quote(chosen, safe="") or "%20")
    headers = {name: _header(value) for name, value in (case.headers or {}).items()}
    headers.pop("Authorization", None)
    request: dict[str, Any] = {"method": case.method, "path": path, "headers": headers}
    if case.query:
        request["query_string"] = {name: _plain(value) for name, value in case.query.items()}
    body = case.body
    if body is not None and type(body).__name__ != "NotSet":
        media = case.media_type or "application/json"
        if media == "multipart/form-data":
            request["data"] = (
                {name: _part(value) for name, value in body.items()} if isinstance(body, dict) else {}
            )
            request["content_type"] = media
        else:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            request["data"], request["content_type"] = raw, media
    return request


def _header(value: Any) -> str:
    return "".join(letter for letter in str(value) if " " <= letter <= "~")


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | list) else json.dumps(value)


def _part(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value, default=repr)


def strategy(operation: Any) -> st.SearchStrategy[Any]:
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return st.one_of(good, good, bad)


@pytest.mark.parametrize("label", sorted(OPERATIONS))
@pytest.mark.parametrize("asker", list(Asker))
def test_nothing_breaks_and_nobody_reaches_what_is_somebody_elses(
    browser: FlaskClient, world: World, label: str, asker: Asker
) -> None:
    person, before = world.people.get(asker), world.rows()

    @hypothesis.settings(
        max_examples=CASES,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=strategy(OPERATIONS[label]), data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        request = sent(case, world.ids, data)
        request["headers"].update(person.headers if person else {})
        answer: TestResponse = browser.open(**request)
        assert answer.status_code < 500, answer.get_data(as_text=True)
        if asker in OUTSIDERS:
            assert SECRET not in answer.get_data(as_text=True)

    ask()
    if asker in OUTSIDERS:
        assert world.rows() == before
