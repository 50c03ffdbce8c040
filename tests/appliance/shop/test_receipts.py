"""The receipt on paper, and what stands on it."""

from __future__ import annotations

import pytest

from appliance.database import new_id
from appliance.shop import receipt_pdf
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.models import Receipt
from tests.makers import NOW

ARABIC = "ليلة على الميناء القديم"


@pytest.fixture
def database_url() -> str:
    return ""


def order(**values: object) -> Order:
    said = {
        "email": "fan@example.com",
        "artist_name": "Night Ferry",
        "collective": "Harbour Records",
        "currency": "EUR",
        "total_minor": 1000,
        "country": "DE",
        "business_number": "DE 1",
        "state": OrderState.PAID,
        "paid_at": NOW,
        "created_at": NOW,
    }
    return Order(id=new_id(), **{**said, **values})


def items(name: str = "Harbour Lights", number: int = 1) -> list[OrderItem]:
    taxed = OrderItem(
        kind=Kind.RELEASE, name=name, amount_minor=700, tax_minor=112, tax_name="VAT", tax_bps=1900
    )
    return [taxed] * number + [OrderItem(kind=Kind.TIP, name="A gift", amount_minor=300)]


RECEIPT = Receipt(number=7, seller="Ferry Ltd", address="Quay 1\nHull", tax_number="GB 123", issued_at=NOW)


def same(text: str) -> str:
    return text


def test_a_receipt_names_the_seller_the_buyer_and_the_tax() -> None:
    sold = order()
    assert receipt_pdf.facts(sold, RECEIPT, same)[0] == "Number: 2026-000007"
    assert receipt_pdf.people(sold, RECEIPT, same) == [
        "Sold by: Ferry Ltd",
        "Quay 1",
        "Hull",
        "VAT number: GB 123",
        "through Harbour Records",
        "",
        "Sold to: fan@example.com",
        "Country: DE",
        "VAT number: DE 1",
    ]
    assert receipt_pdf.line(items()[0], "EUR") == ("Harbour Lights", "VAT 19 %", "7.00 EUR")
    assert receipt_pdf.sums(sold, items(), same) == [
        ("Together", "", "10.00 EUR"),
        ("without tax", "VAT 19 %", "5.88 EUR"),
        ("Tax", "VAT 19 %", "1.12 EUR"),
    ]


def test_a_refund_stands_on_the_receipt() -> None:
    sold = order(state=OrderState.REFUNDED, refunded_at=NOW)
    assert receipt_pdf.facts(sold, RECEIPT, same)[-1] == "Refunded on: 2026-05-01"


@pytest.mark.parametrize("name", [ARABIC, "🌊 tides", "x" * 300, "A\x0bB", "<b>"])
@pytest.mark.parametrize("number", [1, 200])
def test_whatever_music_is_called_its_receipt_can_be_drawn(name: str, number: int) -> None:
    paper = receipt_pdf.drawn(order(), items(name, number), RECEIPT, locale="de")
    assert paper.startswith(b"%PDF-")
