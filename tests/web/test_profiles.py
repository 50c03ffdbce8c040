"""Profiles of artists are kept for visitors, by processes that are told of each change; and what depends on who asks is not in them."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import cache
from appliance import clock
from appliance import startup
from appliance.backup import taking
from appliance.catalog import artist_page
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.errors import NotFound
from appliance.startup import Appliance
from tests.appliance.backup import nodes
from tests.makers import make_artist
from tests.queries import counted
from tests.queries import least
from tests.servers import site
from tests.servers.redis import Redis
from tests.servers.site import Person
from tests.waiting import until

BY_SLUG = 'FROM "artist" AS "t1" WHERE ("t1"."slug" = '


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis(kept=True) as server:
        yield server


@pytest.fixture
def shared(appliance: Appliance, redis: Redis) -> Iterator[Redis]:
    """This process shares what it keeps."""
    cache.configure(redis.url)
    until(listens)
    yield redis
    cache.close()


def listens() -> bool:
    return cache._cache.shared is not None and cache._cache.shared.listens()


def lasting(page: str) -> str:
    """A page without what is another one each time."""
    return re.sub(r'nonce="[^"]*"|(?<=csp-nonce" content=)"[^"]*"', "", page)


def name_at(client: FlaskClient, slug: str) -> str:
    answer = client.get(f"/api/v1/artists/{slug}")
    return str(answer.json["name"]) if answer.status_code == 200 else str(answer.status_code)


@contextmanager
def another(url: str, redis: str) -> Iterator[subprocess.Popen[str]]:
    """A process of another node, which says the name of the artist at an address, and how many statements it took to know it."""
    program = f"""
import sys
from appliance import cache, database
from appliance.catalog import artists
from appliance.errors import NotFound
from tests.queries import counted
database.connect({url!r})
cache.configure({redis!r})
for line in sys.stdin:
    with counted() as asked:
        try:
            name = artists.shown(line.strip()).name
        except NotFound:
            name = "nobody"
    print(f"{{name}}|{{len(asked)}}", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        yield process
    finally:
        assert process.stdin and process.stdout
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def told(process: subprocess.Popen[str], slug: str) -> tuple[str, int]:
    assert process.stdin and process.stdout
    process.stdin.write(slug + "\n")
    process.stdin.flush()
    name, _, asked = process.stdout.readline().strip().partition("|")
    return name, int(asked)


@pytest.mark.parametrize("page", ["/@{}", "/api/v1/artists/{}", "/listen/artist/{}.json", "/@{}/feed.atom"])
def test_a_visitor_costs_one_question_less_where_profiles_are_kept(
    client: FlaskClient, artist: Person, redis: Redis, page: str
) -> None:
    release = site.make_release(artist, published=True)
    address = page.format(release.artist.slug)
    before = client.get(address)
    dear = least(lambda: client.get(address))
    cache.configure(redis.url)
    until(listens)
    try:
        assert least(lambda: client.get(address)) == dear - 1
        with counted() as asked:
            after = client.get(address)
        assert [sql for sql in asked if BY_SLUG in sql.replace("?", "").replace("%s", "")] == []
        assert after.status_code == before.status_code
        lines = lasting(after.text).splitlines(), lasting(before.text).splitlines()
        assert [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]] == []
    finally:
        cache.close()


def test_who_has_an_account_is_answered_from_the_database(app: Flask, artist: Person, shared: Redis) -> None:
    act = site.make_artist(artist, "Night Ferry")
    visitor, owner = app.test_client(), site.signed_in(app, artist)
    assert name_at(visitor, act.slug) == "Night Ferry"
    # As if this process had not been told yet.
    Artist.update(name="Day Ferry").where(Artist.id == act.id).execute()
    assert name_at(visitor, act.slug) == "Night Ferry"
    assert name_at(owner, act.slug) == "Day Ferry"
    assert "Day Ferry" in owner.get(f"/@{act.slug}").text
    assert "Open the studio" in owner.get(f"/@{act.slug}").text
    assert "Open the studio" not in visitor.get(f"/@{act.slug}").text


def test_what_is_kept_says_nothing_of_rights(appliance: Appliance, shared: Redis) -> None:
    act = make_artist(name="Night Ferry")
    artists.shown(act.slug)
    with shared.client() as client:
        kept = [client.get(key) for key in client.scan_iter("*:profiles:*") if client.type(key) == b"string"]
    assert len(kept) == 1
    assert act.owner_id.encode() not in (kept[0] or b"")
    assert artists.shown(act.slug).owner_id is None


def test_every_change_of_a_profile_shows_at_once_in_another_process(
    appliance: Appliance, shared: Redis, engine: str, tmp_path: Path
) -> None:
    act = make_artist(name="Night Ferry", slug="ferry")
    owner = act.owner
    picture = io.BytesIO(site.picture_file(tmp_path).read_bytes())
    with another(engine, shared.url) as process:
        # It keeps what it found, once it listens.
        until(lambda: told(process, "ferry") == ("Night Ferry", 0))
        act = artist_page.edit(act, {"name": "Day Ferry"}, actor=owner, now=clock.now())
        until(lambda: told(process, "ferry")[0] == "Day Ferry")
        until(lambda: told(process, "ferry") == ("Day Ferry", 0))
        artist_page.set_picture(act, picture, store=appliance.store, actor=owner, now=clock.now())
        assert artists.shown("ferry").picture_key
        assert artists.shown("ferry").version == artists.find("ferry").version
        # Somebody who looked it up under its former address moves it once more.
        artist_page.edit(act, {"slug": "ship"}, actor=owner, now=clock.now())
        until(lambda: told(process, "ship") == ("Day Ferry", 0))
        artist_page.edit(act, {"slug": "boat"}, actor=owner, now=clock.now())
        for former in ("ferry", "ship"):
            until(lambda former=former: told(process, former)[0] == "nobody")
            with pytest.raises(NotFound):
                artists.shown(former)
        until(lambda: told(process, "boat") == ("Day Ferry", 0))
        artists.delete(artists.find("boat"), actor=owner, now=clock.now())
        until(lambda: told(process, "boat")[0] == "nobody")
        with pytest.raises(NotFound):
            artists.shown("boat")


def test_while_redis_is_away_the_page_is_right(app: Flask, artist: Person, shared: Redis) -> None:
    act = site.make_artist(artist, "Night Ferry")
    visitor = app.test_client()
    assert [name_at(visitor, act.slug) for _ in range(2)] == ["Night Ferry"] * 2
    shared.kill()
    until(lambda: not listens())
    assert name_at(visitor, act.slug) == "Night Ferry"
    artist_page.edit(act, {"name": "Day Ferry"}, actor=act.owner, now=clock.now())
    assert name_at(visitor, act.slug) == "Day Ferry"
    assert "Day Ferry" in visitor.get(f"/@{act.slug}").text
    # It comes back with its data: what was kept before it went is believed by nobody.
    shared.start()
    until(listens)
    assert name_at(visitor, act.slug) == "Day Ferry"


def test_a_process_that_nobody_tells_keeps_no_profile(app: Flask, artist: Person) -> None:
    act = site.make_artist(artist, "Night Ferry")
    visitor = app.test_client()
    assert name_at(visitor, act.slug) == "Night Ferry"
    Artist.update(name="Day Ferry").where(Artist.id == act.id).execute()
    assert name_at(visitor, act.slug) == "Day Ferry"


def test_what_is_no_address_comes_near_no_cache(appliance: Appliance, shared: Redis) -> None:
    for slug in ("no:body", "x" * 5000, "Æ", ""):
        with pytest.raises(NotFound):
            artists.shown(slug)
    with shared.client() as client:
        assert list(client.scan_iter("*:profiles:*")) == []


def test_a_restore_forgets_what_was_kept_before_it(
    appliance: Appliance, shared: Redis, tmp_path: Path
) -> None:
    node = nodes.with_backup(appliance, str(tmp_path / "backup"), cache_url=shared.url)
    act = make_artist(name="Night Ferry", slug="ferry")
    taking.take(node)
    artist_page.edit(act, {"name": "Day Ferry"}, actor=act.owner, now=clock.now())
    assert artists.shown("ferry").name == "Day Ferry"
    nodes.restored(node.settings, secret=node.secret, force=True)
    startup.start(replace(node.settings, secret_key=node.secret), immediate=True)
    until(listens)
    assert artists.shown("ferry").name == "Night Ferry"
