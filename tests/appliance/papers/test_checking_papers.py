"""What the check of the books says of papers: nothing while they agree with money, and each one that does not by its name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appliance.billing import paper_checking
from appliance.catalog.models import Artist
from appliance.ledger.models import Payment
from appliance.shop.models import CreditNote
from appliance.shop.models import Receipt
from appliance.shop.models import Seller
from tests.appliance.papers.stories import begin
from tests.appliance.papers.stories import give_back
from tests.appliance.papers.stories import pay
from tests.appliance.papers.stories import tell
from tests.appliance.papers.test_credit_notes import make_order
from tests.makers import NOW
from tests.tills import Till

LATER = NOW + timedelta(days=3)


@pytest.fixture
def receipt(artist: Artist, till: Till) -> Receipt:
    """The receipt of a membership of which a part went back; beside it an order that was paid twice, and the second payment went back."""
    order = make_order(artist)
    tell(pay(order.id, "pay_1", 1500), pay(order.id, "pay_2", 1500))
    tell(give_back(Payment.get(Payment.reference == "pay_2"), 1500))
    row = begin(artist)
    tell(pay(row.id, "pay_3", 1000))
    tell(give_back(Payment.get(Payment.reference == "pay_3"), 300))
    return Receipt.get(Receipt.subscription == row.id)


def found() -> list[str]:
    return [difference.row for difference in paper_checking.differences(LATER)]


def test_papers_that_agree_with_money_are_not_named(receipt: Receipt) -> None:
    assert found() == []


def test_a_receipt_that_is_gone_is_a_payment_without_one_and_a_gap(receipt: Receipt) -> None:
    CreditNote.delete().execute()
    Receipt.delete().where(Receipt.id == receipt.id).execute()
    Seller.update(last_credit_number=0).execute()
    assert found() == [f"payment:{receipt.payment}", f"seller:{receipt.artist}"]


def test_a_credit_note_of_another_amount_is_named_by_its_receipt(receipt: Receipt) -> None:
    CreditNote.update(amount_minor=299).execute()
    assert found() == [f"receipt:{receipt.id}"]
