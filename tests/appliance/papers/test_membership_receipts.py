"""Receipts of memberships: one for each payment, numbered with those of the shop, told of once, and drawn whatever the names are."""

from __future__ import annotations

import threading
from datetime import timedelta
from email import message_from_string
from email.policy import default

import pytest

from appliance import database
from appliance import hooks
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.ledger import checking as books
from appliance.ledger.models import Account
from appliance.ledger.models import Payment
from appliance.mail import Message
from appliance.mail import attachments
from appliance.mail import letter
from appliance.memberships import subscription_letters
from appliance.memberships import subscriptions
from appliance.memberships import tiers
from appliance.memberships.models import Tier
from appliance.memberships.subscription_invoicing import Invoiced
from appliance.memberships.subscription_models import Subscription
from appliance.papers import drawing
from appliance.papers import issuing
from appliance.papers import letters
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import PaymentFact
from appliance.payments import TaxableSale
from appliance.payments import TaxRate
from appliance.shop import receipts as of_orders
from appliance.shop.models import CreditNote
from appliance.shop.models import Receipt
from appliance.shop.models import Seller
from tests.appliance.papers.stories import begin
from tests.appliance.papers.stories import deliver
from tests.appliance.papers.stories import give_back
from tests.appliance.papers.stories import join
from tests.appliance.papers.stories import pay
from tests.appliance.papers.stories import receipts
from tests.appliance.papers.stories import tell
from tests.appliance.papers.stories import tier_of
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_user
from tests.tills import Till

DAY = timedelta(days=1)
ARABIC = "ليلة على الميناء القديم"


@pytest.fixture
def taxed(monkeypatch: pytest.MonkeyPatch) -> list[TaxableSale]:
    """19 % in Germany, and 21 from July on; what was asked."""
    asked: list[TaxableSale] = []

    def rate(hook: str, sale: TaxableSale) -> TaxRate | None:
        asked.append(sale)
        if sale.country != "DE":
            return None
        return TaxRate("VAT", 2100 if sale.paid_at and sale.paid_at.month >= 7 else 1900)

    monkeypatch.setattr(hooks, "has", lambda hook: hook == "tax_rate")
    monkeypatch.setattr(hooks, "first", rate)
    return asked


def owed_in_taxes() -> int:
    return sum(-row.balance_minor for row in Account.select().where(Account.kind == "taxes"))


def test_each_payment_has_one_receipt_with_the_next_number(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    till.turn(NOW + 70 * DAY)
    deliver(till)
    found = receipts()
    assert [receipt.number for receipt in found] == [1, 2, 3]
    assert {receipt.payment for receipt in found} == {payment.id for payment in Payment.select()}
    user = User.get_by_id(row.user_id)
    [first, *_rest] = found
    assert (first.subscription, first.email, first.user, first.thing) == (
        row.id,
        user.email,
        user.id,
        "Supporter",
    )
    assert (first.seller, first.artist_name) == (artist.name, artist.name)


def test_a_proration_has_a_receipt_too(artist: Artist, till: Till) -> None:
    row = subscriptions.find_any(join(artist, till).id)
    till.turn(NOW + 10 * DAY)
    act = subscriptions.preview_change(row, tier_of(artist, "superfan").id, "month", now=till.now)
    subscriptions.change(row, act.id, now=till.now)
    deliver(till)
    assert [Payment.get_by_id(receipt.payment).amount_minor for receipt in receipts()] == [
        500,
        act.due_now_minor,
    ]


def test_a_trial_costs_nothing_and_has_no_receipt(artist: Artist, till: Till) -> None:
    Tier.update(trial_days=14).where(Tier.id == tier_of(artist).id).execute()
    row = join(artist, till)
    tell(pay(row.id, "in_trial", 0))
    assert (receipts(), Payment.select().count()) == ([], 1)
    till.turn(NOW + 15 * DAY)
    deliver(till)
    assert len(receipts()) == 1


def test_whatever_is_told_how_often_in_whatever_order_there_is_one_number_for_each_payment(
    artist: Artist, till: Till
) -> None:
    row = begin(artist)
    facts = [pay(row.id, f"pay_{number}", at=NOW + number * DAY) for number in range(4)]
    tell(facts[2], facts[0], facts[2])
    tell(facts[3], now=NOW + 40 * DAY)
    tell(*facts, now=NOW + 50 * DAY)
    issuing.catch_up(now=NOW + 51 * DAY)
    found = receipts()
    assert [receipt.number for receipt in found] == [1, 2, 3, 4]
    assert len({receipt.payment for receipt in found}) == 4
    assert Seller.get(Seller.artist == artist.id).last_number == 4


def test_a_number_that_is_rolled_back_is_nobodys(artist: Artist, till: Till) -> None:
    row = begin(artist)
    with pytest.raises(RuntimeError), transaction():
        tell(pay(row.id, "pay_1"))
        assert len(receipts()) == 1
        raise RuntimeError("the process dies")
    tell(pay(row.id, "pay_2"))
    assert [receipt.number for receipt in receipts()] == [1]


def test_payments_at_once_for_one_seller_have_numbers_without_gaps(artist: Artist, till: Till) -> None:
    rows = [begin(artist) for _ in range(6)]
    facts = [pay(row.id, f"pay_{row.id}") for row in rows]
    gate = threading.Barrier(12)
    problems: list[Exception] = []

    def work(fact: PaymentFact) -> None:
        try:
            gate.wait(timeout=30)
            tell(fact)
        except Exception as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=work, args=(fact,)) for fact in facts * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    found = receipts()
    assert [receipt.number for receipt in found] == [1, 2, 3, 4, 5, 6]
    assert len({receipt.payment for receipt in found}) == 6


def test_sellers_count_each_for_themselves(artist: Artist, till: Till) -> None:
    for one in (artist, make_artist(slug="other"), artist):
        tell(pay(begin(one).id, f"pay_{one.id}_{Receipt.select().count()}"))
    assert sorted(receipt.number for receipt in receipts()) == [1, 1, 2]


def test_payments_from_before_there_were_receipts_have_theirs_without_a_letter(
    artist: Artist, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = begin(artist)
    monkeypatch.setattr(issuing, "settle", lambda marks, now: None)
    tell(pay(row.id, "pay_1"))
    monkeypatch.undo()
    issuing.catch_up(now=NOW + 200 * DAY)
    assert len(receipts()) == 1
    assert letters.write_due(collective="The Harbour", now=NOW + 200 * DAY) == []


# ---- letters


def test_one_letter_brings_the_receipt_in_the_language_of_the_member(artist: Artist, till: Till) -> None:
    row = join(artist, till, locale="de")
    Subscription.update(locale="de").where(Subscription.id == row.id).execute()
    assert len(letters.write_due(collective="The Harbour", now=NOW)) == 1
    assert letters.write_due(collective="The Harbour", now=NOW) == []
    message = Message.get(Message.kind == "membership_receipt")
    [receipt] = receipts()
    assert (message.to, message.attached) == (receipt.email, f"receipt:{receipt.id}")
    assert f"/memberships/{row.id}" in message.text
    paper = attachments.drawn(message.attached)
    sent = letter.compose(message, paper, mail_from="post@music.example", to=message.to, now=NOW)
    [part] = message_from_string(sent.as_string(), policy=default).iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == ("application/pdf", "2026-000001.pdf")
    assert part.get_content().startswith(b"%PDF-")


def test_who_left_is_written_no_letter_and_the_receipt_stays(artist: Artist, till: Till) -> None:
    row = begin(artist)
    User.delete().where(User.id == row.user_id).execute()
    tell(pay(row.id, "pay_1"))
    assert letters.write_due(collective="The Harbour", now=NOW) == []
    assert [(receipt.number, receipt.email) for receipt in receipts()] == [(1, "")]


def test_a_letter_waits_where_nobody_can_draw_what_goes_with_it() -> None:
    with pytest.raises(Unavailable):
        attachments.drawn("poem:1")


def test_a_till_that_was_given_up_and_is_paid_after_all_is_told_so(artist: Artist, till: Till) -> None:
    row = begin(artist)
    till.leave(row.id)
    deliver(till)
    till.turn(NOW + 3 * DAY)
    till.pay(row.id)
    deliver(till)
    subscription_letters.write_due(collective="The Harbour", now=till.now)
    subscription_letters.write_due(collective="The Harbour", now=till.now)
    assert [message.kind for message in Message.select()] == ["membership_late"]
    assert "that was given up" in Message.get().text


def test_who_joined_anew_meanwhile_is_told_that_the_late_money_goes_back(artist: Artist, till: Till) -> None:
    user = make_user()
    first = begin(artist, user)
    tell(CheckoutFact(f"co_{first.id}", first.id, CheckoutState.EXPIRED, NOW))
    join(artist, till, user)
    till.pay(first.id)
    deliver(till)
    subscription_letters.write_due(collective="The Harbour", now=till.now)
    assert sorted(message.kind for message in Message.select()) == ["membership_twice", "membership_welcome"]


# ---- taxes


def test_the_tax_is_of_the_day_of_each_payment_and_the_shares_are_of_the_rest(
    artist: Artist, till: Till, taxed: list[TaxableSale]
) -> None:
    row = join(artist, till, invoiced=Invoiced("de", "de 123"))
    assert (row.country, row.business_number) == ("DE", "DE 123")
    till.turn(NOW + 70 * DAY)
    deliver(till)
    rows = list(Payment.select().order_by(Payment.paid_at))
    assert [(one.tax_minor, one.tax_name, one.tax_bps) for one in rows] == [
        (80, "VAT", 1900),
        (80, "VAT", 1900),
        (87, "VAT", 2100),
    ]
    assert {(sale.kind, sale.country, sale.business_number) for sale in taxed} == {
        ("membership", "DE", "DE 123")
    }
    assert owed_in_taxes() == 247
    # 5.00 less the tax of 0.80 less the fee of 0.30 are 3.90, of which 0.39 are the collective's.
    platform = Account.get(Account.kind == "platform_share")
    assert -platform.balance_minor == 39 + 39 + 38
    assert books.differences() == []


def test_what_a_provider_tells_of_the_tax_wins_also_when_it_tells_it_later(
    artist: Artist, till: Till, taxed: list[TaxableSale]
) -> None:
    row = begin(artist, invoiced=Invoiced("DE"))
    tell(pay(row.id, "pay_1", tax_minor=33), pay(row.id, "pay_2", tax_minor=0), pay(row.id, "pay_3"))
    tell(pay(row.id, "pay_1"), pay(row.id, "pay_3", tax_minor=35))
    found = {one.reference: (one.tax_minor, one.tax_name) for one in Payment.select()}
    assert found == {"pay_1": (33, ""), "pay_2": (0, ""), "pay_3": (35, "")}
    assert len(taxed) == 1
    assert owed_in_taxes() == 68
    assert books.differences() == []


def test_what_is_told_of_the_tax_after_a_receipt_was_written_changes_no_paper(
    artist: Artist, till: Till, taxed: list[TaxableSale]
) -> None:
    row = begin(artist, invoiced=Invoiced("DE"))
    tell(pay(row.id, "pay_1", 1190))
    payment = Payment.get()
    tell(give_back(payment, 595, number=1))
    tell(pay(row.id, "pay_1", 1190, tax_minor=0))
    tell(give_back(payment, 595, number=2))
    [receipt] = receipts()
    assert (receipt.tax_name, receipt.tax_bps, receipt.tax_minor) == ("VAT", 1900, 190)
    assert [note.tax_minor for note in CreditNote.select().order_by(CreditNote.number)] == [95, 95]
    assert Payment.get().tax_minor == 0, "the books follow"
    assert books.differences() == []


def test_whoever_is_taxed_says_where_they_are_and_what_cannot_be_is_refused(
    artist: Artist, till: Till, taxed: list[TaxableSale]
) -> None:
    for wrong in (Invoiced(), Invoiced("Germany"), Invoiced("DE", "!"), Invoiced("DE", name="x" * 201)):
        with pytest.raises(Invalid):
            begin(artist, invoiced=wrong)
    assert Subscription.select().count() == 0


def test_a_payment_waits_while_nobody_can_say_its_tax(
    artist: Artist, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(hook: str, sale: TaxableSale) -> TaxRate | None:
        raise Unavailable("The plugin 'taxes' failed.")

    row = begin(artist)
    monkeypatch.setattr(hooks, "has", lambda hook: hook == "tax_rate")
    monkeypatch.setattr(hooks, "first", fails)
    with pytest.raises(Unavailable):
        tell(pay(row.id, "pay_1"))
    assert (Payment.select().count(), receipts()) == (0, [])


# ---- on paper


def test_the_receipt_names_seller_buyer_period_and_tax(
    artist: Artist, till: Till, taxed: list[TaxableSale]
) -> None:
    of_orders.describe_seller(
        artist, name="Ferry Ltd", address="Quay 1\nHull", tax_number="GB 123", actor=artist.owner, now=NOW
    )
    row = join(artist, till, invoiced=Invoiced("DE", "DE 1", "Fan & Sons", "Street 2\n20457 Hamburg"))
    Receipt.update(collective="The Harbour").execute()
    [receipt] = receipts()
    sheet = drawing.of_membership(receipt, Payment.get_by_id(receipt.payment), str)
    assert sheet.facts[-1] == "Paid for: 2026-05-01 – 2026-06-01"
    assert sheet.people == [
        "Sold by: Ferry Ltd",
        "Quay 1",
        "Hull",
        "VAT number: GB 123",
        "through The Harbour",
        "",
        "Sold to: Fan & Sons",
        "Street 2",
        "20457 Hamburg",
        receipt.email,
        "Country: DE",
        "VAT number: DE 1",
    ]
    assert sheet.rows[1:] == [
        (f"{artist.name}: Supporter", "VAT 19 %", "5.00 EUR"),
        ("Together", "", "5.00 EUR"),
        ("without tax", "VAT 19 %", "4.20 EUR"),
        ("Tax", "VAT 19 %", "0.80 EUR"),
    ]
    assert row.buyer_name == "Fan & Sons"


@pytest.mark.parametrize("name", [ARABIC, "渡し船の夜", "밤의 나룻배", "מעבורת לילה", "🌊 tides", "x" * 200])
def test_whatever_people_are_called_their_receipt_can_be_drawn(artist: Artist, till: Till, name: str) -> None:
    join(artist, till, invoiced=Invoiced(name=name, address=f"{name}\n" * 2))
    [receipt] = receipts()
    paper = drawing.receipt(receipt)
    assert paper.content.startswith(b"%PDF-")
    assert drawing.receipt(receipt).content == paper.content


def test_the_receipt_stays_as_it_was_when_all_is_called_otherwise_later(artist: Artist, till: Till) -> None:
    join(artist, till, invoiced=Invoiced(name="Before"))
    Subscription.update(buyer_name="After").execute()
    Tier.update(name="Other").where(Tier.id == tiers.of_artist(artist)[1].id).execute()
    [receipt] = receipts()
    assert (receipt.buyer_name, receipt.thing) == ("Before", "Supporter")
