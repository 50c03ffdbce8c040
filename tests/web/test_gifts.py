"""Giving a membership by plain forms: chosen beside the tiers, paid, sent or printed, and redeemed by somebody else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import clock
from appliance.catalog.models import Artist
from appliance.ledger import payments
from appliance.mail import Message
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind
from appliance.payments import RefundFact
from appliance.shop import settling
from appliance.shop.gift_models import Gift
from appliance.shop.models import Order
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till
from tests.web.test_studio import Browser

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def band(artist: Person, till: Till) -> Artist:
    return site.make_artist(artist)


@pytest.fixture
def tier(band: Artist) -> Tier:
    return next(row for row in tiers.of_artist(band) if row.kind == TierKind.SUPPORTER)


@pytest.fixture
def friend(app: Flask, stranger: Person) -> Browser:
    return Browser(site.signed_in(app, stranger))


def give(client: FlaskClient, tier: Tier, **fields: object) -> TestResponse:
    page = client.get(f"/gifts/{tier.id}").get_data(as_text=True)
    sent = {
        **dict(re.findall(r'name="(shown-\d+)" value="(\d+ [A-Z]{3})"', page)),
        "csrf_token": site.csrf_token(page),
        "act": "pay",
        "provider": "till",
        "months": "3",
        "by": "Ann",
        "email": "ann@example.com",
    }
    return client.post(f"/gifts/{tier.id}", data={**sent, **fields})


def pay(till: Till) -> Order:
    order = Order.get()
    fact = till.paid(order.id, at=clock.now())
    sale = settling.sale_of(order.id, fact)
    assert sale
    payments.note(fact, sale, provider="till", now=clock.now())
    settling.settle(order.id, now=clock.now())
    return order


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def redeem(client: FlaskClient, code: str, **fields: object) -> TestResponse:
    word = site.csrf_token(text(client.get(f"/redeem?code={code}")))
    return client.post("/redeem", data={"csrf_token": word, "voucher": code, **fields})


def test_a_gift_is_paid_by_one_and_redeemed_by_another(
    guest: FlaskClient, friend: Browser, band: Artist, tier: Tier, till: Till
) -> None:
    page = text(guest.get(f"/@{band.slug}"))
    assert (f'href="/gifts/{tier.id}"' in page, "Give it as a gift" in page) == (True, True)
    answer = give(guest, tier, message="Happy birthday")
    order = Order.get()
    assert (answer.status_code, answer.location) == (303, f"/orders/{order.id}/pay")
    assert [item.amount_minor for item in till.asked[f"order-{order.id}"].items] == [1500]
    assert "Once it is paid, the code stands here" in text(guest.get(f"/orders/{order.id}"))
    assert Gift.get().code not in text(guest.get(f"/orders/{order.id}"))
    pay(till)
    code = Gift.get().code
    page = text(guest.get(f"/orders/{order.id}"))
    assert (code in page, "Not redeemed yet" in page, "receipt.pdf" in page) == (True, True, True)
    card = text(guest.get(f"/orders/{order.id}/gift"))
    assert (code in card, "Happy birthday" in card) == (True, True)

    looked = text(redeem(friend.client, code))
    assert ("A gift from Ann" in looked, "It begins at once" in looked) == (True, True)
    assert not Membership.select().exists(), "it was only looked at"
    done = redeem(friend.client, code, act="begin")
    assert (done.status_code, done.location) == (303, f"/@{band.slug}#tiers")
    assert "You are a member of Night Ferry until" in friend.page(f"/@{band.slug}")
    assert "Present" in friend.page("/account")
    assert "It was redeemed on" in text(guest.get(f"/orders/{order.id}"))
    assert guest.get(f"/orders/{order.id}/gift").status_code == 404
    assert "redeemed already" in text(redeem(friend.client, code))


def test_who_has_no_account_is_led_to_one_and_back(guest: FlaskClient, tier: Tier, till: Till) -> None:
    give(guest, tier)
    pay(till)
    code = Gift.get().code
    answer = redeem(guest, code, act="begin")
    assert answer.status_code == 200
    assert f"/sign-in?next=/redeem?code%3D{code}" in text(answer) or f"redeem?code={code}" in text(answer)
    assert not Membership.select().exists()


def test_the_letter_is_sent_again_and_to_another_address(guest: FlaskClient, tier: Tier, till: Till) -> None:
    give(guest, tier, to="wrong@example.com")
    order = pay(till)
    page = text(guest.get(f"/orders/{order.id}"))
    assert "Sent to wrong@example.com" in page
    word, before = site.csrf_token(page), Gift.get().code
    sent = {"csrf_token": word, "to": "right@example.com"}
    assert guest.post(f"/orders/{order.id}/gift", data=sent).status_code == 303
    assert (Gift.get().email, Gift.get().code != before) == ("right@example.com", True)
    assert "There is no such code" in text(redeem(guest, before))
    day = (clock.now() + timedelta(days=3)).date()
    guest.post(f"/orders/{order.id}/gift", data={**sent, "day": day.isoformat()})
    assert "A letter goes to right@example.com on" in text(guest.get(f"/orders/{order.id}"))
    for wrong in ({"to": "nobody"}, {"day": "1999-01-01"}, {"day": "soon"}):
        guest.post(f"/orders/{order.id}/gift", data={**sent, **wrong})
    assert Gift.get().email == "right@example.com"


def test_nobody_else_sees_or_sends_somebodys_gift(
    guest: FlaskClient, friend: Browser, tier: Tier, till: Till
) -> None:
    give(guest, tier)
    order = pay(till)
    assert friend.client.get(f"/orders/{order.id}/gift").status_code == 404
    assert friend.send(f"/orders/{order.id}/gift", to="me@example.com").status_code == 404
    assert Gift.get().email == ""


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"months": "2"}, "Choose for how long."),
        ({"months": "many"}, "Choose for how long."),
        ({"by": ""}, "must not be empty"),
        ({"message": "x" * 501}, "has at most"),
        ({"to": "nobody"}, "This is not an e-mail address."),
        ({"email": "nobody"}, "This is not an e-mail address."),
        ({"to": "a@example.com", "day": "2001-01-01"}, "This day has passed."),
        ({"day": "tomorrow"}, "Write the day like this"),
        ({"provider": "gone"}, "Choose how you want to pay."),
    ],
)
def test_what_cannot_be_taken_comes_back_as_it_was_sent(
    guest: FlaskClient, tier: Tier, till: Till, fields: dict[str, str], sentence: str
) -> None:
    answer = give(guest, tier, **fields)
    assert (answer.status_code, sentence in text(answer)) == (422, True)
    assert not Order.select().exists()


def test_the_price_that_was_shown_is_the_one_that_is_charged(
    guest: FlaskClient, tier: Tier, till: Till
) -> None:
    answer = give(guest, tier, **{"shown-3": "1400 EUR"})
    assert (answer.status_code, "The price has changed" in text(answer)) == (409, True)
    assert not Order.select().exists()


def test_a_till_that_is_broken_says_so(guest: FlaskClient, tier: Tier, till: Till) -> None:
    till.broken = True
    assert give(guest, tier).status_code == 503


def test_a_refund_is_seen_on_the_page_of_the_order(guest: FlaskClient, tier: Tier, till: Till) -> None:
    give(guest, tier, to="bo@example.com")
    order = pay(till)
    back = RefundFact("re_1", f"pay_{order.id}_1", order.total_minor, "EUR", clock.now())
    payments.note_refund(back, provider="till", now=clock.now())
    settling.settle(order.id, now=clock.now())
    assert "Its money went back" in text(guest.get(f"/orders/{order.id}"))
    assert "its money went back" in text(redeem(guest, Gift.get().code))


def test_a_tier_nobody_pays_for_cannot_be_given(guest: FlaskClient, band: Artist, till: Till) -> None:
    free = next(row for row in tiers.of_artist(band) if row.kind == TierKind.FREE)
    assert guest.get(f"/gifts/{free.id}").status_code == 409
    assert guest.get("/gifts/nowhere").status_code == 404
    assert f"/gifts/{free.id}" not in text(guest.get(f"/@{band.slug}"))


def test_the_artist_sees_the_sale_and_not_the_words(
    app: Flask, guest: FlaskClient, artist: Person, band: Artist, tier: Tier, till: Till
) -> None:
    give(guest, tier, message="Between us", to="bo@example.com")
    pay(till)
    site.set_up_app(artist.user)
    page = Browser(site.signed_in(app, artist)).page(f"/studio/artists/{band.slug}/orders")
    assert "Gift: Supporter, 3 months" in page
    assert ("Between us" in page, "bo@example.com" in page) == (False, False)
    assert "Between us" in Message.get(Message.to == "bo@example.com").text
