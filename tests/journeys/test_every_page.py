"""Every page there is, found by following links as four kinds of people: valid HTML, and open to everybody in every theme."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page

from tests.servers import markup
from tests.servers.chromium import DESKTOP
from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("browser")]

PEOPLE = {"nobody": "", "fan": "fan@demo.com", "artist": "artist@demo.com", "admin": "admin@demo.com"}
ROOTS = {
    "nobody": ["/", "/sign-in", "/register", "/search?q=a", "/nowhere", "/offline", "/design"],
    "fan": ["/", "/library", "/account"],
    "artist": ["/studio"],
    "admin": ["/admin"],
}
THEMES = {
    "light": {"color_scheme": "light", "contrast": "no-preference"},
    "dark": {"color_scheme": "dark", "contrast": "no-preference"},
    "high contrast": {"color_scheme": "light", "contrast": "more"},
}
MOST_OF_A_KIND = 1
NOT_PAGES = re.compile(
    r"^/(assets|static|media|artwork|waveforms|previews|api/|cards|embed|metrics|sign-out)|\.(atom|xml|json|csv|png|m4a)$|/original$"
)


def kind_of(path: str) -> str:
    """Pages that are made by the same template: their addresses without what names one thing."""
    path = re.sub(r"/[0-9A-Z]{26}(?=/|$)", "/ID", path)
    path = re.sub(r"^/@[^/]+", "/@artist", path)
    if path.startswith("/@artist/"):
        return "/@artist" + "/x" * (path.count("/") - 1)
    return re.sub(r"^/(genres|tags|admin/\w+|studio/artists)/[^/]+", r"/\1/x", path)


def sign_in(shown: Page, node: Node, email: str) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("#main input[name=email]").fill(email)
    shown.locator("#main input[name=password]").fill("password123")
    shown.locator("#main form button:not([type=button])").last.click()
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def crawl(shown: Page, node: Node, roots: list[str]) -> Iterator[str]:
    """The addresses reached from *roots* by links, one of a kind; each is open in *shown* when it is handed out."""
    waiting, known, seen = list(roots), set(roots), dict[str, int]()
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(urlsplit(address).path)
        if seen.get(kind, 0) >= MOST_OF_A_KIND:
            continue
        seen[kind] = seen.get(kind, 0) + 1
        shown.goto(node.url + address, wait_until="load")
        yield address
        for link in shown.locator("a[href]").evaluate_all(
            "links => links.map(link => link.getAttribute('href'))"
        ):
            target = urlsplit(urljoin(node.url + address, link))
            if f"{target.scheme}://{target.netloc}" != node.url or NOT_PAGES.search(target.path):
                continue
            short = target.path + (f"?{target.query}" if target.query else "")
            if short not in known:
                known.add(short)
                waiting.append(short)


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_is_valid_and_accessible_in_every_theme(
    who: str, demo_node: Node, browser: Browser, demo_releases: list[dict], tmp_path: Path
) -> None:
    problems: list[str] = []
    sources: dict[str, str] = {}
    with page(browser, expected="40", viewport=DESKTOP, reduced_motion="reduce") as shown:
        if PEOPLE[who]:
            sign_in(shown, demo_node, PEOPLE[who])
        for address in crawl(shown, demo_node, ROOTS[who]):
            answer = shown.request.get(demo_node.url + address)
            sources[f"{who} {address}"] = answer.text()
            for theme, media in THEMES.items():
                shown.set_viewport_size(PHONE if theme == "dark" else DESKTOP)
                shown.emulate_media(**media)
                problems += [f"{who} {address} ({theme}): {found}" for found in markup.violations(shown)]
            wide = shown.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                problems.append(f"{who} {address}: {wide} px wider than the screen")
            shown.set_viewport_size(DESKTOP)
    problems += markup.faults(sources)
    assert len(sources) >= len(ROOTS[who])
    assert not problems, f"{len(problems)} problems:\n" + "\n".join(problems[:200])
