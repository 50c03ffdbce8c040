"""Merchandise: a superfan buys a T-shirt for less, the artist sends it, and the last record is sold once; by the demo's cards."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.journeys.test_shop import is_sound
from tests.journeys.test_shop import pay_with
from tests.journeys.test_shop import sign_in
from tests.servers.chromium import DESKTOP
from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
STUDIO = "/studio/artists/lumen-vale"


def fill_address(shown: Page, name: str) -> None:
    shown.get_by_label("Name on the parcel").fill(name)
    shown.get_by_label("Street and number").fill("Am Hafen 1")
    shown.get_by_label("Postal code").fill("20457")
    shown.get_by_label("City").fill("Hamburg")
    shown.get_by_label("Country").select_option("DE")


def test_a_superfan_buys_a_shirt_for_less_and_the_artist_sends_it(demo_node: Node, browser: Browser) -> None:
    with (
        page(browser, expected="status of 4", viewport=DESKTOP) as fan,
        page(browser, viewport=PHONE) as artist,
    ):
        sign_in(fan, demo_node, "fan@demo.com")
        fan.goto(f"{demo_node.url}/@lumen-vale")
        fan.locator("main .shelf").get_by_role("link", name="Tideline T-shirt").click()
        expect(fan.get_by_role("heading", name="Tideline T-shirt", level=1)).to_be_visible()
        expect(fan.get_by_text("Superfan: 20 % off")).to_be_visible()
        is_sound(fan)
        fan.get_by_label("M", exact=True).check()
        fan.get_by_role("button", name="Put it into the basket").click()
        expect(fan.get_by_role("heading", name="Your basket", level=1)).to_be_visible()
        is_sound(fan)
        fill_address(fan, "Mia Meer")
        fan.get_by_role("button", name="Reckon the total").click()
        expect(fan.get_by_text("Taken off: Superfan, 20 %")).to_be_visible()
        fan.get_by_role("button", name="Pay €26").click()
        expect(fan.get_by_text("This is a demo: no money moves.")).to_be_visible()
        pay_with(fan, "A card that works")
        expect(fan.get_by_text("To be sent")).to_be_visible(timeout=30_000)
        is_sound(fan)
        order = fan.url

        sign_in(artist, demo_node, "artist@demo.com")
        artist.goto(f"{demo_node.url}{STUDIO}/parcels")
        expect(artist.get_by_text("Mia Meer")).to_be_visible()
        is_sound(artist)
        artist.get_by_role("link", name=re.compile("Open the parcel " + order.rpartition("/")[2])).click()
        artist.get_by_label("Tracking number or link").fill("https://track.example/RR123")
        artist.get_by_role("button", name="Mark it as sent").click()
        expect(artist.get_by_text("Noted. The buyer gets a message.")).to_be_visible()
        is_sound(artist)

        fan.goto(order)
        expect(fan.get_by_role("link", name="Follow the parcel")).to_have_attribute(
            "href", "https://track.example/RR123"
        )
        is_sound(fan)


def test_a_guest_gives_a_record_up_without_scripts_and_another_gets_it(
    demo_node: Node, browser: Browser
) -> None:
    with page(browser, java_script_enabled=False, viewport=PHONE) as guest:
        guest.goto(f"{demo_node.url}/merchandise/lumen-vale/tidewater-letters-vinyl")
        expect(guest.get_by_text("3 left")).to_be_visible()
        guest.get_by_label("How many").fill("3")
        guest.get_by_role("button", name="Put it into the basket").click()
        guest.get_by_label("E-mail address").fill("collector@example.org")
        fill_address(guest, "Kai Klang")
        guest.get_by_role("button", name="Reckon the total").click()
        guest.get_by_role("button", name="Pay €94").click()
        expect(guest.get_by_text("This is a demo: no money moves.")).to_be_visible()
        with page(browser, viewport=DESKTOP) as other:
            other.goto(f"{demo_node.url}/merchandise/lumen-vale/tidewater-letters-vinyl")
            expect(other.get_by_text("It is sold out.")).to_be_visible()
            guest.goto(f"{demo_node.url}/basket/lumen-vale")
            guest.get_by_role("link", name="To the order").click()
            expect(guest.get_by_text("Kai Klang")).to_be_visible()
            guest.get_by_role("button", name="Give the order up").click()
            expect(guest.get_by_text("its address is erased")).to_be_visible()
            expect(guest.get_by_text("Kai Klang")).to_have_count(0)
            other.reload()
            expect(other.get_by_role("button", name="Put it into the basket")).to_be_visible()


def test_an_artist_adds_an_article_and_says_where_it_is_shipped(demo_node: Node, browser: Browser) -> None:
    with page(browser, viewport=PHONE) as artist:
        sign_in(artist, demo_node, "artist@demo.com")
        artist.goto(f"{demo_node.url}/studio/artists/ada-quill/merchandise")
        expect(artist.get_by_text("say first where you ship to")).to_be_visible()
        is_sound(artist)
        artist.get_by_role("link", name="To the shipping zones").click()
        artist.locator("main input[name=name]").fill("Home")
        artist.get_by_role("textbox", name="Countries").fill("Germany, Austria, CH")
        artist.get_by_label("The first thing, in EUR").fill("4.50")
        artist.get_by_role("button", name="Add it").click()
        expect(artist.get_by_text("Austria, Germany, Switzerland")).to_be_visible()
        is_sound(artist)
        artist.goto(f"{demo_node.url}/studio/artists/ada-quill/merchandise")
        artist.locator("main input[name=title]").first.fill("Kitchen towel")
        artist.get_by_label("Price in EUR").fill("12")
        artist.get_by_label("In stock, of each").fill("2")
        artist.get_by_label("First option").fill("Colour")
        artist.get_by_label("To choose from").first.fill("blue, green")
        artist.get_by_role("button", name="Add it").click()
        expect(artist.get_by_role("heading", name="Kitchen towel", level=2)).to_be_visible()
        is_sound(artist)
        artist.get_by_label("Is it sold?").select_option("for_sale")
        artist.get_by_role("button", name="Save", exact=True).click()
        artist.get_by_role("link", name="See it as fans do").click()
        expect(artist.get_by_label("green")).to_be_visible()
        is_sound(artist)
