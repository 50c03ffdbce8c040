"""Payouts: what is owed leaves the balance once, arrives once, and comes back when it fails."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

import pytest

from appliance import chores
from appliance import database
from appliance import jobs
from appliance import processors
from appliance.accounts.letters import Letters
from appliance.billing import payout_checking
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.ledger import payments
from appliance.ledger import posting
from appliance.ledger.models import AccountKind
from appliance.ledger.payments import Sale
from appliance.mail import Message
from appliance.payments import AccountFact
from appliance.payments import Feature
from appliance.payments import Onboarding
from appliance.payments import PaymentFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState
from appliance.payouts import accounts
from appliance.payouts import bank_files
from appliance.payouts import iban
from appliance.payouts import requesting
from appliance.payouts import settling
from appliance.payouts.models import BANK
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_artist

IBAN = "DE89 3704 0044 0532 0130 00"


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


class Teller:
    """A provider that pays: it remembers what it was asked, by the mark, and fails when it is told to."""

    name, label = "teller", "Teller"
    features = frozenset({Feature.PAYOUTS, Feature.ONBOARDING})

    def __init__(self) -> None:
        self.paid: dict[str, PayoutRequest] = {}
        self.asked = 0
        self.fails: list[Exception] = []

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        self.asked += 1
        self.paid.setdefault(request.mark, request)
        if self.fails:
            raise self.fails.pop()
        return PayoutFact(f"po_{request.mark}", request.mark, PayoutState.IN_TRANSIT, NOW)

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        return Onboarding(account or "acct", "https://teller.example/")


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch) -> Teller:
    one = Teller()
    monkeypatch.setattr(processors, "every", lambda: (one,))
    return one


def earn(artist: Artist, amount_minor: int = 5000, *, currency: str = "EUR", reference: str = "p") -> None:
    fact = PaymentFact(reference, "mark", amount_minor, currency, NOW, fee_minor=0)
    payments.note(fact, Sale(artist.id, "", 0, []), provider="teller", now=NOW)


def bank(artist: Artist, number: str = IBAN, *, monthly: bool = True) -> PayoutAccount:
    return accounts.set_bank(
        artist,
        holder="Mira Tide",
        iban=number,
        monthly=monthly,
        actor=artist.owner,
        letters=Letters("The Collective", "en"),
        now=NOW,
    )


def through_teller(artist: Artist) -> None:
    PayoutAccount.create(
        payee=artist.id, provider="teller", account="acct", payable=True, as_of=NOW, created_at=NOW
    )


def owed(artist: Artist, currency: str = "EUR") -> int:
    return -posting.balance(AccountKind.PAYABLE, artist.id, currency)


def ask(artist: Artist, **named: object) -> tuple[Payout, Sequence[str]]:
    return requesting.request(artist, currency="EUR", minimum=10, now=NOW, **named)  # type: ignore[arg-type]


def test_what_is_owed_leaves_the_balance_and_arrives(appliance: Appliance, teller: Teller) -> None:
    artist = make_artist()
    earn(artist)
    through_teller(artist)
    payout, sent = ask(artist)
    assert (owed(artist), payout.amount_minor) == (0, 5000)
    jobs.send(sent[0])
    assert Payout.get().state == "in_transit"
    fact = PayoutFact("po", payout.id, PayoutState.PAID, NOW + timedelta(days=1))
    for _ in range(2):
        settling.note_payout(fact, provider="teller", now=NOW)
    assert Payout.get().state == "paid"
    assert posting.balance(AccountKind.PAID_OUT, "teller", "EUR") == -5000
    assert posting.balance(AccountKind.PAYOUTS_IN_TRANSIT, "teller", "EUR") == 0


def test_a_payout_that_fails_comes_back_to_the_balance_also_after_it_was_paid(
    appliance: Appliance, teller: Teller
) -> None:
    artist = make_artist()
    earn(artist)
    through_teller(artist)
    payout, _sent = ask(artist)
    for day, state in enumerate((PayoutState.PAID, PayoutState.FAILED), start=1):
        fact = PayoutFact("po", payout.id, state, NOW + timedelta(days=day), problem="The account is closed.")
        settling.note_payout(fact, provider="teller", now=NOW)
    assert (owed(artist), Payout.get().problem) == (5000, "The account is closed.")
    [letter] = Message.select().where(Message.kind == "payout_failed")
    assert (letter.to, "50.00 EUR" in letter.text, "The account is closed." in letter.text) == (
        artist.owner.email,
        True,
        True,
    )
    late = PayoutFact("po", payout.id, PayoutState.PAID, NOW)
    settling.note_payout(late, provider="teller", now=NOW)
    assert (owed(artist), Payout.get().state) == (5000, "failed")


def test_what_a_bank_pays_after_all_is_not_owed_again(appliance: Appliance, teller: Teller) -> None:
    artist = make_artist()
    earn(artist)
    through_teller(artist)
    payout, _sent = ask(artist)
    for day, state in enumerate((PayoutState.FAILED, PayoutState.PAID), start=1):
        settling.note_payout(
            PayoutFact("po", payout.id, state, NOW + timedelta(days=day)), provider="teller", now=NOW
        )
    assert (owed(artist), Payout.get().state) == (0, "paid")
    assert posting.balance(AccountKind.PAID_OUT, "teller", "EUR") == -5000
    with pytest.raises(Conflict, match="begin at 10"):
        ask(artist)


def test_a_payout_that_stands_otherwise_than_its_books_is_named(appliance: Appliance, teller: Teller) -> None:
    artist = make_artist()
    for number, state in enumerate((None, PayoutState.IN_TRANSIT, PayoutState.PAID, PayoutState.FAILED)):
        earn(artist, reference=f"p{number}")
        if not number:
            through_teller(artist)
        payout, _sent = ask(artist)
        if state is not None:
            fact = PayoutFact("po", payout.id, state, NOW + timedelta(days=1))
            settling.note_payout(fact, provider="teller", now=NOW)
    assert list(payout_checking.differences()) == []
    Payout.update(state="paid").where(Payout.id == payout.id).execute()
    [named] = payout_checking.differences()
    assert (named.row, "0 left the payee" in named.sentence) == (f"payout:{payout.id}", True)


def test_a_worker_that_dies_after_the_provider_paid_pays_nobody_twice(
    appliance: Appliance, teller: Teller
) -> None:
    artist = make_artist()
    earn(artist)
    through_teller(artist)
    teller.fails = [Unavailable("The line is cut after the money went.")]
    payout, sent = ask(artist)
    jobs.send(sent[0])
    assert Payout.get().state == "requested"
    jobs.Job.update(run_after=NOW - timedelta(days=9999)).execute()
    jobs.send(sent[0])
    assert (teller.asked, list(teller.paid), Payout.get().state) == (2, [payout.id], "in_transit")


@pytest.mark.parametrize("kind", [Invalid, Conflict, NotFound])
def test_what_a_provider_refuses_for_good_comes_back(
    appliance: Appliance, teller: Teller, kind: type[MusicConnectError]
) -> None:
    artist = make_artist()
    earn(artist)
    through_teller(artist)
    teller.fails = [kind("This account cannot be paid.")]
    _payout, sent = ask(artist)
    jobs.send(sent[0])
    assert (Payout.get().state, Payout.get().problem, owed(artist)) == (
        "failed",
        "This account cannot be paid.",
        5000,
    )


def test_payouts_begin_at_the_minimum_and_need_an_account(appliance: Appliance) -> None:
    artist = make_artist()
    earn(artist, 999)
    with pytest.raises(Conflict, match="no account"):
        ask(artist)
    bank(artist)
    with pytest.raises(Conflict, match="begin at 10 EUR"):
        ask(artist)
    earn(artist, 1, reference="q")
    assert ask(artist)[0].amount_minor == 1000


def test_of_many_requests_at_once_one_takes_the_balance(appliance: Appliance) -> None:
    artist = make_artist()
    earn(artist)
    bank(artist)
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(ask(artist)[0].amount_minor)
        except Conflict as error:
            outcomes.append(str(error))
        finally:
            database.close_thread()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one for one in outcomes if one == 5000] == [5000]
    assert (owed(artist), Payout.select().count()) == (0, 1)


def test_a_month_is_paid_once_however_often_its_run_begins(appliance: Appliance) -> None:
    artist, poor, idle = make_artist(), make_artist(name="Poor"), make_artist(name="Idle")
    for one in (artist, idle):
        earn(one, reference=one.id)
        bank(one, monthly=one is artist)
    earn(poor, 500, reference="poor")
    bank(poor)
    for _ in range(3):
        requesting.request_due(minimum=10, now=NOW)
    assert [(row.payee, row.run) for row in Payout.select()] == [(artist.id, "2026-05")]
    earn(artist, reference="more")
    requesting.request_due(minimum=10, now=NOW)
    assert Payout.select().count() == 1
    requesting.request_due(minimum=10, now=NOW + timedelta(days=31))
    assert Payout.select().count() == 2


def test_who_owns_an_artist_is_told_of_a_new_account_at_a_provider_once(
    appliance: Appliance, teller: Teller
) -> None:
    artist = make_artist()
    for _twice in range(2):
        accounts.onboard(
            artist, "teller", actor=artist.owner, return_to="/", letters=Letters("C", "en"), now=NOW
        )
    [letter] = Message.select().where(Message.kind == "payout_account_changed")
    assert (letter.to, "Teller" in letter.text) == (artist.owner.email, True)


def test_a_node_that_is_down_on_the_first_of_the_month_pays_on_the_second_or_third() -> None:
    due = chores.pay_out.task_class().validate_datetime
    assert [day for day in range(1, 32) if due(datetime(2026, 5, day, 4))] == [1, 2, 3]


def test_each_month_is_paid_to_the_account_that_is_paid_each_month(
    appliance: Appliance, teller: Teller
) -> None:
    artist = make_artist()
    earn(artist)
    through_teller(artist)
    bank(artist, monthly=False)
    assert ask(artist)[0].provider == BANK
    earn(artist, reference="more")
    requesting.request_due(minimum=10, now=NOW)
    assert [row.provider for row in Payout.select().where(Payout.run.is_null(False))] == ["teller"]


def test_a_name_that_no_bank_can_read_is_told_and_keeps_nobody_else_from_being_paid(
    appliance: Appliance,
) -> None:
    artist, other = make_artist(), make_artist(name="Other")
    with pytest.raises(Invalid, match="letters"):
        accounts.set_bank(
            artist,
            holder="🎵🎵",
            iban=IBAN,
            monthly=True,
            actor=artist.owner,
            letters=Letters("C", "en"),
            now=NOW,
        )
    for one in (artist, other):
        earn(one, reference=one.id)
        bank(one)
    PayoutAccount.update(holder="🎵🎵").where(PayoutAccount.payee == artist.id).execute()
    for one in (artist, other):
        ask(one)
    settings = Settings(bank_holder="The Collective eG", bank_iban="DE02120300000000202051")
    file = bank_files.make(settings, actor=artist.owner, now=NOW)
    assert (file.count, "<Nm>NOTPROVIDED</Nm>" in file.xml, "<Nm>Mira Tide</Nm>" in file.xml) == (
        2,
        True,
        True,
    )
    assert [iban.plain(name) for name in ("Ærø & Söhne", "<b>", "東京")] == ["AEro Sohne", "b", "Dong Jing"]


def test_a_file_for_the_bank_holds_each_payout_once_and_what_the_bank_returns_comes_back(
    appliance: Appliance,
) -> None:
    artist, other = make_artist(), make_artist(name="Ålesund & Söhne")
    for one in (artist, other):
        earn(one, reference=one.id)
        bank(one)
        ask(one)
    settings = Settings(bank_holder="The Collective eG", bank_iban="DE02120300000000202051")
    file = bank_files.make(settings, actor=artist.owner, now=NOW)
    assert (file.count, file.total_minor) == (2, 10000)
    assert file.xml.count("<EndToEndId>") == 2
    assert "DE89370400440532013000" in file.xml
    assert "<CtrlSum>100.00</CtrlSum>" in file.xml
    assert bank_files.table(file).count("50.00,EUR") == 2
    with pytest.raises(Conflict, match="No payout waits"):
        bank_files.make(settings, actor=artist.owner, now=NOW)
    first, second = requesting.newest(limit=2)
    bank_files.settle(first.id, paid=True, actor=artist.owner, now=NOW)
    with pytest.raises(Conflict, match="noted already"):
        bank_files.settle(first.id, paid=True, actor=artist.owner, now=NOW)
    bank_files.settle(second.id, paid=False, problem="Closed", actor=artist.owner, now=NOW)
    assert sorted((owed(artist), owed(other))) == [0, 5000]


def test_without_an_account_of_our_own_no_file_is_made(appliance: Appliance) -> None:
    artist = make_artist()
    earn(artist)
    bank(artist)
    ask(artist)
    with pytest.raises(Invalid, match="bank_holder"):
        bank_files.make(Settings(), actor=artist.owner, now=NOW)


@pytest.mark.parametrize(
    "number", ["", "DE89", "DE88370400440532013000", "DE8937040044053201300", "X" * 99, "DÉ893704"]
)
def test_a_number_that_is_no_iban_is_told(number: str) -> None:
    with pytest.raises(Invalid, match="IBAN"):
        iban.read(number)


def test_what_a_provider_says_of_an_account_is_noted_in_any_order(appliance: Appliance) -> None:
    artist = make_artist()
    PayoutAccount.create(payee=artist.id, provider="teller", as_of=NOW, created_at=NOW)
    for day in (2, 1):
        fact = AccountFact("acct", artist.id, day == 2, NOW + timedelta(days=day))
        settling.note_account(fact, provider="teller", now=NOW)
    account = accounts.chosen(artist.id)
    assert account is not None
    assert (account.account, account.payable) == ("acct", True)
    assert accounts.chosen(artist.id, BANK) is None
