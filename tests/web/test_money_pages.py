"""Money as artists see it: what is owed, statements, and the form of shares, which loses nothing."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask

from appliance import clock
from appliance.catalog import members
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.models import Track
from appliance.ledger import agreements
from appliance.ledger.agreements import Subject
from appliance.ledger.models import SplitAgreement
from appliance.ledger.payments import Sold
from appliance.mail import Message
from appliance.startup import Appliance
from tests.appliance.ledger.stories import contest
from tests.appliance.ledger.stories import give_back
from tests.appliance.ledger.stories import pay
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.web.test_studio import Browser

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def anna(artist: Person) -> Artist:
    return site.make_artist(artist)


@pytest.fixture
def ben(stranger: Person) -> Artist:
    return site.make_artist(stranger, name="Ben")


@pytest.fixture
def manager(app: Flask, anna: Artist) -> Browser:
    """One of the artist's people; its owner would need a second factor, once it earns."""
    person = site.make_person()
    members.join(anna, person.user, MemberRole.MANAGER, now=clock.now())
    return Browser(site.signed_in(app, person))


@pytest.fixture
def track(appliance: Appliance, artist: Person, anna: Artist) -> Track:
    return site.make_track(
        site.make_release(artist, artist=anna, title="Harbour"), appliance, title="Low Tide"
    )


def at(artist: Artist, page: str) -> str:
    return f"/studio/artists/{artist.slug}/{page}"


def rows(*written: tuple[str, str], recoup: str = "", **fields: str) -> dict[str, object]:
    return {
        "payee": [payee for payee, _share in written],
        "share": [share for _payee, share in written],
        "recoup": [recoup for _row in written],
        "currency": ["EUR" for _row in written],
        **fields,
    }


def test_who_earned_nothing_is_told_so(manager: Browser, anna: Artist) -> None:
    page = manager.page(at(anna, "money"))
    assert "Nothing earned yet" in page
    assert 'href="/studio/artists/' in page
    statement = manager.page(at(anna, "statement"))
    assert "Nothing came or went on these days" in statement


def test_what_is_owed_held_and_available_stands_by_currency(manager: Browser, anna: Artist) -> None:
    pay(anna.id, 10_000, number=1, at=clock.now())
    pay(anna.id, 1000, number=2, currency="JPY", at=clock.now())
    pay(anna.id, 1000, number=3, currency="KWD", at=clock.now())
    contest(1000, at=clock.now())
    page = manager.page(at(anna, "money"))
    for figure in ("€75.97", "€9.00", "€66.97", "¥847", "KWD\xa00.847"):
        assert figure in page.replace("&nbsp;", "\xa0"), figure


def test_a_statement_shows_every_cent_and_goes_on_page_by_page(manager: Browser, anna: Artist) -> None:
    now = clock.now()
    for number in range(150):
        pay(anna.id, number=number, sold=(Sold("Low <Tide>", 1),), at=now)
    give_back(1000, of=0, at=now)
    page = manager.page(at(anna, "statement"))
    assert page.count("Low &lt;Tide&gt;") == 100
    assert ("€1,270.50" in page, "Balance after" in page) == (True, True)
    later = re.search(r'href="([^"]*statement[^"]*after=[^"]*)"[^>]*>.*?Later', page)
    assert later
    second = manager.page(later[1].replace("&amp;", "&"))
    assert second.count("Low &lt;Tide&gt;") == 51
    assert "-€9.06" in second
    earlier = re.search(r'href="([^"]*statement[^"]*before=[^"]*)"', second)
    assert earlier
    assert manager.page(earlier[1].replace("&amp;", "&")).count("Low &lt;Tide&gt;") == 100


def test_a_statement_costs_as_many_queries_for_many_lines_as_for_few(manager: Browser, anna: Artist) -> None:
    for number in range(40):
        pay(anna.id, number=number, sold=(Sold("Low Tide", 1),), at=clock.now() - timedelta(days=number))
    today = clock.now().date().isoformat()
    few = least(lambda: manager.page(at(anna, f"statement?first={today}&last={today}")))
    many = least(lambda: manager.page(at(anna, f"statement?first=2020-01-01&last={today}")))
    assert many == few


def test_a_statement_is_taken_away_as_csv_and_on_paper(manager: Browser, anna: Artist) -> None:
    pay(anna.id, sold=(Sold("=1+1", 1),), at=clock.now())
    answer = manager.client.get(at(anna, "statement.csv?currency=EUR"))
    assert answer.mimetype == "text/csv"
    assert f"filename={anna.slug}-EUR-" in answer.headers["Content-Disposition"]
    told = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [(row["for"], row["balance"]) for row in told][1:] == [("'=1+1", "8.47"), ("", "8.47")]
    paper = manager.client.get(at(anna, "statement.pdf?currency=EUR"))
    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("first=2026-13-01", "Write the day like this"),
        ("first=2026-02-01&last=2026-01-01", "not before its first"),
        ("currency=XXX", "three letters such as EUR"),
        ("currency=%3Cscript%3E", "three letters such as EUR"),
    ],
)
def test_a_period_that_is_none_comes_back_with_a_sentence(
    manager: Browser, anna: Artist, query: str, sentence: str
) -> None:
    assert sentence in manager.page(at(anna, f"statement?{query}"), 422)
    assert manager.client.get(at(anna, f"statement.csv?{query}")).status_code == 422
    assert manager.client.get(at(anna, "statement?after=-5&before=99999999999999999999")).status_code == 200


def test_shares_are_agreed_on_and_their_history_is_listed(
    manager: Browser, anna: Artist, ben: Artist
) -> None:
    page = manager.send_text(
        at(anna, "splits"), **rows((anna.slug, "60"), ("http://localhost/@ben", "40 %"), ("", ""))
    )
    assert ("Agreed." in page, "60.00 % to" in page, "40.00 % to Ben" in page, "holds now" in page) == (
        True,
        True,
        True,
        True,
    )
    assert Message.get().to == ben.owner.email
    day = (clock.now() + timedelta(days=40)).date().isoformat()
    page = manager.send_text(
        at(anna, "splits"), **rows((anna.slug, "0"), ("ben", "100"), recoup="25", **{"from": day})
    )
    assert ("€25.00 first, then 100.00 % to Ben" in page, "coming" in page) == (True, True)
    coming = agreements.history(Subject(anna))[0]
    page = manager.send_text(at(anna, f"splits/agreements/{coming.id}/take-back"))
    assert ("The agreement is taken back." in page, "coming" in page) == (True, False)
    now = agreements.history(Subject(anna))[0]
    page = manager.send_text(at(anna, f"splits/agreements/{now.id}/take-back"))
    assert "This agreement has begun" in page


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (rows(("night-ferry", "99.99")), "add up to 99.99 %; they must be 100 % exactly"),
        (rows(("ben", "50"), ("ben", "50")), "Ben stands there twice"),
        (rows(("nobody", "100")), "There is no artist &#39;nobody&#39; here"),
        (rows(("ben", "-5")), "Write a share in percent"),
        (rows(("ben", "1e2")), "Write a share in percent"),
        (rows(("ben", "1000000000000")), "Write a share in percent"),
        (rows(("ben", "100"), recoup="1000000000000"), "This amount is too large."),
        (rows(("ben", "100"), recoup="x"), "Write the price like this"),
        (rows(("ben", "100"), **{"from": "2020-01-01"}), "cannot begin in the past"),
        (rows(("ben", "100"), **{"from": "soon"}), "Write the day like this"),
        (rows(), "Name at least one payee"),
        (rows(*[("ben", "1")] * 51), "at most 50 parts"),
    ],
)
def test_what_cannot_be_agreed_comes_back_in_the_form_with_a_sentence(
    manager: Browser, anna: Artist, ben: Artist, sent: dict[str, object], sentence: str
) -> None:
    answer = manager.send(at(anna, "splits"), **sent)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, sentence in page) == (422, True)
    for share in sent["share"]:  # type: ignore[attr-defined]
        assert f'value="{share}"' in page
    assert not SplitAgreement.select().exists()


def test_rows_come_and_go_without_scripts(manager: Browser, anna: Artist, ben: Artist) -> None:
    answer = manager.send(at(anna, "splits"), **rows(("ben", "31"), ("anna", "69")), act="add_link")
    page = answer.get_data(as_text=True)
    assert (answer.status_code, page.count('name="payee"')) == (422, 3)
    page = manager.send_text(at(anna, "splits"), **rows(("ben", "31"), ("anna", "69")), act="remove_link:0")
    assert (page.count('name="payee"'), 'value="31"' in page, 'value="69"' in page) == (1, False, True)
    assert not SplitAgreement.select().exists()


def test_a_release_and_a_track_have_shares_of_their_own(
    manager: Browser, anna: Artist, ben: Artist, track: Track
) -> None:
    above = manager.page(at(anna, "splits"))
    release, single = at(anna, f"splits/releases/{track.release_id}"), at(anna, f"splits/tracks/{track.id}")
    assert f'href="{release}"' in above
    page = manager.page(release)
    assert (f'href="{single}"' in page, "shared as all else is" in page) == (True, True)
    assert "100.00 % to Ben" in manager.send_text(release, **rows(("ben", "100")))
    assert "50.00 % to Ben" in manager.send_text(single, **rows(("ben", "50"), (anna.slug, "50")))
    assert "Shared by its own agreement" in manager.page(at(anna, "splits"))
    assert manager.client.get(at(ben, f"splits/releases/{track.release_id}")).status_code == 403


def test_another_artists_release_is_not_found(
    app: Flask, ben: Artist, stranger: Person, track: Track
) -> None:
    browser = site.signed_in(app, stranger)
    for path in (f"splits/releases/{track.release_id}", f"splits/tracks/{track.id}"):
        assert browser.get(at(ben, path)).status_code == 404


def test_once_it_earns_its_owner_needs_a_second_factor_for_it(
    app: Flask, anna: Artist, artist: Person, ben: Artist, stranger: Person
) -> None:
    browser = site.signed_in(app, artist)
    assert browser.get(at(anna, "money")).status_code == 200
    pay(anna.id, at=clock.now())
    assert browser.get(at(anna, "money")).status_code != 200
