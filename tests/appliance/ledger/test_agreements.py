"""Agreements on sharing: what can be agreed, from when on it holds, and what cannot be taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appliance.accounts import audit
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.ledger import agreements
from appliance.ledger import posting
from appliance.ledger.agreements import Subject
from appliance.ledger.agreements import Wanted
from appliance.ledger.models import AccountKind
from appliance.ledger.models import SplitAgreement
from appliance.ledger.payments import Sold
from appliance.mail import Message
from appliance.startup import Appliance
from tests.appliance.ledger.stories import give_back
from tests.appliance.ledger.stories import letters
from tests.appliance.ledger.stories import pay
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def anna(appliance: Appliance) -> Artist:
    return make_artist(name="Anna", slug="anna")


@pytest.fixture
def ben(appliance: Appliance) -> Artist:
    return make_artist(name="Ben", slug="ben")


def agree(subject: Subject | Artist, *wanted: Wanted, days: int | None = None) -> SplitAgreement:
    subject = subject if isinstance(subject, Subject) else Subject(subject)
    return agreements.make(
        subject,
        wanted,
        starts_at=None if days is None else NOW + timedelta(days=days),
        actor=subject.artist.owner,
        letters=letters(),
        now=NOW,
    )


def owed(artist: Artist, currency: str = "EUR") -> int:
    return -posting.balance(AccountKind.PAYABLE, artist.id, currency)


def test_an_agreement_holds_from_its_instant_on_and_its_history_stays(anna: Artist, ben: Artist) -> None:
    agree(anna, Wanted("anna", 6000), Wanted("ben", 4000))
    agree(anna, Wanted("anna", 10_000), days=30)
    pay(anna.id, number=1, paid_at=NOW - timedelta(seconds=1))
    assert (owed(anna), owed(ben)) == (847, 0)
    pay(anna.id, number=2)
    assert (owed(anna), owed(ben)) == (847 + 508, 339)
    pay(anna.id, number=3, paid_at=NOW + timedelta(days=30))
    assert (owed(anna), owed(ben)) == (847 + 508 + 847, 339)
    found = agreements.history(Subject(anna))
    assert [len(agreements.parts(found)[row.id]) for row in found] == [1, 2]


def test_a_refund_is_taken_from_whom_the_money_went_to_whatever_was_agreed_since(
    anna: Artist, ben: Artist
) -> None:
    agree(anna, Wanted("anna", 5000), Wanted("ben", 5000))
    pay(anna.id)
    agree(anna, Wanted("anna", 10_000), days=1)
    give_back(1000, at=NOW + timedelta(days=2))
    assert (owed(anna), owed(ben)) == (-30, -29)


def test_a_tracks_own_agreement_goes_before_its_releases_and_that_before_the_artists(
    anna: Artist, ben: Artist
) -> None:
    release = make_release(anna)
    track, other = add_track(release), add_track(release)
    agree(anna, Wanted("ben", 10_000))
    agree(Subject(anna, release), Wanted("anna", 10_000))
    agree(Subject(anna, release, track), Wanted("anna", 1), Wanted("ben", 9999))
    pay(anna.id, number=1, sold=(Sold("x", 1, release.id, track.id),))
    assert (owed(anna), owed(ben)) == (0, 847)
    pay(anna.id, number=2, sold=(Sold("x", 1, "", track.id),))
    assert (owed(anna), owed(ben)) == (0, 1694)
    pay(anna.id, number=3, sold=(Sold("x", 1, release.id, other.id),))
    assert (owed(anna), owed(ben)) == (847, 1694)
    pay(anna.id, number=4, sold=(Sold("tip", 1),))
    assert (owed(anna), owed(ben)) == (847, 2541)
    assert agreements.shared_things(anna) == {release.id, track.id}
    assert (Subject(anna, release, track).title, Subject(anna).title) == ("Low Tide", "Anna")


def test_who_lent_money_gets_it_back_first_in_its_own_currency_only(anna: Artist, ben: Artist) -> None:
    agree(anna, Wanted("anna", 10_000), Wanted("ben", 0, 2000, "EUR"))
    pay(anna.id, number=1)
    pay(anna.id, number=2, currency="USD")
    assert (owed(anna), owed(ben), owed(anna, "USD")) == (0, 847, 847)
    pay(anna.id, 2000, number=3, fee=0)
    assert (owed(anna), owed(ben)) == (647, 2000)


@pytest.mark.parametrize(
    ("wanted", "sentence", "field"),
    [
        ([], "Name at least one payee", "payee-1"),
        ([Wanted("anna", 9999)], "add up to 99.99 %; they must be 100 % exactly", None),
        ([Wanted("anna", 9000), Wanted("ben", 1001)], "add up to 100.01 %", None),
        ([Wanted("anna", 5000), Wanted("anna", 5000)], "Anna stands there twice", "payee-2"),
        ([Wanted("nobody", 10_000)], "There is no artist 'nobody' here", "payee-1"),
        ([Wanted("anna", 10_001), Wanted("ben", -1)], "from 0 to 100 percent", "share-1"),
        ([Wanted("anna", 10_000), Wanted("ben", 0)], "gets nothing", "share-2"),
        ([Wanted("anna", 10**12)], "from 0 to 100 percent", "share-1"),
        ([Wanted("anna", 10_000, 10**12, "EUR")], "from nothing to 999,999,999", "recoup-1"),
        ([Wanted("anna", 10_000, -1, "EUR")], "from nothing to 999,999,999", "recoup-1"),
        ([Wanted("anna", 10_000, 5, "XXX")], "in which currency", "currency-1"),
        ([Wanted("anna", 200)] * 51, "at most 50 parts; this one has 51", None),
    ],
)
def test_what_cannot_be_agreed_is_said_clearly_and_nothing_is_stored(
    anna: Artist, ben: Artist, wanted: list[Wanted], sentence: str, field: str | None
) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        agree(anna, *wanted)
    assert refused.value.field == field
    assert not SplitAgreement.select().exists()


def test_an_agreement_begins_neither_in_the_past_nor_twice_at_once_nor_in_a_far_future(anna: Artist) -> None:
    for days in (-1, 10_000):
        with pytest.raises(Invalid) as refused:
            agree(anna, Wanted("anna", 10_000), days=days)
        assert refused.value.field == "from"
    agree(anna, Wanted("anna", 10_000), days=3)
    with pytest.raises(Conflict):
        agree(anna, Wanted("anna", 10_000), days=3)


def test_the_owner_of_another_artist_is_told_by_mail_and_the_trail_keeps_it(
    anna: Artist, ben: Artist
) -> None:
    made = agree(anna, Wanted(anna.id, 6667), Wanted(ben.id, 3333))
    message = Message.get()
    assert message.to == ben.owner.email
    assert "Ben gets 33.33 % of “Anna”" in message.text
    entry = audit.entries(limit=1)[0]
    assert (entry.action, entry.subject) == ("split.agreed", f"artist:{anna.id}")
    assert audit.facts(entry)["parts"] == [f"{anna.id} 6667", f"{ben.id} 3333"]
    assert made.made_by == anna.owner_id


def test_fifty_payees_fit_into_the_trail(anna: Artist) -> None:
    owner = make_user()
    payees = [make_artist(owner, name=f"Payee {number}") for number in range(50)]
    agree(anna, *(Wanted(payee.id, 200, 10**11, "EUR") for payee in payees))
    assert len(audit.facts(audit.entries(limit=1)[0])["parts"]) == 50
    assert Message.select().count() == 50


def test_only_what_has_not_begun_can_be_taken_back(anna: Artist, ben: Artist) -> None:
    now = agree(anna, Wanted("ben", 10_000))
    later = agree(anna, Wanted("anna", 10_000), days=1)
    agreements.take_back(anna, later.id, actor=anna.owner, now=NOW)
    with pytest.raises(Conflict):
        agreements.take_back(anna, now.id, actor=anna.owner, now=NOW)
    with pytest.raises(NotFound):
        agreements.take_back(ben, now.id, actor=ben.owner, now=NOW)
    assert [row.id for row in agreements.history(Subject(anna))] == [now.id]


@pytest.mark.parametrize(
    ("text", "bps"), [("33.34", 3334), (" 100 % ", 10_000), ("0,5", 50), ("7", 700), ("0", 0)]
)
def test_shares_are_read_as_people_write_them(text: str, bps: int) -> None:
    assert agreements.read_share(text) == bps


@pytest.mark.parametrize("text", ["", "-1", "100.01", "33.333", "1e2", "٣", "nan", "999999999999", ".5"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="in percent"):
        agreements.read_share(text)
