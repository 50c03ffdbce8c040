"""Credit notes: one for each refund and each lost dispute of what has a receipt, numbered apart, taken back where that did not hold."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import database
from appliance.catalog.models import Artist
from appliance.database import new_id
from appliance.ledger.models import Payment
from appliance.mail import Message
from appliance.mail import attachments
from appliance.papers import crediting
from appliance.papers import drawing
from appliance.papers import issuing
from appliance.papers import letters
from appliance.papers import parts
from appliance.papers.parts import Gone
from appliance.papers.parts import Part
from appliance.payments import CheckoutState
from appliance.payments import DisputeState
from appliance.payments import RefundFact
from appliance.shop import settling
from appliance.shop.models import CreditNote
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.models import Receipt
from appliance.shop.models import Seller
from tests.appliance.papers.stories import begin
from tests.appliance.papers.stories import contest
from tests.appliance.papers.stories import give_back
from tests.appliance.papers.stories import notes
from tests.appliance.papers.stories import pay
from tests.appliance.papers.stories import receipts
from tests.appliance.papers.stories import tell
from tests.makers import NOW
from tests.tills import Till

DAY = timedelta(days=1)


@pytest.fixture
def payment(artist: Artist, till: Till) -> Payment:
    """Ten euros for a membership, 1.60 of them tax."""
    tell(pay(begin(artist).id, "pay_1", 1000, tax_minor=160))
    return Payment.get()


def make_order(artist: Artist, *, locale: str = "en") -> Order:
    """An order of a record at 7.00 with 19 % in it, a book at 5.00 with 7 %, and a gift of 3.00."""
    order: Order = Order.create(
        email="fan@example.com",
        artist=artist.id,
        artist_name=artist.name,
        provider="till",
        currency="EUR",
        total_minor=1500,
        tax_minor=145,
        share_bps=1000,
        country="DE",
        locale=locale,
        created_at=NOW,
        updated_at=NOW,
    )
    lines = (
        (Kind.RELEASE, 700, 112, "VAT", 1900),
        (Kind.RELEASE, 500, 33, "VAT", 700),
        (Kind.TIP, 300, 0, "", 0),
    )
    for position, (kind, amount, tax, name, bps) in enumerate(lines):
        OrderItem.create(
            id=new_id(),
            order=order.id,
            position=position,
            kind=kind,
            name=f"Thing {position}",
            amount_minor=amount,
            tax_minor=tax,
            tax_name=name,
            tax_bps=bps,
        )
    return order


def sums() -> tuple[int, int]:
    rows = list(CreditNote.select())
    return sum(row.amount_minor for row in rows), sum(row.tax_minor for row in rows)


def test_each_refund_has_its_credit_note_and_all_of_them_the_whole_tax(payment: Payment) -> None:
    tell(give_back(payment, 333, number=1))
    tell(give_back(payment, 333, number=2))
    tell(give_back(payment, 333, number=2))
    assert notes() == [(1, 333), (2, 333)]
    tell(give_back(payment, 334, number=3))
    assert (notes()[-1], sums()) == ((3, 334), (1000, 160))
    [receipt] = receipts()
    assert (receipt.number, receipt.credited_minor) == (1, 1000)
    assert {row.receipt_id for row in CreditNote.select()} == {receipt.id}


def test_a_refund_that_is_told_before_its_payment_has_its_note_after_the_receipt(
    artist: Artist, till: Till
) -> None:
    row = begin(artist)
    tell(RefundFact("re_1", "pay_1", 200, "EUR", NOW + DAY))
    assert notes() == []
    tell(pay(row.id, "pay_1"))
    assert (len(receipts()), notes()) == (1, [(1, 200)])


def test_what_goes_back_in_another_currency_is_on_no_credit_note(payment: Payment) -> None:
    tell(give_back(payment, 300), dataclasses.replace(give_back(payment, 500, number=2), currency="USD"))
    assert (notes(), receipts()[0].credited_minor) == ([(1, 300)], 300)


def test_an_open_dispute_has_none_a_lost_one_has_and_a_won_one_never(payment: Payment) -> None:
    tell(contest(payment, DisputeState.OPEN))
    assert notes() == []
    tell(contest(payment, DisputeState.WON, day=20))
    assert notes() == []


def test_a_dispute_that_is_won_after_it_was_lost_takes_its_note_back(payment: Payment) -> None:
    tell(contest(payment, DisputeState.LOST, day=20))
    assert notes() == [(1, 1000)]
    tell(contest(payment, DisputeState.WON, day=30))
    assert (notes(), sums()) == ([(1, 1000), (2, -1000)], (0, 0))
    tell(contest(payment, DisputeState.WON, day=30))
    assert len(notes()) == 2
    assert receipts()[0].credited_minor == 0


def test_a_refund_that_failed_takes_its_note_back_and_told_at_once_there_is_none(payment: Payment) -> None:
    tell(give_back(payment, 400, number=1), give_back(payment, 400, number=1, failed=True))
    assert notes() == []
    tell(give_back(payment, 300, number=2))
    tell(give_back(payment, 300, number=2, failed=True), give_back(payment, 300, number=3))
    assert notes() == [(1, 300), (2, -300), (3, 300)]
    tell(contest(payment, DisputeState.LOST, day=20, amount=700))
    assert (notes()[-1], sums()) == ((4, 700), (1000, 160))


def test_the_parts_of_an_order_are_credited_with_the_tax_of_each(artist: Artist, till: Till) -> None:
    order = make_order(artist)
    tell(pay(order.id, "pay_1", 1500))
    payment = Payment.get()
    assert payment.tax_minor == 145
    for number, amount in enumerate((1, 499, 1000), 1):
        tell(give_back(payment, amount, number=number))
    assert [amount for _number, amount in notes()] == [1, 499, 1000]
    whole = parts.summed(part for note in CreditNote.select() for part in crediting.read(note))
    assert list(whole.values()) == [
        Part("VAT", 1900, 700, 112),
        Part("VAT", 700, 500, 33),
        Part("", 0, 300, 0),
    ]
    assert Order.get_by_id(order.id).state == OrderState.REFUNDED


def test_what_was_paid_beyond_the_total_goes_back_without_a_credit_note(artist: Artist, till: Till) -> None:
    order = make_order(artist)
    tell(pay(order.id, "pay_1", 1500), pay(order.id, "pay_2", 1500, at=NOW + DAY))
    second = Payment.get(Payment.reference == "pay_2")
    tell(give_back(second, 1500))
    assert notes() == []
    tell(give_back(Payment.get(Payment.reference == "pay_1"), 500, number=2))
    assert notes() == [(1, 500)]


def test_an_order_that_is_paid_twice_has_its_tax_in_the_books_once(artist: Artist, till: Till) -> None:
    order = make_order(artist)
    tell(pay(order.id, "pay_1", 1500), pay(order.id, "pay_2", 1500))
    assert sorted(row.tax_minor for row in Payment.select()) == [0, 145]


def test_an_order_that_was_never_paid_whole_has_neither_receipt_nor_credit_note(
    artist: Artist, till: Till
) -> None:
    order = make_order(artist)
    tell(pay(order.id, "pay_1", 500))
    tell(give_back(Payment.get(), 500))
    assert (receipts(), notes()) == ([], [])


def test_orders_and_memberships_share_one_series_of_each_kind(artist: Artist, till: Till) -> None:
    order, row = make_order(artist), begin(artist)
    tell(pay(order.id, "pay_1", 1500))
    tell(pay(row.id, "pay_2"))
    for payment in list(Payment.select()):
        tell(give_back(payment, 100))
    assert [receipt.number for receipt in receipts()] == [1, 2]
    assert [number for number, _amount in notes()] == [1, 2]
    seller = Seller.get(Seller.artist == artist.id)
    assert (seller.last_number, seller.last_credit_number) == (2, 2)


def test_refunds_told_at_once_have_numbers_without_gaps(artist: Artist, till: Till) -> None:
    rows = [begin(artist) for _ in range(4)]
    tell(*(pay(row.id, f"pay_{number}") for number, row in enumerate(rows)))
    payments = list(Payment.select())
    gate = threading.Barrier(8)
    problems: list[Exception] = []

    def work(payment: Payment) -> None:
        try:
            gate.wait(timeout=30)
            tell(give_back(payment, 200))
        except Exception as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=work, args=(payment,)) for payment in payments * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert notes() == [(number, 200) for number in (1, 2, 3, 4)]


def test_what_no_fact_brought_about_is_caught_up_with(
    payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "settle", lambda marks, now: None)
    tell(give_back(payment, 100))
    assert notes() == []
    monkeypatch.undo()
    assert issuing.catch_up(now=NOW) == 1
    assert (notes(), issuing.catch_up(now=NOW)) == ([(1, 100)], 0)


# ---- letters and paper


def test_one_letter_brings_each_credit_note_and_another_takes_it_back(payment: Payment) -> None:
    letters.write_due(collective="The Harbour", now=NOW)
    tell(give_back(payment, 333))
    letters.write_due(collective="The Harbour", now=NOW)
    letters.write_due(collective="The Harbour", now=NOW)
    tell(give_back(payment, 333, failed=True))
    letters.write_due(collective="The Harbour", now=NOW)
    said = list(Message.select().order_by(Message.id))
    assert [message.kind for message in said] == [
        "membership_receipt",
        "credit_note",
        "credit_note_taken_back",
    ]
    assert said[1].subject == "Credit note C2026-000001 for your receipt 2026-000001"
    assert "3.33 EUR went back" in said[1].text
    assert [attachments.drawn(message.attached).name for message in said] == [
        "2026-000001.pdf",
        "C2026-000001.pdf",
        "C2026-000002.pdf",
    ]


def test_whoever_bought_without_an_account_has_a_letter_that_leads_to_the_order(
    artist: Artist, till: Till
) -> None:
    order = make_order(artist)
    tell(pay(order.id, "pay_1", 1500))
    tell(give_back(Payment.get(), 500))
    letters.write_due(collective="The Harbour", now=NOW)
    paid, credited = Message.select().order_by(Message.id)
    assert (paid.kind, paid.attached) == ("order_paid", f"receipt:{Receipt.get().id}")
    assert (credited.kind, credited.to) == ("credit_note", "fan@example.com")
    assert f"/orders/{order.id}?key=" in credited.text


def test_the_credit_note_names_the_receipt_and_says_how_much_of_which_tax(artist: Artist, till: Till) -> None:
    order = make_order(artist)
    tell(pay(order.id, "pay_1", 1500))
    tell(give_back(Payment.get(), 1500))
    note, receipt = CreditNote.get(), Receipt.get()
    sheet = drawing.of_note(note, receipt, order, "EUR", "The Harbour", "Things", str)
    assert (sheet.title, sheet.number) == ("Credit note", "C2026-000001")
    assert sheet.facts[2] == "It corrects the receipt: 2026-000001 (2026-05-01)"
    assert sheet.rows == [
        ("What went back", "Tax", "Amount"),
        ("Things", "VAT 19 %", "-7.00 EUR"),
        ("Things", "VAT 7 %", "-5.00 EUR"),
        ("Things", "", "-3.00 EUR"),
        ("Together", "", "-15.00 EUR"),
        ("without tax", "VAT 19 %", "-5.88 EUR"),
        ("Tax", "VAT 19 %", "-1.12 EUR"),
        ("without tax", "VAT 7 %", "-4.67 EUR"),
        ("Tax", "VAT 7 %", "-0.33 EUR"),
    ]
    assert drawing.credit_note(note).content.startswith(b"%PDF-")


# ---- money that comes late


def test_money_for_an_order_that_was_given_up_makes_it_paid_and_a_letter_of_its_own_says_so(
    artist: Artist, till: Till
) -> None:
    order = make_order(artist)
    Order.update(checkout_state=CheckoutState.EXPIRED, checkout_as_of=NOW).where(
        Order.id == order.id
    ).execute()
    settling.settle(order.id, now=NOW)
    assert Order.get_by_id(order.id).state == OrderState.EXPIRED
    tell(pay(order.id, "pay_1", 1500, at=NOW + 40 * DAY))
    tell(pay(order.id, "pay_1", 1500, at=NOW + 40 * DAY))
    message = Message.get()
    assert (Order.get_by_id(order.id).state, message.kind) == (OrderState.PAID, "order_paid_late")
    assert ("had not been paid in time" in message.text, message.attached[:8]) == (True, "receipt:")


# ---- pure


@given(
    amounts=st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 400)), min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 10**6), max_size=6),
)
def test_however_a_receipt_is_credited_bit_by_bit_all_of_it_in_the_end_is_what_it_said(
    amounts: list[tuple[int, int]], cuts: list[int]
) -> None:
    whole = parts.summed(
        Part("VAT", bps, amount, min(tax, amount)) for bps, (amount, tax) in enumerate(amounts)
    )
    total = sum(part.amount_minor for part in whole.values())
    steps = sorted({cut % total for cut in cuts} | {0, total})
    done: list[Part] = []
    for before, after in itertools.pairwise(steps):
        taken = parts.taken(after - before, whole, parts.summed(done))
        assert sum(part.amount_minor for part in taken) == after - before
        assert all(part.amount_minor > 0 and part.tax_minor >= 0 for part in taken)
        done += taken
    assert parts.summed(done) == whole


def test_no_more_is_credited_than_the_receipt_says() -> None:
    gone = [Gone(NOW + DAY, "b", 700), Gone(NOW, "a", 500), Gone(NOW + 2 * DAY, "c", 400)]
    assert parts.credited(gone, total_minor=1000, above_minor=0) == {"a": 500, "b": 500, "c": 0}
    assert parts.credited(gone, total_minor=1000, above_minor=600) == {"a": 0, "b": 600, "c": 400}


def test_a_collective_has_its_name_on_the_letters(payment: Payment) -> None:
    letters.write_due(collective="The Harbour", now=NOW)
    assert (Receipt.get().collective, Message.get().sender) == ("The Harbour", "The Harbour")
