"""Money through the interface when everything is sent at once, and twice, on both engines."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from appliance import clock
from appliance import database
from appliance import processors
from appliance.accounts.models import Scope
from appliance.catalog.models import Artist
from appliance.ledger import payments
from appliance.ledger.models import SplitAgreement
from appliance.ledger.payments import Sale
from appliance.payments import PaymentFact
from appliance.payouts.models import BANK
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.shop import prices
from appliance.shop.models import CodeBatch
from appliance.shop.models import Order
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till

pytestmark = pytest.mark.usefixtures("nobody_works")
AT_ONCE = 8


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def owner(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Person:
    till = Till()
    monkeypatch.setattr(processors, "every", lambda: (till,))
    return site.make_person(scopes=tuple(Scope))


@pytest.fixture
def band(owner: Person) -> Artist:
    return site.make_artist(owner)


def at_once(
    app: Flask, who: Person, path: str, sent: dict[str, object], key: Callable[[int], str]
) -> Counter[int]:
    """How many were answered how, of so many who send the same at the same moment."""
    gate, answers = threading.Barrier(AT_ONCE), []

    def send(number: int) -> None:
        browser = app.test_client()
        gate.wait()
        headers = {**who.headers, "Idempotency-Key": key(number)}
        answers.append(browser.post(path, json=sent, headers=headers).status_code)
        database.close_thread()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == AT_ONCE
    return Counter(answers)


def again(app: Flask, who: Person, path: str, sent: dict[str, object]) -> str:
    """The id of what the key made, sent once more when all is quiet."""
    answer = app.test_client().post(path, json=sent, headers={**who.headers, "Idempotency-Key": "same"})
    assert answer.status_code == 201
    return str(answer.json["id"])


def test_an_order_that_is_sent_by_many_at_once_is_one(app: Flask, owner: Person, band: Artist) -> None:
    release = site.make_release(owner, artist=band, published=True)
    prices.set_release(release, 0, pay_more=True, actor=owner.user, now=clock.now())
    fan = site.make_person(scopes=(Scope.MONEY_WRITE,))
    sent: dict[str, object] = {"kind": "release", "thing": release.id, "total_minor": 0}
    answers = at_once(app, fan, "/api/v1/orders", sent, lambda _number: "same")
    assert set(answers) <= {201, 409}
    assert (again(app, fan, "/api/v1/orders", sent), Order.select().count()) == (Order.get().id, 1)


def test_codes_that_are_made_by_many_at_once_are_one_batch(app: Flask, owner: Person, band: Artist) -> None:
    release = site.make_release(owner, artist=band)
    path, sent = f"/api/v1/artists/{band.slug}/codes", {"release": release.id, "number": 3}
    answers = at_once(app, owner, path, dict(sent), lambda _number: "same")
    assert set(answers) <= {201, 409}
    assert (again(app, owner, path, dict(sent)), CodeBatch.select().count()) == (CodeBatch.get().id, 1)


@pytest.mark.parametrize("key", [lambda _number: "same", str], ids=["one key", "a key each"])
def test_nobody_is_paid_twice(app: Flask, owner: Person, band: Artist, key: Callable[[int], str]) -> None:
    now = clock.now()
    fact = PaymentFact("p", "mark", 5000, "EUR", now, fee_minor=0)
    payments.note(fact, Sale(band.id, "", 1000, []), provider="demo", now=now)
    PayoutAccount.create(
        payee=band.id,
        provider=BANK,
        account="DE89370400440532013000",
        holder="Mira Tide",
        payable=True,
        as_of=now,
        created_at=now,
    )
    answers = at_once(app, owner, f"/api/v1/artists/{band.slug}/payouts", {"currency": "EUR"}, key)
    assert answers[201] >= 1
    assert set(answers) <= {201, 409}
    assert [row.amount_minor for row in Payout.select()] == [4500]


def test_of_many_who_agree_over_the_same_last_word_one_is_heard(
    app: Flask, owner: Person, band: Artist
) -> None:
    starts = (clock.now() + timedelta(days=1)).isoformat()
    parts = [{"payee": band.slug, "share_bps": 10_000}]
    sent: dict[str, object] = {"parts": parts, "starts_at": starts, "after": None}
    answers = at_once(app, owner, f"/api/v1/artists/{band.slug}/splits", sent, str)
    assert (answers[201], answers[412], SplitAgreement.select().count()) == (1, AT_ONCE - 1, 1)
