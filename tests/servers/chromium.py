"""Debian's Chromium, headless, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser
from playwright.sync_api import ConsoleMessage
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

PROGRAM = "/usr/bin/chromium"
# Without these Chromium looks up its maker's hosts at every start.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
HEADLESS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--autoplay-policy=no-user-gesture-required"]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own process, closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=[*QUIET, *HEADLESS])
        try:
            yield browser
        finally:
            browser.close()


def told(message: ConsoleMessage) -> str:
    """What the page complains of, and where it met it."""
    return f"{message.text} ({message.location.get('url', '')})"


@contextmanager
def page(browser: Browser, *, expected: str = "never", **options: Any) -> Iterator[Page]:
    """A page in a fresh profile; whatever the page complains of fails the test, save what holds the *expected* text."""
    complaints: list[str] = []
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    made = context.new_page()
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("console", lambda message: complaints.append(told(message)) if message.type == "error" else None)
    try:
        yield made
    finally:
        context.close()
    assert not [complaint for complaint in complaints if expected not in complaint], complaints
