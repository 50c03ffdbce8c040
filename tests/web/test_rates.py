import dataclasses
import socket
import threading
from datetime import timedelta

import pytest

from appliance import clock
from appliance.accounts import people
from appliance.memberships import granting
from appliance.memberships import relations
from appliance.memberships import tiers
from tests import makers
from tests.servers import site
from tests.servers.redis import Redis
from web import rates
from web.app import create_app
from web.counts import Counts
from web.counts import Limit
from web.shared_counts import AWAY_S
from web.shared_counts import PREFIX
from web.shared_counts import SharedCounts


@pytest.fixture
def strict(appliance, monkeypatch):
    """Counts so small that a test reaches them."""
    monkeypatch.setattr(rates, "GENERAL", 5)
    monkeypatch.setattr(
        rates,
        "RULES",
        rates.RULES
        | {
            "sign-in": rates.Rule(15, address=8, account=4, name=3),
            "registration": rates.Rule(60, address=2),
            "recovery": rates.Rule(60, address=3, name=1),
            "tokens": rates.Rule(60, address=3, account=2),
            "uploads": rates.Rule(60, address=3, account=2),
            "downloads": rates.Rule(60, address=3, account=2),
            "grants": rates.Rule(60, address=3, account=2),
            "webhooks": rates.Rule(60, address=3),
        },
    )
    return create_app(appliance)


@pytest.fixture
def strict_in_redis(strict, appliance):
    """The same, counted in a Redis."""
    with Redis() as server:
        settings = dataclasses.replace(appliance.settings, rate_limit_url=server.url)
        yield create_app(dataclasses.replace(appliance, settings=settings)).test_client(), server


def sign_in(client, email, password="wrong and long", address="192.0.2.1"):
    page = client.get("/sign-in", environ_base={"REMOTE_ADDR": "198.51.100.77"})
    found = page.text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    return client.post(
        "/sign-in",
        data={"email": email, "password": password, "csrf_token": found},
        environ_base={"REMOTE_ADDR": address},
    )


def test_an_answer_says_how_much_is_left(client):
    answer = client.get("/api/v1/releases")
    assert answer.headers["RateLimit-Limit"] == str(rates.GENERAL)
    assert answer.headers["RateLimit-Remaining"] == str(rates.GENERAL - 1)
    assert 1 <= int(answer.headers["RateLimit-Reset"]) <= 60
    assert "Retry-After" not in answer.headers


def test_who_asks_too_much_is_told_when_to_come_back(strict):
    client = strict.test_client()
    for _ in range(5):
        assert client.get("/api/v1/releases").status_code == 200
    answer = client.get("/api/v1/releases")
    assert answer.status_code == 429
    assert answer.mimetype == "application/problem+json"
    assert answer.json["title"] == "Too many requests"
    assert answer.json["detail"].startswith("Too much was asked for in a short time")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["RateLimit-Remaining"] == "0"
    page = client.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert "That was a lot at once" in page.text
    assert int(page.headers["Retry-After"]) >= 1


def test_music_static_files_and_health_are_not_counted(strict):
    client = strict.test_client()
    for address in ("/health", "/ready", "/metrics", "/artwork/none/96.webp", "/media/a/b/c"):
        for _ in range(8):
            answer = client.get(address)
            assert answer.status_code != 429
            assert "RateLimit-Limit" not in answer.headers


def test_addresses_are_counted_apart_and_those_of_one_ipv6_network_together(strict):
    client = strict.test_client()

    def ask(address):
        return client.get("/api/v1/releases", environ_base={"REMOTE_ADDR": address}).status_code

    assert [ask("192.0.2.1") for _ in range(6)] == [200] * 5 + [429]
    assert ask("192.0.2.2") == 200
    assert [ask(f"2001:db8:1:2::{n}") for n in range(6)] == [200] * 5 + [429]
    assert ask("2001:db8:1:3::1") == 200
    assert ask("::ffff:192.0.2.1") == 429


def test_an_account_is_counted_wherever_it_asks_from(strict, artist):
    client = strict.test_client()
    told = [
        client.get(
            "/api/v1/releases",
            headers=artist.headers,
            environ_base={"REMOTE_ADDR": f"192.0.2.{n}"},
        ).status_code
        for n in range(6)
    ]
    assert told == [200] * 5 + [429]


def test_one_name_cannot_be_guessed_from_many_addresses(strict, monkeypatch):
    monkeypatch.setattr(rates, "GENERAL", 1000)
    people.create("ada@example.org", "a long password", roles=[], now=clock.now(), display_name="Ada")
    client = strict.test_client()
    told = [
        sign_in(client, " ADA@example.org " if n % 2 else "ada@example.org", address=f"192.0.2.{n}")
        for n in range(4)
    ]
    assert [answer.status_code for answer in told] == [422, 422, 422, 429]
    # Nor does the answer say whether there is such an account.
    told = [sign_in(client, "nobody@example.org", address=f"192.0.2.{n}").status_code for n in range(10, 14)]
    assert told == [422, 422, 422, 429]


def test_guesses_of_others_do_not_lock_out_a_device_that_is_known(strict, monkeypatch):
    monkeypatch.setattr(rates, "GENERAL", 1000)
    people.create("ada@example.org", "a long password", roles=[], now=clock.now(), display_name="Ada")
    own = strict.test_client()
    assert sign_in(own, "ada@example.org", "a long password").status_code == 302
    assert own.get_cookie("known").http_only
    own.delete_cookie("session")
    stranger = strict.test_client()
    told = [sign_in(stranger, "ada@example.org", address=f"203.0.113.{n}").status_code for n in range(4)]
    assert told[-1] == 429
    assert sign_in(own, "ada@example.org", "a long password").status_code == 302
    # A cookie that somebody made up is none.
    forged = strict.test_client()
    forged.set_cookie("known", own.get_cookie("known").value.swapcase())
    assert sign_in(forged, "ada@example.org", address="203.0.113.99").status_code == 429


@pytest.mark.parametrize(("kind", "times"), [("", 1), ("supporter", 2), ("superfan", 4)])
def test_a_higher_tier_may_ask_more(strict, monkeypatch, kind, times):
    monkeypatch.setattr(rates, "GENERAL", 1000)
    client, house, fan = strict.test_client(), makers.make_artist(), site.make_person()
    for tier in tiers.of_artist(house):
        if kind and tier.kind == kind:
            granting.grant(
                house, fan.user.email, tier_id=tier.id, origin="gift", actor=house.owner, now=clock.now()
            )
    answer = client.post("/api/v1/tracks/none/downloads", json={}, headers=fan.headers)
    assert answer.headers["RateLimit-Limit"] == str(2 * times)


def test_a_tier_that_ran_out_or_was_ended_counts_no_more(appliance, monkeypatch):
    house, fan = makers.make_artist(), makers.make_user()
    tier = next(row for row in tiers.of_artist(house) if row.kind == "superfan")
    through = clock.now() + timedelta(hours=1)
    made = granting.grant(
        house, fan.email, tier_id=tier.id, origin="gift", through=through, actor=house.owner, now=clock.now()
    )
    monkeypatch.setattr(rates, "FACTOR_KEPT_S", 0.0)
    assert rates.tier_factor(fan) == 4
    assert relations.kinds_of(fan, now=through) == frozenset()
    granting.end(made, actor=house.owner, now=clock.now())
    assert rates.tier_factor(fan) == 1


def test_a_list_of_addresses_cannot_be_tried_by_giving_memberships(strict):
    client, owner = strict.test_client(), site.make_person()
    house = makers.make_artist(owner.user)
    tier = next(row for row in tiers.of_artist(house) if row.kind == "supporter")
    sent = {"email": "nobody@example.org", "tier": tier.id, "origin": "gift"}
    path = f"/api/v1/artists/{house.slug}/memberships"
    answers = [client.post(path, json=sent, headers=owner.headers).status_code for _ in range(3)]
    assert answers == [404, 404, 429]


def test_the_operator_may_set_the_measure_or_switch_it_off(appliance):
    half = dataclasses.replace(appliance, settings=dataclasses.replace(appliance.settings, rate_limits=50))
    answer = create_app(half).test_client().get("/api/v1/releases")
    assert answer.headers["RateLimit-Limit"] == str(rates.GENERAL // 2)
    off = dataclasses.replace(appliance, settings=dataclasses.replace(appliance.settings, rate_limits=0))
    assert "RateLimit-Limit" not in create_app(off).test_client().get("/api/v1/releases").headers


def test_while_redis_is_away_it_is_counted_in_memory_and_said_once(appliance, caplog):
    pytest.importorskip("redis")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    settings = dataclasses.replace(appliance.settings, rate_limit_url=f"redis://127.0.0.1:{port}/0")
    client = create_app(dataclasses.replace(appliance, settings=settings)).test_client()
    left = [int(client.get("/api/v1/releases").headers["RateLimit-Remaining"]) for _ in range(3)]
    assert left == [rates.GENERAL - 1, rates.GENERAL - 2, rates.GENERAL - 3]
    assert caplog.text.count("counted in memory") == 1


def test_processes_that_share_redis_count_together_by_one_way_there_and_back_for_each_request(appliance):
    with Redis() as server:
        settings = dataclasses.replace(appliance.settings, rate_limit_url=server.url)
        there = dataclasses.replace(appliance, settings=settings)
        clients = [create_app(there).test_client() for _ in range(2)]
        left = [
            int(clients[number % 2].get("/api/v1/releases").headers["RateLimit-Remaining"])
            for number in range(4)
        ]
        assert left == [rates.GENERAL - number for number in (1, 2, 3, 4)]
        with server.client() as admin:
            admin.config_resetstat()
            answer = clients[0].get("/api/v1/releases")
            asked = admin.info("commandstats")
        assert 1 <= int(answer.headers["RateLimit-Reset"]) <= 60
        assert asked["cmdstat_evalsha"]["calls"] == 1
        assert not asked.keys() & {"cmdstat_get", "cmdstat_ttl"}


def test_shared_counts_that_are_reached_refuse_and_begin_anew(strict_in_redis):
    client, server = strict_in_redis
    answers = [client.get("/api/v1/releases") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    with server.client() as admin:
        admin.flushall()
    assert client.get("/api/v1/releases").status_code == 200


def test_all_counts_of_a_request_are_one_way_to_redis(appliance, artist):
    with Redis() as server:
        settings = dataclasses.replace(appliance.settings, rate_limit_url=server.url)
        client = create_app(dataclasses.replace(appliance, settings=settings)).test_client()
        with server.client() as admin:
            client.post("/api/v1/tracks/none/downloads", json={}, headers=artist.headers)
            admin.config_resetstat()
            answer = client.post("/api/v1/tracks/none/downloads", json={}, headers=artist.headers)
            assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] == 1
            keys = {key.decode().rpartition(":")[0] for key in admin.keys("musicconnect:counts:*")}
            assert all(0 < admin.ttl(key) <= 3600 for key in admin.keys("musicconnect:counts:*"))
        assert {f"musicconnect:counts:{one}" for one in ("general:account", "downloads:account")} < keys
        assert answer.headers["RateLimit-Limit"] == str(rates.RULES["downloads"].account)
        assert answer.headers["RateLimit-Remaining"] == str(rates.RULES["downloads"].account - 2)


def test_redis_that_was_restarted_is_asked_again_at_once_and_one_that_hangs_after_a_while(
    monkeypatch, caplog
):
    limit = Limit("general:address:192.0.2.1", 5, 60)
    now = [1000.0]
    monkeypatch.setattr("web.shared_counts.time.monotonic", lambda: now[0])
    caplog.set_level("INFO", "web.shared_counts")
    with Redis() as server:
        counts = SharedCounts(server.url)
        assert [counts.count([limit])[0].used for _ in range(2)] == [1, 2]
        server.kill()
        server.start()
        assert counts.count([limit])[0].used == 1
        with server.client() as other:
            assert other.incr(f"{PREFIX}{limit.name}") == 2
        assert not caplog.records
        server.freeze()
        assert [counts.count([limit])[0].used for _ in range(3)] == [1, 2, 3]
        assert [record.message for record in caplog.records] == [
            "requests are counted in memory, for the Redis that counts for all is away"
        ]
        server.thaw()
        assert counts.count([limit])[0].used == 4
        now[0] += AWAY_S
        # What it was asked when it stood still counts too, for it was taken.
        assert counts.count([limit])[0].used in {3, 4}
        assert caplog.records[-1].message == "requests are counted for all nodes together again"


def test_every_way_to_sign_in_is_counted(app):
    known = {endpoint.removeprefix("security.") for endpoint in app.view_functions if "security." in endpoint}
    posting = {
        str(rule.endpoint).removeprefix("security.")
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and str(rule.endpoint).startswith("security.")
    }
    assert known & set(rates.OF_SECURITY)
    assert posting - set(rates.OF_SECURITY) <= {"logout"}


def test_counts_end_with_their_window(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("web.counts.time.time", lambda: now[0])
    counts, a, b = Counts(), Limit("a", 2, 60), Limit("b", 2, 60)
    assert [counts.count([a])[0].used for _ in range(3)] == [1, 2, 3]
    told = counts.count([a, b], amount=0)
    assert [(one.used, one.left, one.is_over, one.ends_at_s) for one in told] == [(3, 0, True, 1060.0)]
    assert not counts.count([b], amount=0)[0].used
    now[0] = 1060.0
    assert [one.used for one in counts.count([a, b])] == [1, 1]
    now[0] = 2000.0
    counts.count([b])
    assert len(counts) == 1  # what was over is gone


def test_no_thread_is_started_to_count(client):
    before = threading.active_count()
    for _ in range(5):
        client.get("/api/v1/releases")
    assert threading.active_count() == before
