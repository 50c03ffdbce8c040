"""Buying and selling by plain forms: what is shown is what is charged, and nobody sees what somebody else bought."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance import hooks
from appliance.accounts.models import User
from appliance.billing import processing
from appliance.catalog import publishing
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.mail import Message
from appliance.memberships.models import Purchase
from appliance.payments import RefundFact
from appliance.payments import TaxRate
from appliance.shop import codes
from appliance.shop import delivery
from appliance.shop import discounts
from appliance.shop import orders
from appliance.shop import prices
from appliance.shop.models import CreditNote
from appliance.shop.models import Discount
from appliance.shop.models import DownloadCode
from appliance.shop.models import Order
from appliance.shop.models import Price
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till
from tests.web.shopping import agreed
from tests.web.shopping import ask
from tests.web.shopping import buy_page
from tests.web.shopping import on_sale
from tests.web.shopping import pay
from tests.web.test_studio import Browser

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def release(appliance: Appliance, artist: Person, till: Till) -> Release:
    return on_sale(appliance, artist)


@pytest.fixture
def fan(app: Flask, stranger: Person) -> Browser:
    return Browser(site.signed_in(app, stranger))


@pytest.fixture
def seller(app: Flask, artist: Person) -> Browser:
    # Whoever is paid has a second factor.
    site.set_up_app(artist.user)
    return Browser(site.signed_in(app, artist))


def test_a_fan_buys_a_release_and_finds_it_among_their_purchases(
    fan: Browser, release: Release, till: Till
) -> None:
    page = fan.page(f"/@{release.artist.slug}/{release.slug}")
    assert ("€7" in page, buy_page(release) in page) == (True, True)
    answer = ask(fan.client, buy_page(release))
    order = Order.get()
    assert (answer.status_code, answer.location) == (303, f"/orders/{order.id}/pay")
    page = fan.page(answer.location)
    assert page.count(f"https://till.example/pay/{order.id}") == 2
    asked = till.asked[f"order-{order.id}"]
    assert asked.return_to == f"http://localhost/orders/{order.id}"
    page = fan.page(f"/orders/{order.id}")
    assert "We wait for word that your payment arrived" in page
    assert not Purchase.select().exists(), "that one came back proves nothing"
    pay(till, order)
    page = fan.page(f"/orders/{order.id}")
    assert (f'action="/downloads/releases/{release.id}"' in page, "receipt.pdf" in page) == (True, True)
    assert release.title in fan.page("/account/purchases")
    assert "You have bought this." in fan.page(f"/@{release.artist.slug}/{release.slug}")
    assert "You have bought this." in fan.page(buy_page(release))
    paper = fan.client.get(f"/orders/{order.id}/receipt.pdf")
    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")


def test_what_was_shown_is_what_is_charged(fan: Browser, release: Release) -> None:
    answer = ask(fan.client, buy_page(release), amount="12.50")
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert ("The total has changed" in page, "Pay €12.50" in page, agreed(page)) == (True, True, "1250 EUR")
    assert not Order.select().exists()
    assert ask(fan.client, buy_page(release), amount="12.50", agreed="1250 EUR").status_code == 303
    assert Order.get().total_minor == 1250


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"amount": "6.99"}, "It costs at least 7.00 EUR."),
        ({"amount": "a lot"}, "Write the price like this"),
        ({"amount": "-5"}, "Write the price like this"),
        ({"tip": "999999999"}, "This is more than can be paid at once."),
        ({"discount": "NONE"}, "There is no such discount code."),
        ({"message": "x" * 501}, "has at most"),
        ({"provider": "gone"}, "Choose how you want to pay."),
    ],
)
def test_what_cannot_be_taken_comes_back_as_it_was_sent(
    fan: Browser, release: Release, fields: dict[str, str], sentence: str
) -> None:
    sent = {"tip": "3", "message": "For the van", **fields}
    answer = ask(fan.client, buy_page(release), agreed="1000 EUR", **sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code in {409, 422}
    if answer.status_code == 409:
        page = ask(fan.client, buy_page(release), **{**sent, "agreed": agreed(page)}).get_data(as_text=True)
    assert sentence in page
    for value in sent.values():
        assert value == "gone" or value in page
    assert not Order.select().exists()


def test_a_form_that_is_sent_twice_is_one_order(fan: Browser, release: Release, till: Till) -> None:
    word = "0" * 26
    first = ask(fan.client, buy_page(release), form_token=word)
    second = ask(fan.client, buy_page(release), form_token=word)
    third = ask(fan.client, buy_page(release))
    assert {first.location, second.location, third.location} == {f"/orders/{Order.get().id}/pay"}
    assert (Order.select().count(), len(till.asked)) == (1, 1)


def test_a_till_that_fails_is_told_and_the_form_is_kept(fan: Browser, release: Release, till: Till) -> None:
    till.broken = True
    answer = ask(fan.client, buy_page(release))
    assert answer.status_code == 503
    assert "The till is broken." in answer.get_data(as_text=True)
    till.broken = False
    assert ask(fan.client, buy_page(release)).status_code == 303
    assert Order.select().count() == 1


def test_what_costs_nothing_is_there_at_once(fan: Browser, release: Release, artist: Person) -> None:
    prices.set_release(release, 0, pay_more=True, actor=artist.user, now=clock.now())
    answer = ask(fan.client, buy_page(release), provider="")
    assert answer.location == f"/orders/{Order.get().id}"
    assert "It is yours." in fan.page(answer.location)


def test_a_guest_buys_and_the_letter_opens_the_order_in_another_browser(
    app: Flask, guest: FlaskClient, release: Release, till: Till
) -> None:
    assert ask(guest, buy_page(release)).status_code == 422
    answer = ask(guest, buy_page(release), email="guest@example.com")
    order = Order.get()
    assert answer.status_code == 303
    pay(till, order)
    page = guest.get(f"/orders/{order.id}").get_data(as_text=True)
    assert "Open an account with the address guest@example.com" in page
    elsewhere = app.test_client()
    assert elsewhere.get(f"/orders/{order.id}").status_code == 404
    assert elsewhere.get(f"/orders/{order.id}?key=wrong").status_code == 404
    link = site.link_to("guest@example.com")
    led = elsewhere.get(link)
    assert (led.status_code, led.location) == (303, f"/orders/{order.id}")
    assert elsewhere.get(led.location).status_code == 200
    assert elsewhere.get(f"/orders/{order.id}/receipt.pdf").status_code == 200


def test_who_confirms_the_address_has_what_was_bought_with_it(
    app: Flask, guest: FlaskClient, release: Release, till: Till, fan: Browser, stranger: Person
) -> None:
    ask(guest, buy_page(release), email="guest@example.com")
    order = Order.get()
    pay(till, order)
    assert fan.client.get(f"/orders/{order.id}").status_code == 404
    assert release.title not in fan.page("/account/purchases")
    owner = site.make_person("guest@example.com")
    browser = site.signed_in(app, owner)
    assert Order.get().user_id == owner.user.id
    assert release.title in browser.get("/account/purchases").get_data(as_text=True)
    assert not Purchase.select().where(Purchase.user == stranger.user.id).exists()


def test_nobody_sees_the_order_of_somebody_else(
    fan: Browser, guest: FlaskClient, seller: Browser, release: Release, till: Till
) -> None:
    ask(fan.client, buy_page(release))
    order = Order.get()
    pay(till, order)
    for client in (guest, seller.client):
        for path in ("", "/pay", "/receipt.pdf"):
            assert client.get(f"/orders/{order.id}{path}").status_code == 404
    assert guest.get("/orders/nothing").status_code == 404


def test_a_draft_and_a_strange_kind_cannot_be_bought(
    guest: FlaskClient, release: Release, artist: Person
) -> None:
    draft = site.make_release(artist, artist=release.artist, title="Secret")
    prices.set_release(draft, 700, pay_more=True, actor=artist.user, now=clock.now())
    for path in (buy_page(draft), f"/buy/song/{release.id}", "/buy/release/x", "/buy/code/x"):
        answer = guest.get(path)
        assert answer.status_code == 404
        assert "Secret" not in answer.get_data(as_text=True)


def test_a_preorder_stands_on_the_page_of_the_artist(
    appliance: Appliance, fan: Browser, release: Release, artist: Person, till: Till
) -> None:
    ahead = site.make_release(artist, artist=release.artist, title="Not Yet")
    site.make_track(ahead, appliance)
    prices.set_release(ahead, 900, pay_more=False, preorder=True, actor=artist.user, now=clock.now())
    path = f"/@{release.artist.slug}"
    assert "Not Yet" not in fan.page(path)
    publishing.schedule(ahead, clock.now() + timedelta(days=3), now=clock.now())
    page = fan.page(path)
    assert ("Not Yet" in page, buy_page(ahead) in page) == (True, True)
    assert ask(fan.client, buy_page(ahead)).status_code == 303
    pay(till, Order.get())
    page = fan.page(f"/orders/{Order.get().id}")
    assert ("Not Yet" in page, "/downloads/releases" in page) == (True, False)


def test_everything_at_once_a_track_and_a_gift(
    appliance: Appliance, fan: Browser, release: Release, artist: Person, till: Till
) -> None:
    other = site.make_release(artist, artist=release.artist, published=True, title="Second")
    song = site.make_track(other, appliance)
    now = clock.now()
    prices.set_release(other, 300, pay_more=True, actor=artist.user, now=now)
    prices.set_track(tracks.find(song.id), 100, pay_more=True, actor=artist.user, now=now)
    prices.set_catalogue(release.artist, 20, actor=artist.user, now=now)
    page = fan.page(f"/@{release.artist.slug}")
    assert ("€8" in page, "<s>€10</s>" in page) == (True, True)
    assert ask(fan.client, f"/buy/track/{song.id}").status_code == 303
    everything = f"/buy/catalogue/{release.artist.id}"
    assert f"Everything by {release.artist.name}" in fan.page(everything)
    assert ask(fan.client, everything).status_code == 303
    gift = f"/buy/tip/{release.artist.id}"
    assert gift in page
    assert "Your order" not in fan.page(gift), "there is nothing to list yet"
    page = fan.send_text(gift, act="look", tip="5", message="Thank you")
    assert ("Pay €5" in page, "<q" in page) == (True, True)
    assert ask(fan.client, gift, tip="5", agreed="500 EUR").status_code == 303
    assert sorted(row.total_minor for row in Order.select()) == [100, 500, 800]


def test_who_wants_an_invoice_says_for_whom_and_what_went_back_lies_beside_the_receipt(
    app: Flask, fan: Browser, guest: FlaskClient, release: Release, till: Till
) -> None:
    sent = {"agreed": "700 EUR", "buyer_name": "Fan & Sons", "buyer_address": "Street 2\r\nHamburg"}
    wrong = ask(fan.client, buy_page(release), **{**sent, "buyer_address": "x" * 501})
    assert (wrong.status_code, "has at most 500 characters" in wrong.get_data(as_text=True)) == (422, True)
    ask(fan.client, buy_page(release), **sent)
    order = Order.get()
    assert (order.buyer_name, order.buyer_address) == ("Fan & Sons", "Street 2\nHamburg")
    processing.apply([till.paid(order.id, at=clock.now())], provider="till", now=clock.now())
    refund = RefundFact("re_1", f"pay_{order.id}_1", 300, "EUR", clock.now())
    processing.apply([refund], provider="till", now=clock.now())
    paper = f"/orders/{order.id}/credit-notes/{CreditNote.get().id}.pdf"
    for page in (fan.page(f"/orders/{order.id}"), fan.page("/account/receipts")):
        assert (paper in page, f"/orders/{order.id}/receipt.pdf" in page, "-€3" in page) == (True, True, True)
    assert fan.client.get(paper).data.startswith(b"%PDF-")
    assert fan.client.get(f"/orders/{order.id}/credit-notes/nothing.pdf").status_code == 404
    for client in (guest, site.signed_in(app, site.make_person())):
        assert client.get(paper).status_code == 404


def test_the_tax_depends_on_the_country_and_stands_in_the_total(
    fan: Browser, release: Release, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "has", lambda hook: hook == "tax_rate")
    monkeypatch.setattr(
        hooks, "first", lambda hook, sale: TaxRate("VAT", 1900) if sale.country == "DE" else None
    )
    answer = ask(fan.client, buy_page(release))
    page = answer.get_data(as_text=True)
    assert (answer.status_code, "Choose your country" in page) == (422, True)
    page = fan.send_text(buy_page(release), act="look", country="DE")
    assert "including VAT 19 %: €1.12" in page
    ask(fan.client, buy_page(release), country="DE", business_number="de 123456789", agreed="700 EUR")
    order = Order.get()
    asked = till.asked[f"order-{order.id}"]
    assert (asked.tax_minor, asked.total_minor, order.business_number) == (112, 700, "DE 123456789")


# ---- codes


def test_a_code_is_redeemed_on_one_page(
    fan: Browser, guest: FlaskClient, release: Release, artist: Person
) -> None:
    batch = codes.make(release, 2, actor=artist.user, now=clock.now())
    (first, _), (second, _) = codes.every(batch)
    assert first in fan.page(f"/redeem?code={first}")
    page = fan.send_text("/redeem", voucher="ABCD-EFGH-JKLM")
    assert ("There is no such code" in page, "ABCD-EFGH-JKLM" in page) == (True, True)
    page = fan.send_text("/redeem", voucher=first.lower())
    assert ("It is yours." in page, f"/downloads/releases/{release.id}" in page) == (True, True)
    page = guest.get("/redeem").get_data(as_text=True)
    answer = guest.post(
        "/redeem", data={"csrf_token": site.csrf_token(page), "voucher": second, "email": "g@example.com"}
    )
    assert answer.status_code == 303
    assert "Open an account" in guest.get(answer.location).get_data(as_text=True)


# ---- the studio


def test_an_artist_sets_prices(
    appliance: Appliance, seller: Browser, release: Release, guest: FlaskClient
) -> None:
    base = f"/studio/artists/{release.artist.slug}/prices"
    assert ("€7" in (page := seller.page(base)), release.title in page) == (True, True)
    song = tracks.of_release(release)[0]
    page = seller.page(f"{base}/{release.id}")
    assert ('value="7.00"' in page, "The least that can be paid is €0.50" in page) == (True, True)
    version = Price.get().version
    sent = {"price": "0.49", f"price-{song.id}": "1", "pay_more": "no", "version": version}
    page = seller.send_text(f"{base}/{release.id}", **sent)
    assert ("The smallest amount that can be paid here is 0.50 EUR" in page, 'value="0.49"' in page) == (
        True,
        True,
    )
    page = seller.send_text(f"{base}/{release.id}", **{**sent, "price": "8", f"price-{song.id}": "0.10"})
    assert "The smallest amount" in page
    assert prices.of_things([release.id])[release.id].price_minor == 700, "all of it or nothing"
    assert "Saved." in seller.send_text(f"{base}/{release.id}", **{**sent, "price": "8,50"})
    found = prices.of_things([release.id, song.id])
    assert (found[release.id].price_minor, found[release.id].pay_more, found[song.id].price_minor) == (
        850,
        False,
        100,
    )
    page = seller.send_text(f"{base}/{release.id}", **{**sent, "price": "9"})
    assert "Somebody else changed this" in page
    seller.send_text(f"{base}/{release.id}", price="", pay_more="no", version=found[release.id].version)
    assert not Price.select().exists()


@pytest.mark.parametrize("wrong", ["-1", "1e3", "1000000000000", "x"])
def test_a_price_that_is_none_is_told_and_kept(seller: Browser, release: Release, wrong: str) -> None:
    path = f"/studio/artists/{release.artist.slug}/prices/{release.id}"
    answer = seller.send(path, price=wrong, pay_more="yes", version=Price.get().version)
    assert answer.status_code == 422
    assert f'value="{wrong}"' in answer.get_data(as_text=True)


def test_an_artist_sells_everything_at_once_and_says_who_sells(seller: Browser, release: Release) -> None:
    base = f"/studio/artists/{release.artist.slug}/prices"
    assert "Saved." in seller.send_text(f"{base}/catalogue", percent_off="25")
    page = seller.send_text(f"{base}/catalogue", percent_off="100")
    assert ("Take off 0 to 99 percent." in page, 'value="100"' in page) == (True, True)
    page = seller.send_text(f"{base}/seller", seller_name="Ferry Ltd", business_number="?")
    assert ("A VAT number is letters" in page, "Ferry Ltd" in page) == (True, True)
    seller.send_text(f"{base}/seller", seller_name="Ferry Ltd", seller_address="Quay", business_number="GB1X")
    assert "Ferry Ltd" in seller.page(base)


def test_an_artist_makes_codes_and_takes_them_as_a_table(seller: Browser, release: Release) -> None:
    base = f"/studio/artists/{release.artist.slug}/codes"
    page = seller.send_text(base, release=release.id, number="0", name="Vinyl")
    assert ("Make 1 to 5,000 codes at once." in page, 'value="Vinyl"' in page) == (True, True)
    page = seller.send_text(base, release=release.id, number="3", name="Vinyl", last="2099-01-31")
    assert ("3 codes are there" in page, "0 of 3 redeemed" in page, "January 31, 2099" in page) == (True,) * 3
    link = re.search(rf'href="({base}/\w+\.csv)"', page)
    assert link
    rows = list(csv.reader(io.StringIO(seller.page(link[1]))))
    assert [row[0] for row in rows[1:]] == [
        row.code for row in DownloadCode.select().order_by(DownloadCode.id)
    ]
    assert rows[1][1] == f"http://localhost/redeem?code={rows[1][0]}"
    seller.send_text(link[1].removesuffix(".csv") + "/stop")
    assert "Stopped" in seller.page(base)


def test_an_artist_makes_discounts(seller: Browser, release: Release) -> None:
    base = f"/studio/artists/{release.artist.slug}/discounts"
    page = seller.send_text(base, discount="SPRING", percent="10", amount="1")
    assert ("a percentage or an amount" in page, 'value="SPRING"' in page) == (True, True)
    for wrong in ({"last": "yesterday"}, {"most_uses": "many"}, {"percent": "1000"}, {"first": "9999-12-31"}):
        answer = seller.send(base, **{"discount": "SPRING", "percent": "10", **wrong})
        assert answer.status_code == 422
    page = seller.send_text(base, discount="spring", amount="1.50", most_uses="5", last="2099-01-31")
    assert ("SPRING" in page, "€1.50 off" in page, "used 0 of 5 times" in page) == (True, True, True)
    seller.send_text(f"{base}/{Discount.get().id}/stop")
    assert "Stopped" in seller.page(base)


def test_an_artist_sees_what_was_sold_and_takes_it_as_a_table(
    seller: Browser, fan: Browser, release: Release, till: Till, stranger: Person
) -> None:
    ask(fan.client, buy_page(release), tip="1", message="=HYPERLINK(1)", agreed="800 EUR")
    base = f"/studio/artists/{release.artist.slug}/orders"
    assert "Nothing sold yet" in seller.page(base)
    pay(till, Order.get())
    page = seller.page(base)
    assert (stranger.user.email in page, "€8" in page) == (True, True)
    [_head, row] = csv.reader(io.StringIO(seller.page(f"{base}.csv")))
    assert row[0] == Order.get().id
    assert (row[1].endswith("-000001"), row[5], row[7]) == (True, "'=HYPERLINK(1)", "8.00")


def test_a_long_list_of_orders_costs_no_more_queries(
    seller: Browser, fan: Browser, release: Release, till: Till, stranger: Person
) -> None:
    def buy(number: int) -> None:
        order = orders.begin(
            orders.Wish("tip", release.artist_id, tip_minor=100 + number),
            orders.Buyer("", User.get_by_id(stranger.user.id)),
            provider="till",
            now=clock.now(),
        )
        Order.update(state="paid").where(Order.id == order.id).execute()

    for pages, browser in (
        (f"/studio/artists/{release.artist.slug}/orders", seller),
        ("/account/purchases", fan),
    ):
        buy(len(pages))
        few = least(lambda path=pages, one=browser: one.page(path))
        for number in range(10):
            buy(1000 + number + len(pages))
        assert least(lambda path=pages, one=browser: one.page(path)) == few


def test_letters_tell_no_secret_to_the_log(
    guest: FlaskClient, release: Release, till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    ask(guest, buy_page(release), email="guest@example.com")
    pay(till, Order.get())
    assert Message.select().exists()
    assert delivery.claim(site.make_person("guest@example.com").user, now=clock.now()) == 1
    assert "guest@example.com" not in caplog.text
    assert discounts.of_artist(release.artist) == []
