"""The first hour of a collective: the address on the console, the setup, the admin's desk, and the first artist."""

from __future__ import annotations

from pathlib import Path

import pytest
from passlib.totp import TOTP
from playwright.sync_api import Browser
from playwright.sync_api import expect

from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PASSWORD = "harbour lights at low tide"


def test_from_the_console_to_the_first_artist(browser: Browser, tmp_path: Path) -> None:
    with Node(tmp_path / "data") as node:
        assert node.process is not None
        assert node.process.stdout is not None
        line = node.process.stdout.readline().decode()
        printed = line[line.index("http://") :].strip()
        assert printed.startswith(f"{node.url}/setup?token=")
        # The newest address works, and no older one.
        token = node.run("setup-link").strip().partition("token=")[2]
        address = f"{node.url}/setup?token={token}"
        # Pages are closed: the browser notes the 503, and the service worker that waits for better times.
        with page(browser, viewport=PHONE, expected="") as stranger:
            stranger.goto(f"{node.url}/register")
            assert stranger.url == f"{node.url}/setup"
            expect(stranger.get_by_role("heading", name="Music is on its way")).to_be_visible()
        with page(browser, expected="worker") as shown:
            shown.goto(address)
            shown.get_by_label("E-mail address").fill("ana@tide.example")
            shown.locator("main input[name=password]").fill(PASSWORD)
            shown.get_by_label("Name").fill("Tide Collective")
            shown.get_by_label("In one line").fill("Songs from the harbour")
            expect(shown.get_by_label("Colour", exact=True)).to_be_hidden()
            shown.get_by_label("A colour of our own").check()
            shown.get_by_label("Colour", exact=True).fill("#aa3311")
            shown.get_by_role("button", name="Open the doors").click()
            expect(shown.get_by_text("Your role needs a second factor")).to_be_visible()
            shown.get_by_role("link", name="Set an app up").click()
            key = shown.locator("code.key").inner_text()
            shown.get_by_label("The code that the app shows now").fill(TOTP(key=key).generate().token)
            shown.get_by_role("button", name="Turn it on").click()
            expect(shown.locator(".codes code")).to_have_count(10)
            shown.get_by_role("link", name="I have kept them: go on").click()
            expect(shown.get_by_role("heading", name="The doors are open")).to_be_visible()
            expect(shown.get_by_text("Songs from the harbour").first).to_be_visible()
            shown.get_by_role("link", name="Health").click()
            expect(shown.get_by_role("heading", name="Health")).to_be_visible()
            shown.get_by_role("link", name="Audit trail").click()
            expect(shown.get_by_role("cell", name="Set the collective up")).to_be_visible()
            shown.goto(f"{node.url}/studio")
            shown.get_by_label("Name").first.fill("Night Ferry")
            shown.get_by_role("button", name="Make the artist").click()
            expect(shown.get_by_text("Night Ferry").first).to_be_visible()
            shown.goto(f"{node.url}/@night-ferry")
            expect(shown.get_by_role("heading", name="Night Ferry")).to_be_visible()
        with page(browser, java_script_enabled=False, expected="403") as late:
            for used in (printed, address):
                late.goto(used)
                expect(late.get_by_text("does not work")).to_be_visible()
