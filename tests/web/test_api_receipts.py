"""Receipts and credit notes through the interface: of orders and memberships, for who bought and who sold, on both engines."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import processors
from appliance.accounts.models import Scope
from appliance.billing import processing
from appliance.catalog.models import Artist
from appliance.ledger.models import Payment
from appliance.memberships import subscription_joining
from appliance.memberships import tiers
from appliance.memberships.subscription_joining import Reader
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.tills import Till

pytestmark = pytest.mark.usefixtures("nobody_works")
READ = (Scope.MONEY_READ,)


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def seller(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Person:
    till = Till(clock.now())
    monkeypatch.setattr(processors, "every", lambda: (till,))
    return site.make_person(scopes=READ)


@pytest.fixture
def band(seller: Person) -> Artist:
    return site.make_artist(seller)


@pytest.fixture
def fan(appliance: Appliance) -> Person:
    return site.make_person(scopes=READ)


def pay(fan: Person, artist: Artist, number: int = 1) -> Payment:
    """A month of a membership, five euros with 0.80 of tax."""
    row = subscription_joining.begin(
        fan.user,
        next(row for row in tiers.of_artist(artist) if row.price_minor),
        interval="month",
        provider="till",
        return_to=lambda mark: f"http://localhost/{mark}",
        cancel_to="http://localhost/",
        reader=Reader("en", "http://localhost"),
        now=clock.now(),
    )
    fact = PaymentFact(f"pay_{number}", row.id, 500, "EUR", clock.now(), fee_minor=30, tax_minor=80)
    processing.apply([fact], provider="till", now=clock.now())
    return Payment.get(Payment.reference == f"pay_{number}")


def give_back(payment: Payment, amount: int) -> None:
    fact = RefundFact(f"re_{payment.id}", payment.reference, amount, "EUR", clock.now())
    processing.apply([fact], provider="till", now=clock.now())


def test_a_membership_has_receipts_and_what_went_back_a_credit_note(
    client: FlaskClient, fan: Person, seller: Person, band: Artist
) -> None:
    payment = pay(fan, band)
    give_back(payment, 250)
    [row] = client.get("/api/v1/receipts", headers=fan.headers).json["items"]
    assert (row["amount_minor"], row["tax_minor"], row["currency"]) == (500, 80, "EUR")
    assert (row["order"], row["subscription"], row["credited_minor"]) == (None, payment.mark, 250)
    [note] = row["credit_notes"]
    assert (note["amount_minor"], note["number"][0]) == (250, "C")
    where = f"/api/v1/artists/{band.slug}/receipts"
    assert client.get(where, headers=seller.headers).json["items"] == [row]
    other = site.make_person(scopes=tuple(Scope))
    site.make_artist(other, "Low Tide")
    for path in (row["url"], note["url"]):
        for person in (fan, seller):
            paper = client.get(path, headers=person.headers)
            assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")
        assert client.get(path, headers=other.headers).status_code == 404
        assert client.get(path).status_code == 401
    assert client.get("/api/v1/receipts/nothing.pdf", headers=fan.headers).status_code == 404
    assert client.get("/api/v1/credit-notes/nothing.pdf", headers=fan.headers).status_code == 404


def test_receipts_are_listed_page_by_page_by_as_many_queries(
    client: FlaskClient, fan: Person, seller: Person, band: Artist
) -> None:
    def look() -> int:
        own = least(lambda: client.get("/api/v1/receipts", headers=fan.headers))
        path = f"/api/v1/artists/{band.slug}/receipts"
        return own + least(lambda: client.get(path, headers=seller.headers))

    first = pay(fan, band)
    give_back(first, 100)
    few = look()
    for number in range(2, 5):
        fact = PaymentFact(f"pay_{number}", first.mark, 500, "EUR", clock.now(), fee_minor=30)
        processing.apply([fact], provider="till", now=clock.now())
    assert look() == few
    for path, person in (("/api/v1/receipts", fan), (f"/api/v1/artists/{band.slug}/receipts", seller)):
        page = client.get(f"{path}?limit=3", headers=person.headers).json
        rest = client.get(f"{path}?limit=3&cursor={page['next_cursor']}", headers=person.headers).json
        numbers = [row["number"] for row in [*page["items"], *rest["items"]]]
        assert (numbers, rest["next_cursor"]) == (sorted(set(numbers), reverse=True), None)
        assert len(numbers) == 4
