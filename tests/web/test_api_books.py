"""An artist's books through the interface: what is owed, every cent, shares, payouts; and what admins look after."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.catalog import members
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.database import new_id
from appliance.ledger import alarms
from appliance.ledger import payments
from appliance.ledger.checking import Difference
from appliance.ledger.models import SplitAgreement
from appliance.ledger.payments import Sale
from appliance.mail import Message
from appliance.payments import PaymentFact
from appliance.payouts.models import BANK
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")
MONEY = (Scope.MONEY_READ, Scope.MONEY_WRITE)
IBAN = "DE89370400440532013000"


@pytest.fixture
def owner(appliance: Appliance) -> Person:
    return site.make_person(scopes=(*MONEY, Scope.MONEY_PAYOUT))


@pytest.fixture
def band(owner: Person) -> Artist:
    return site.make_artist(owner)


@pytest.fixture
def admin(appliance: Appliance) -> Person:
    return site.make_person(roles=(RoleName.ADMIN,), scopes=tuple(Scope))


def earn(artist: Artist, number: int = 1, amount: int = 5000) -> None:
    fact = PaymentFact(f"pay_{number}", f"mark_{number}", amount, "EUR", clock.now(), fee_minor=0)
    payments.note(fact, Sale(artist.id, "", 1000, []), provider="demo", now=clock.now())


def set_account(artist: Artist) -> PayoutAccount:
    return PayoutAccount.create(
        payee=artist.id,
        provider=BANK,
        account=IBAN,
        holder="Mira Tide",
        payable=True,
        as_of=clock.now(),
        created_at=clock.now(),
    )


def of(artist: Artist) -> str:
    return f"/api/v1/artists/{artist.slug}"


def ask(client: FlaskClient, who: Person, artist: Artist, key: str = "", **sent: Any) -> Any:
    headers = {**who.headers, "Idempotency-Key": key or new_id()}
    return client.post(f"{of(artist)}/payouts", json={"currency": "EUR", **sent}, headers=headers)


def test_what_is_owed_and_every_cent_of_it_are_told(client: FlaskClient, owner: Person, band: Artist) -> None:
    assert client.get(f"{of(band)}/balance", headers=owner.headers).json == {"items": []}
    empty = client.get(f"{of(band)}/statement", headers=owner.headers).json
    assert (empty["items"], empty["currency"], empty["closing_minor"]) == ([], "EUR", 0)
    for number in range(3):
        earn(band, number)
    [euros] = client.get(f"{of(band)}/balance", headers=owner.headers).json["items"]
    assert (euros["owed_minor"], euros["available_minor"], euros["least_payout_minor"]) == (
        13500,
        13500,
        1000,
    )
    first = client.get(f"{of(band)}/statement?limit=2", headers=owner.headers).json
    assert [(row["amount_minor"], row["balance_minor"]) for row in first["items"]] == [
        (4500, 4500),
        (4500, 9000),
    ]
    assert (first["opening_minor"], first["closing_minor"]) == (0, 13500)
    assert first["sums"] == [{"kind": first["items"][0]["kind"], "amount_minor": 13500}]
    where = f"{of(band)}/statement?limit=2&cursor={first['next_cursor']}"
    rest = client.get(where, headers=owner.headers).json
    assert ([row["balance_minor"] for row in rest["items"]], rest["next_cursor"]) == ([13500], None)
    table = client.get(f"{of(band)}/statement.csv", headers=owner.headers)
    assert len(table.text.splitlines()) == 6
    assert f"{band.slug}-EUR-" in table.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("first=yesterday", "first"),
        ("first=2026-02-30", "first"),
        ("first=2026-02-01&last=2026-01-01", "last"),
        ("currency=euro", None),
        ("cursor=WyJhIl0", "cursor"),
        ("limit=0", "limit"),
    ],
)
def test_a_statement_that_cannot_be_is_told(
    client: FlaskClient, owner: Person, band: Artist, query: str, field: str | None
) -> None:
    earn(band)
    answer = client.get(f"{of(band)}/statement?{query}", headers=owner.headers)
    assert answer.status_code == 422
    assert field is None or answer.json["field"] == field


def test_a_statement_of_all_times_is_a_statement(client: FlaskClient, owner: Person, band: Artist) -> None:
    earn(band)
    where = f"{of(band)}/statement?first=0001-01-01&last=9999-12-31"
    assert len(client.get(where, headers=owner.headers).json["items"]) == 1


def test_pages_of_books_take_as_many_queries_for_many_lines_as_for_few(
    client: FlaskClient, owner: Person, band: Artist
) -> None:
    def look() -> int:
        return sum(
            least(lambda path=path: client.get(f"{of(band)}/{path}", headers=owner.headers))  # type: ignore[misc]
            for path in ("balance", "statement", "splits", "payouts")
        )

    def more(number: int) -> None:
        earn(band, number)
        starts = (clock.now() + timedelta(days=number + 1)).isoformat()
        sent = {"parts": [{"payee": band.slug, "share_bps": 10_000}], "starts_at": starts}
        assert client.post(f"{of(band)}/splits", json=sent, headers=owner.headers).status_code == 201
        Payout.create(
            payee=band.id,
            provider=BANK,
            account=IBAN,
            amount_minor=1000,
            currency="EUR",
            as_of=clock.now(),
            created_at=clock.now(),
        )

    more(1)
    few = look()
    for number in range(2, 6):
        more(number)
    assert look() == few


def test_shares_are_agreed_on_and_the_last_word_is_of_who_saw_the_one_before(
    client: FlaskClient, owner: Person, band: Artist
) -> None:
    other = site.make_person()
    friend = site.make_artist(other, "Low Tide")
    where = f"{of(band)}/splits"
    parts = [
        {"payee": band.slug, "share_bps": 6666},
        {"payee": friend.id, "share_bps": 3334, "recoup_minor": 5000, "recoup_currency": "EUR"},
    ]
    made = client.post(where, json={"parts": parts, "after": None}, headers=owner.headers)
    assert (made.status_code, made.json["state"]) == (201, "holding")
    assert [(part["name"], part["share_bps"]) for part in made.json["parts"]] == [
        ("Night Ferry", 6666),
        ("Low Tide", 3334),
    ]
    assert "shares" in Message.get(Message.to == other.user.email).subject
    stale = client.post(where, json={"parts": parts, "after": None}, headers=owner.headers)
    assert (stale.status_code, SplitAgreement.select().count()) == (412, 1)
    starts = (clock.now() + timedelta(days=30)).isoformat()
    alone = {"parts": [{"payee": band.slug, "share_bps": 10_000}], "starts_at": starts}
    coming = client.post(where, json={**alone, "after": made.json["id"]}, headers=owner.headers)
    assert (coming.status_code, coming.json["state"]) == (201, "coming")
    listed = client.get(where, headers=owner.headers).json["items"]
    assert [row["state"] for row in listed] == ["coming", "holding"]
    for person, status in ((other, 403), (owner, 204), (owner, 404)):
        gone = client.delete(f"{where}/{coming.json['id']}", headers=person.headers)
        assert gone.status_code == status
    assert client.delete(f"{where}/{made.json['id']}", headers=owner.headers).status_code == 409


def test_a_release_and_a_track_have_agreements_of_their_own(
    client: FlaskClient, appliance: Appliance, owner: Person, band: Artist
) -> None:
    release = site.make_release(owner, artist=band)
    track = site.make_track(release, appliance)
    parts = [{"payee": band.slug, "share_bps": 10_000}]
    where = f"{of(band)}/splits"
    for about in ({"release": release.id}, {"track": track.id}):
        made = client.post(where, json={"parts": parts, **about}, headers=owner.headers)
        assert made.status_code == 201
        assert client.get(where, query_string=about, headers=owner.headers).json["items"] == [made.json]
    assert client.get(where, headers=owner.headers).json["items"] == []
    foreign = site.make_release(owner, artist=site.make_artist(owner, "Low Tide"))
    for about in ({"release": foreign.id}, {"track": track.id, "release": foreign.id}):
        assert client.post(where, json={"parts": parts, **about}, headers=owner.headers).status_code == 404


@pytest.mark.parametrize(
    "parts",
    [
        [],
        "all",
        [1],
        [{}],
        [{"payee": "night-ferry", "share_bps": 9999}],
        [{"payee": "night-ferry", "share_bps": 10_001}],
        [{"payee": "night-ferry", "share_bps": 10_000.0}],
        [{"payee": "night-ferry", "share_bps": 10_000, "share": 1}],
        [{"payee": "nobody", "share_bps": 10_000}],
        [{"payee": "\ud800", "share_bps": 10_000}],
        [{"payee": "night-ferry", "share_bps": 5000}] * 2,
        [{"payee": "night-ferry", "share_bps": 10_000, "recoup_minor": 5, "recoup_currency": "EURO"}],
        [{"payee": "night-ferry", "share_bps": 1}] * 60,
    ],
    ids=lambda parts: str(parts)[:60],
)
def test_shares_that_cannot_be_are_told(
    client: FlaskClient, owner: Person, band: Artist, parts: object
) -> None:
    answer = client.post(f"{of(band)}/splits", json={"parts": parts}, headers=owner.headers)
    assert (answer.status_code, SplitAgreement.select().count()) == (422, 0)


def test_a_payout_is_asked_for_once_for_each_key(client: FlaskClient, owner: Person, band: Artist) -> None:
    earn(band)
    assert ask(client, owner, band).status_code == 409, "there is no account yet"
    set_account(band)
    made = ask(client, owner, band, "k")
    assert (made.status_code, made.json["amount_minor"], made.json["state"]) == (201, 4500, "requested")
    assert made.json["account"] == "DE89 … 3000"
    assert ask(client, owner, band, "k").json == made.json
    assert ask(client, owner, band, "other").status_code == 409, "nothing is left"
    assert client.get(f"{of(band)}/payouts", headers=owner.headers).json["items"] == [made.json]
    assert ask(client, owner, band, currency="XXX").status_code == 422
    assert Payout.select().count() == 1


def test_payouts_are_for_the_owner_and_a_token_that_says_so(
    app: Flask, client: FlaskClient, owner: Person, band: Artist
) -> None:
    earn(band)
    set_account(band)
    manager = site.make_person(scopes=tuple(Scope))
    members.join(band, manager.user, MemberRole.MANAGER, now=clock.now())
    assert client.get(f"{of(band)}/payouts", headers=manager.headers).status_code == 200
    assert ask(client, manager, band).status_code == 403
    plain = Person(owner.user, site.tokens.mint(owner.user, now=clock.now(), scopes=(*MONEY, Scope.WRITE)))
    refused = ask(client, plain, band)
    assert (refused.status_code, "money.payout" in refused.json["detail"]) == (403, True)
    assert not Payout.select().exists()


def test_accounts_are_shown_masked_and_changed_by_no_token(
    app: Flask, client: FlaskClient, owner: Person, band: Artist
) -> None:
    account = set_account(band)
    answer = client.get(f"{of(band)}/payout-accounts", headers=owner.headers)
    assert answer.json["items"][0]["account"] == "DE89 … 3000"
    assert (IBAN in answer.text, answer.json["items"][0]["chosen"]) == (False, True)
    changing = {"POST", "PUT", "PATCH", "DELETE"}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and "payout-account" in rule.rule:
            assert not changing & (rule.methods or set())
    everything = Person(owner.user, site.tokens.mint(owner.user, now=clock.now(), scopes=tuple(Scope)))
    token = site.csrf_token(client.get("/sign-in").get_data(as_text=True))
    for act in ("bank", f"accounts/{account.id}/remove"):
        path = f"/studio/artists/{band.slug}/payouts/{act}"
        sent = {"csrf_token": token, "holder": "Thief", "iban": "DE02120300000000202051"}
        assert client.post(path, data=sent, headers=everything.headers).status_code == 403
    assert PayoutAccount.get().account == IBAN


def test_a_browser_needs_a_second_factor_and_a_proof_of_a_moment_ago(
    app: Flask, owner: Person, band: Artist, monkeypatch: pytest.MonkeyPatch
) -> None:
    earn(band)
    set_account(band)
    browser = site.signed_in(app, owner)
    refused = browser.get(f"{of(band)}/balance")
    assert (refused.status_code, "second factor" in refused.json["detail"]) == (403, True)
    site.set_up_app(owner.user)
    browser = site.signed_in(app, owner)
    assert browser.get(f"{of(band)}/balance").status_code == 200
    token = site.csrf_token(browser.get("/account").get_data(as_text=True))
    headers = {"X-CSRFToken": token, "Idempotency-Key": "k"}
    with monkeypatch.context() as patch:
        patch.setattr("appliance.accounts.sessions.FRESH", timedelta())
        late = browser.post(f"{of(band)}/payouts", json={"currency": "EUR"}, headers=headers)
    assert (late.status_code, late.json["detail"][:10]) == (403, "Show again")
    made = browser.post(f"{of(band)}/payouts", json={"currency": "EUR"}, headers=headers)
    assert made.status_code == 201


def test_admins_see_payouts_events_and_what_the_books_say(
    client: FlaskClient, admin: Person, owner: Person, band: Artist
) -> None:
    earn(band)
    set_account(band)
    made = ask(client, owner, band).json
    [listed] = client.get("/api/v1/payouts", headers=admin.headers).json["items"]
    assert listed == {**made, "artist": {"id": band.id, "name": "Night Ferry"}}
    assert client.get("/api/v1/ledger-check", headers=admin.headers).status_code == 404
    now = clock.now()
    alarms.note([Difference("balances", "account 1", "It is off by 1.")], began_at=now, now=now)
    check = client.get("/api/v1/ledger-check", headers=admin.headers).json
    assert (check["differences"], check["items"][0]["row"]) == (1, "account 1")
    assert client.get("/api/v1/ledger-check", headers=owner.headers).status_code == 403


def test_an_event_is_shown_masked_and_replayed(client: FlaskClient, admin: Person, owner: Person) -> None:
    now, where = clock.now(), "/api/v1/payment-events"
    rows = [
        ProviderEvent.create(
            provider="demo",
            event=f"evt_{number}",
            kind="paid",
            happened_at=now,
            received_at=now,
            due_at=now,
            body='{"email": "fan@example.com", "amount": 5}',
            state=EventState.FAILED,
        )
        for number in range(3)
    ]
    page = client.get(f"{where}?limit=2&state=failed&provider=demo", headers=admin.headers).json
    assert [row["event"] for row in page["items"]] == ["evt_2", "evt_1"]
    rest = client.get(f"{where}?limit=2&cursor={page['next_cursor']}", headers=admin.headers).json
    assert ([row["event"] for row in rest["items"]], rest["next_cursor"]) == (["evt_0"], None)
    assert client.get(f"{where}?state=lost", headers=admin.headers).json["field"] == "state"
    one = client.get(f"{where}/{rows[0].id}", headers=admin.headers).json
    assert ("fan@example.com" in one["body"], '"amount": 5' in one["body"]) == (False, True)
    again = client.post(f"{where}/{rows[0].id}/replay", headers=admin.headers)
    assert (again.status_code, again.json["state"]) == (202, "received")
    assert client.post(f"{where}/{rows[0].id}/replay", headers=admin.headers).status_code == 409
    assert client.get(where, headers=owner.headers).status_code == 403
