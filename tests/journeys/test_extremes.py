"""What nobody plans for: the pages hold when names are too long, run from right to left, are full of markup, or are far too many."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page

from appliance.startup import Appliance
from tests.servers import extremes
from tests.servers import markup
from tests.servers import site
from tests.servers.chromium import DESKTOP
from tests.servers.chromium import PHONE
from tests.servers.chromium import page

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
TOO_LONG_FOR_AXE = {"long playlist"}
NARROW = {"width": 320, "height": 640}
CUT = """() => [...document.querySelectorAll("h1, h2, .button, .tabs a, .facts, .release-by a")]
  .filter((one) => one.checkVisibility() && !one.classList.contains("hidden") && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
  .map((one) => one.outerHTML.slice(0, 120))"""
SMALL = """() => [...document.querySelectorAll("main button, main a.button, nav a, .tag")]
  .filter((one) => one.checkVisibility({ checkOpacity: true }) && one.getBoundingClientRect().height < 24)
  .map((one) => one.outerHTML.slice(0, 120))"""


def test_extreme_names_and_numbers_break_no_page(appliance: Appliance, browser: Browser) -> None:
    owner, reader = site.make_person(), site.make_person()
    made = extremes.fill(appliance, owner, reader)
    problems: list[str] = []
    with site.serving(appliance) as port, page(browser, reduced_motion="reduce") as shown:
        root = f"http://127.0.0.1:{port}"
        addresses = made.pages | {
            "storefront": "/",
            "artists": "/artists",
            "new": "/new",
            "search": "/search?q=tide",
        }
        for name, address in addresses.items():
            answer = shown.goto(root + address)
            assert answer is not None
            assert answer.ok, name
            assert shown.title() != "owned"
            assert shown.locator("img[src=x]").count() == 0, name
            for scheme, size in (("light", DESKTOP), ("dark", PHONE), ("dark", NARROW)):
                shown.set_viewport_size(size)
                shown.emulate_media(color_scheme=scheme)
                problems += [f"{name}, {size['width']}: {found}" for found in looked_at(shown)]
                if size is not NARROW and name not in TOO_LONG_FOR_AXE:
                    problems += [f"{name}, {scheme}: {found}" for found in markup.violations(shown)]
    assert not problems, "\n".join(problems)


def test_a_title_from_right_to_left_stands_where_titles_stand(appliance: Appliance, browser: Browser) -> None:
    made = extremes.fill(appliance, site.make_person(), site.make_person())
    with site.serving(appliance) as port, page(browser) as shown:
        shown.goto(f"http://127.0.0.1:{port}{made.releases['right to left']}")
        begins = "() => [...document.querySelectorAll('h1, .release-by a')].map((one) => { const range = new Range(); range.selectNodeContents(one); return range.getBoundingClientRect().left; })"
        title, artist = shown.evaluate(begins)
        assert title == pytest.approx(artist, abs=4)


def looked_at(shown: Page) -> list[str]:
    """What a look finds: wider than the screen, cut off without a mark, too small to hit."""
    wide = shown.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    found = [f"{wide} px too wide"] if wide > 0 else []
    found += [f"cut: {one}" for one in shown.evaluate(CUT)]
    return found + [f"too small: {one}" for one in shown.evaluate(SMALL)]
