"""Passkeys from the first to the last day, with the virtual authenticator of Chromium: made, used alone, used after the password, removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers.chromium import page
from tests.servers.node import Node

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
EMAIL, PASSWORD = "mira@tide.example", "harbour lights at low tide"


@contextmanager
def phone(browser: Browser) -> Iterator[tuple[Page, object, str]]:
    """A browser with an authenticator inside that always recognises its owner."""
    with page(browser, expected="422") as shown:
        devtools = shown.context.new_cdp_session(shown)
        devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield shown, devtools, made["authenticatorId"]


def by_password(shown: Page, home: str) -> None:
    shown.goto(f"{home}/sign-in")
    shown.get_by_label("E-mail address").fill(EMAIL)
    shown.get_by_label("Password").fill(PASSWORD)
    shown.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(shown: Page, home: str) -> None:
    """By forgetting the session, as a browser does that was closed."""
    shown.context.clear_cookies()
    shown.goto(f"{home}/account")
    expect(shown.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_passkey_opens_the_account_alone_and_after_the_password(browser: Browser, tmp_path: Path) -> None:
    data = tmp_path / "data"
    node = Node(data, MUSICCONNECT_REQUIRE_SECOND_FACTOR="false")
    data.mkdir()
    node.run("migrate")
    given = f"{PASSWORD}\n"
    node.run("user", "create", "--email", EMAIL, "--role", "admin", "--password-stdin", given=given)
    with node, phone(browser) as (shown, devtools, authenticator):
        # Browsers make passkeys for names, not for numbers.
        home = f"http://localhost:{node.port}"
        by_password(shown, home)
        shown.wait_for_url(lambda address: "/sign-in" not in address)
        shown.goto(f"{home}/account/passkeys")
        shown.get_by_role("link", name="Add a passkey").click()
        shown.get_by_label("What you will know it by").fill("Mira's phone")
        shown.get_by_role("button", name="Make a passkey").click()
        # It is the first second factor, so the codes for the day it is lost come with it.
        expect(shown.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        code = shown.locator(".codes code").first.inner_text()
        shown.goto(f"{home}/account/passkeys")
        expect(shown.get_by_text("Mira's phone").first).to_be_visible()

        # Alone, for both factors.
        sign_out(shown, home)
        shown.get_by_role("button", name="Sign in with a passkey").click()
        expect(shown.get_by_role("heading", name="Your account")).to_be_visible()
        assert (
            len(devtools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"])
            == 1
        )

        # After the password.
        sign_out(shown, home)
        by_password(shown, home)
        expect(shown.get_by_role("heading", name="Your second factor")).to_be_visible()
        shown.get_by_role("button", name="Use a passkey").click()
        shown.wait_for_url(lambda address: "/sign-in" not in address)
        shown.goto(f"{home}/account/devices")
        expect(shown.get_by_text("This device")).to_be_visible()

        # Without it, by a code from paper.
        sign_out(shown, home)
        by_password(shown, home)
        shown.get_by_label("Recovery code").fill(code)
        shown.get_by_role("button", name="Sign in", exact=True).click()
        shown.wait_for_url(lambda address: "/sign-in" not in address)

        # Removed, it opens nothing, and the password is enough again.
        shown.goto(f"{home}/account/passkeys")
        shown.get_by_role("button", name="Remove Mira's phone").click()
        expect(shown.get_by_text("The passkey is removed")).to_be_visible()
        sign_out(shown, home)
        shown.get_by_role("button", name="Sign in with a passkey").click()
        expect(shown.get_by_text("does not open this")).to_be_visible()
        by_password(shown, home)
        shown.wait_for_url(lambda address: "/sign-in" not in address)
