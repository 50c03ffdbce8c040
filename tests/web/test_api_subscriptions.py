"""Paying for a membership through the interface: joined at the till, changed for what was shown, ended, paused and taken up again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import processors
from appliance.accounts.models import Scope
from appliance.catalog.models import Artist
from appliance.memberships import tiers
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import Subscription
from appliance.payments import Feature
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.tills import Till
from tests.tills import deliver

pytestmark = pytest.mark.usefixtures("nobody_works")
MONEY = (Scope.MONEY_READ, Scope.MONEY_WRITE)


@pytest.fixture
def till(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Till:
    made = Till(clock.now())
    monkeypatch.setattr(processors, "every", lambda: (made,))
    return made


@pytest.fixture
def band(artist: Person) -> Artist:
    made = site.make_artist(artist)
    Tier.update(annual_price_minor=5000).where(Tier.kind == "supporter").execute()
    return made


@pytest.fixture
def fan(appliance: Appliance) -> Person:
    return site.make_person(scopes=MONEY)


def tier_of(artist: Artist, kind: str = "supporter") -> Tier:
    return next(row for row in tiers.of_artist(artist) if row.kind == kind)


def begin(client: FlaskClient, who: Person, wanted: Tier, **more: Any) -> Any:
    sent = {"tier": wanted.id, "interval": "month", "provider": "till", **more}
    return client.post("/api/v1/subscriptions", json=sent, headers=who.headers)


def join(client: FlaskClient, who: Person, till: Till, tier: Tier) -> str:
    """A membership that was paid for; its address."""
    made = begin(client, who, tier)
    till.pay(made.json["id"])
    deliver(till)
    return str(made.headers["Location"])


def act(client: FlaskClient, who: Person, where: str, verb: str, **sent: Any) -> Any:
    return client.post(f"{where}/{verb}", json=sent, headers=who.headers)


def test_who_joins_is_led_to_the_till_and_is_a_member_once_it_tells(
    client: FlaskClient, band: Artist, till: Till, fan: Person
) -> None:
    tier = tier_of(band)
    offered = client.get(f"/api/v1/artists/{band.slug}/tiers/{tier.id}/offers").json["items"]
    assert [(row["interval"], row["price_minor"]) for row in offered] == [("month", 500), ("year", 5000)]
    assert offered[0]["providers"] == [{"name": "till", "label": "The till"}]
    made = begin(client, fan, tier)
    assert (made.status_code, made.json["stage"], made.json["member"]) == (201, "incomplete", False)
    assert made.json["pay_url"] == f"https://till.example/{made.json['id']}"
    assert begin(client, fan, tier).json == made.json, "begun twice it is one"
    till.pay(made.json["id"])
    deliver(till)
    shown = client.get(made.headers["Location"], headers=fan.headers).json
    assert (shown["stage"], shown["member"], shown["pay_url"]) == ("active", True, None)
    assert shown["next_payment"]["amount_minor"] == 500
    assert shown["paid_through"] is not None
    assert shown["moves"] == ["cancel", "change", "end", "mend", "pause"]
    assert client.get("/api/v1/subscriptions", headers=fan.headers).json["items"] == [shown]
    assert begin(client, fan, tier).status_code == 409


def test_who_joins_says_what_stands_on_the_receipts(
    client: FlaskClient, band: Artist, till: Till, fan: Person
) -> None:
    said = {"country": "de", "business_number": "DE123456789", "name": "Mira Tide", "address": "Am Hafen 1"}
    assert begin(client, fan, tier_of(band), **said).status_code == 201
    row = Subscription.get()
    assert (row.country, row.business_number, row.buyer_name) == ("DE", "DE123456789", "Mira Tide")
    wrong = begin(client, fan, tier_of(band), country="Germany")
    assert (wrong.status_code, wrong.json["field"]) == (422, "country")


def test_the_figure_that_was_shown_is_the_one_that_is_charged(
    client: FlaskClient, band: Artist, till: Till, fan: Person
) -> None:
    where = join(client, fan, till, tier_of(band))
    best = tier_of(band, "superfan")
    changes = client.get(f"{where}/changes", headers=fan.headers).json["items"]
    assert (best.id, True) in [(row["tier"]["id"], row["at_once"]) for row in changes]
    figures = act(client, fan, where, "figures", tier=best.id, interval="month")
    assert figures.status_code == 201
    assert 0 < figures.json["due_now_minor"] <= 500
    assert (figures.json["next_minor"], figures.json["at_once"]) == (1000, True)
    assert client.get(where, headers=fan.headers).json["tier"]["name"] == "Supporter"
    changed = act(client, fan, where, "change", figures=figures.json["id"])
    assert (changed.status_code, changed.json["tier"]["id"]) == (200, best.id)
    assert act(client, fan, where, "change", figures=figures.json["id"]).status_code == 200
    deliver(till)
    assert till.asked.count("change") == 1, "agreed to twice it is done once"
    lower = act(client, fan, where, "figures", tier=tier_of(band).id, interval="month").json
    assert (lower["due_now_minor"], lower["at_once"]) == (0, False)
    down = act(client, fan, where, "change", figures=lower["id"]).json
    assert down["tier"]["id"] == best.id
    assert (down["pending"]["tier"]["name"], down["next_payment"]["amount_minor"]) == ("Supporter", 500)


def test_figures_that_no_longer_hold_change_nothing(
    client: FlaskClient, band: Artist, till: Till, fan: Person
) -> None:
    where = join(client, fan, till, tier_of(band))
    best = tier_of(band, "superfan")
    figures = act(client, fan, where, "figures", tier=best.id, interval="month").json
    till.turn(till.now + timedelta(days=40))
    deliver(till)
    refused = act(client, fan, where, "change", figures=figures["id"])
    assert (refused.status_code, "change" in till.asked) == (409, False)
    assert act(client, fan, where, "change", figures="0" * 26).status_code == 404


def test_it_is_cancelled_taken_back_paused_and_ended(
    client: FlaskClient, band: Artist, till: Till, fan: Person
) -> None:
    where = join(client, fan, till, tier_of(band))
    gone = act(client, fan, where, "cancel", when="period_end").json
    assert (gone["stage"], gone["member"], gone["next_payment"]) == ("cancelling", True, None)
    assert gone["cancel_at"] is not None
    assert act(client, fan, where, "cancel", when="period_end").status_code == 409
    assert act(client, fan, where, "resume").json["stage"] == "active"
    assert act(client, fan, where, "pause").json["stage"] == "paused"
    assert act(client, fan, where, "resume").json["stage"] == "active"
    portal = act(client, fan, where, "card")
    assert portal.json["url"].startswith("https://till.example/portal/")
    over = act(client, fan, where, "cancel", when="now").json
    assert (over["stage"], over["member"], over["moves"]) == ("ended", False, [])
    assert act(client, fan, where, "cancel", when="never").json["field"] == "when"


def test_what_the_provider_cannot_do_is_not_offered(
    client: FlaskClient, band: Artist, till: Till, fan: Person
) -> None:
    till.features = frozenset({Feature.SUBSCRIPTIONS})
    where = join(client, fan, till, tier_of(band))
    assert not {"pause", "mend"} & set(client.get(where, headers=fan.headers).json["moves"])
    for verb in ("pause", "card"):
        assert act(client, fan, where, verb).status_code == 409


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"interval": "week"}, 422),
        ({"interval": 5}, 422),
        ({"provider": "nobody"}, 422),
        ({"tier": "x"}, 404),
        ({"tier": "\ud800"}, 422),
        ({"trial": 30}, 422),
    ],
    ids=str,
)
def test_what_cannot_be_joined_is_told(
    client: FlaskClient, band: Artist, till: Till, fan: Person, sent: dict[str, Any], status: int
) -> None:
    assert begin(client, fan, tier_of(band), **sent).status_code == status
    assert not Subscription.select().exists()


def test_a_subscription_is_of_who_pays_alone(
    client: FlaskClient, band: Artist, till: Till, fan: Person, artist: Person
) -> None:
    where = join(client, fan, till, tier_of(band))
    other = site.make_person(scopes=tuple(Scope))
    for path in (where, f"{where}/changes"):
        assert client.get(path, headers=other.headers).status_code == 404
        assert client.get(path).status_code == 401
    sent = {
        "figures": {"tier": tier_of(band).id, "interval": "year"},
        "change": {"figures": "x"},
        "cancel": {"when": "now"},
        "pause": {},
        "resume": {},
        "card": {},
    }
    for verb, body in sent.items():
        assert act(client, other, where, verb, **body).status_code == 404
        assert client.post(f"{where}/{verb}", json=body).status_code == 401
    assert client.get(where, headers=fan.headers).json["stage"] == "active"


def test_a_list_takes_as_many_queries_for_many_as_for_few(
    client: FlaskClient, band: Artist, till: Till, fan: Person, artist: Person
) -> None:
    join(client, fan, till, tier_of(band))
    few = least(lambda: client.get("/api/v1/subscriptions", headers=fan.headers))
    for number in range(3):
        join(client, fan, till, tier_of(site.make_artist(artist, f"No {number}")))
    assert least(lambda: client.get("/api/v1/subscriptions", headers=fan.headers)) == few
