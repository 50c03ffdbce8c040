"""Every page there is, found by following links as four kinds of people: valid HTML, and open to everybody in every theme."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.routing import RequestRedirect

from appliance.startup import Appliance
from tests.journeys.test_memberships import pay
from tests.journeys.test_memberships import to_the_till
from tests.servers import markup
from tests.servers.chromium import DESKTOP
from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node
from web.app import create_app

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("browser")]

PEOPLE = {"nobody": "", "fan": "fan@demo.com", "artist": "artist@demo.com", "admin": "admin@demo.com"}
ADMINS = "harbour lights at low tide"
"""The password of the admin, who is none of the demo's people."""
ROOTS = {
    "nobody": [
        "/",
        "/sign-in",
        "/register",
        "/register/letter",
        "/recover",
        "/confirm",
        "/search?q=a",
        "/nowhere",
        "/offline",
        "/design",
        "/new",
        "/api/docs",
        # Of the artists of the demo one has merchandise.
        "/@lumen-vale",
    ],
    "fan": [
        "/",
        # The first of these while the proof is fresh that they ask for.
        "/account/passkeys/new",
        "/account/second-factor/app",
        # No tab leads there while the collective offers no other way to sign in.
        "/account/identities",
        "/library",
        "/account",
        "/verify",
        "/library/releases",
    ],
    "artist": [
        "/studio",
        "/studio/releases?state=published",
        "/welcome",
        "/studio/artists/lumen-vale/merchandise",
    ],
    "admin": ["/admin"],
}
THEMES = {
    "light": {"color_scheme": "light", "contrast": "no-preference"},
    "dark": {"color_scheme": "dark", "contrast": "no-preference"},
    "high contrast": {"color_scheme": "light", "contrast": "more"},
}
NO_PAGES = {
    "files": "shop.receipt shop.credit_note membership.receipt membership.credit_note studio.order_file studio.parcel_file studio.code_file "
    "media.public media.protected frame.static_file frame.accent sharing.card sharing.embed_accent security.static static "
    "downloads.fetch gate.ask gate.sender installed.icon sharing.episode studio.original admin.export_trail admin.export_trail_lines "
    "admin.bank_file studio.statement_csv studio.statement_pdf",
    "answers to programs": "sharing.artist_feed sharing.podcast sharing.collective_feed sharing.oembed sharing.robots sharing.sitemap "
    "sharing.sitemap_part installed.manifest installed.service_worker health.health health.ready prometheus_metrics listen.artist "
    "listen.plain listen.release listen.lyrics library.favourites_queue library.playlist_queue",
    "parts of pages": "discovery.suggestions downloads.list_alone people.accent_hint studio.track_list",
    "ways to other pages": "membership.pay membership.mend shop.pay people.after_sign_in library.wish sign_in.confirmed "
    "sign_in.elsewhere sign_in.back",
    "opened from a letter, or after a password: tests/web/test_sign_in.py": "security.confirm_email security.reset_password "
    "security.change_email_confirm sign_in.second",
    "of what somebody paid for: tests/journeys/test_merchandise.py": "studio.parcel",
    "closed since the first start, which has a journey of its own": "setup.page",
}


class Findings:
    """What is wrong, each thing once with the places it was found at."""

    def __init__(self) -> None:
        self.places: dict[str, list[str]] = {}

    def add(self, place: str, found: list[str]) -> None:
        for finding in found:
            self.places.setdefault(finding, []).append(place)

    def __str__(self) -> str:
        return "\n".join(
            f"{found}\n    {len(at)} ×: {', '.join(at[:3])}" for found, at in self.places.items()
        )


def routes(appliance: Appliance) -> Map:
    return create_app(appliance).url_map


def pages_of(known: Map) -> set[str]:
    """The endpoints people open by an address, save what has a reason not to be one."""
    without = {endpoint for listed in NO_PAGES.values() for endpoint in listed.split()}
    opened = {str(rule.endpoint) for rule in known.iter_rules() if "GET" in (rule.methods or ())}
    assert without <= opened, f"no longer there: {without - opened}"
    return {endpoint for endpoint in opened - without if not endpoint.startswith("api")}


def kind_of(known: Map, path: str) -> str:
    """Which view makes the page at *path*; empty when none does."""
    try:
        return str(known.bind("127.0.0.1").match(path, method="GET")[0])
    except RequestRedirect:
        return ""
    except HTTPException:
        return "nowhere"


def sign_in(shown: Page, node: Node, email: str) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("#main input[name=email]").fill(email)
    shown.locator("#main input[name=password]").fill(ADMINS if email == PEOPLE["admin"] else "password123")
    shown.locator("#main form button:not([type=button])").last.click()
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def crawl(
    shown: Page, node: Node, roots: list[str], known: Map, wanted: set[str]
) -> Iterator[tuple[str, str]]:
    """The addresses reached from *roots* by links with their kinds, one of a kind; each is open in *shown* when it is handed out."""
    waiting, met, seen = list(roots), set(roots), set[str]()
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(known, urlsplit(address).path)
        if kind in seen or (kind not in wanted and address not in roots):
            continue
        shown.goto(node.url + address, wait_until="load")
        # A link may lead on to a page that was seen already.
        came_to = kind_of(known, urlsplit(shown.url).path)
        seen.add(kind)
        if came_to == kind:
            yield address, kind
        hrefs = "links => links.map(link => link.getAttribute('href'))"
        for link in shown.locator("a[href]").evaluate_all(hrefs):
            target = urlsplit(urljoin(node.url + address, link))
            short = target.path + (f"?{target.query}" if target.query else "")
            if f"{target.scheme}://{target.netloc}" == node.url and short not in met:
                met.add(short)
                waiting.append(short)


@pytest.fixture
def lived_in(demo_node: Node, browser: Browser, demo_releases: list[dict]) -> dict[str, list[str]]:
    """The demo with what only use brings: texts of the collective, a playlist, an invitation; more addresses by person."""
    given = f"{ADMINS}\n"
    demo_node.run(
        "user", "create", "--email", PEOPLE["admin"], "--role", "admin", "--password-stdin", given=given
    )
    release = demo_releases[0]
    with page(browser, java_script_enabled=False) as shown:
        sign_in(shown, demo_node, PEOPLE["admin"])
        shown.goto(f"{demo_node.url}/admin/collective")
        for name in ("about", "imprint", "privacy"):
            shown.locator(f"[name={name}]").fill(f"## What we *{name}*\n\n- one\n- two")
        shown.get_by_role("button", name="Save").click()
    with page(browser, java_script_enabled=False) as shown:
        sign_in(shown, demo_node, PEOPLE["fan"])
        shown.goto(f"{demo_node.url}/playlists/new")
        shown.locator("#main [name=title]").fill("For the crawl")
        shown.locator("#main form button:not([type=button])").last.click()
        expect(shown.get_by_role("heading", name="For the crawl", level=1)).to_be_visible()
        playlist = urlsplit(shown.url).path
        free = next(one for one in demo_releases if one["title"] == "Kitchen Songs")
        shown.goto(f"{demo_node.url}/buy/release/{free['id']}")
        shown.get_by_role("button", name="Get it").click()
        expect(shown.get_by_role("heading", name="Your order", level=1)).to_be_visible()
    with page(browser, java_script_enabled=False) as shown:
        sign_in(shown, demo_node, PEOPLE["artist"])
        shown.goto(f"{demo_node.url}/studio/artists/{release['artist']['slug']}/people")
        shown.locator("[name=email]").fill("fan@demo.com")
        shown.get_by_role("button", name="Invite").click()
        invitation = urlsplit(shown.locator("input[readonly]").first.input_value()).path
    paid = list(memberships(demo_node, browser))
    bells = next(one for one in demo_releases if one["title"] == "Harbour Bells")
    bundled = list(put_together(demo_node, browser, bells["artist"]["slug"]))
    embeds = [
        f"/embed/release/{release['id']}",
        f"/embed/track/{release['tracks'][0]['id']}",
        f"/embed/playlist/{playlist.rpartition('/')[2]}",
    ]
    return {
        "nobody": embeds,
        "fan": [playlist, invitation, *paid, given_away(demo_node, browser)],
        "artist": bundled,
        "admin": [begun(demo_node, browser)],
    }


def put_together(node: Node, browser: Browser, slug: str) -> Iterator[str]:
    """The pages on which the artist makes and changes a bundle of their first two releases; not every artist has so many."""
    with page(browser, java_script_enabled=False) as shown:
        sign_in(shown, node, PEOPLE["artist"])
        shown.goto(f"{node.url}/studio/artists/{slug}/bundles/new")
        shown.get_by_label("Title").fill("For the crawl")
        shown.get_by_label("Price in").fill("9")
        for box in shown.get_by_role("group", name="What is in it").get_by_role("checkbox").all()[:2]:
            box.check()
        shown.get_by_role("button", name="Save").click()
        yield f"/studio/artists/{slug}/bundles/new"
        yield str(shown.get_by_role("link", name="For the crawl").get_attribute("href"))


def given_away(node: Node, browser: Browser) -> str:
    """The page on which the fan prints a membership that they gave away."""
    with page(browser, java_script_enabled=False) as shown:
        sign_in(shown, node, PEOPLE["fan"])
        shown.goto(f"{node.url}/@the-night-ferry")
        shown.get_by_role("link", name="Give it as a gift: Supporter").click()
        shown.get_by_label("Your name").fill("A fan")
        shown.get_by_role("button", name="Go on to pay").click()
        shown.get_by_text("A card that works", exact=True).click()
        shown.get_by_role("button", name="Pay", exact=True).click()
        printed = shown.get_by_role("link", name="Print it").get_attribute("href", timeout=30_000)
        return str(printed)


def memberships(node: Node, browser: Browser) -> Iterator[str]:
    """A membership that the fan pays for, then the pages on its way that no link of the last stage leads to."""
    with page(browser, java_script_enabled=False) as shown:
        sign_in(shown, node, PEOPLE["fan"])
        to_the_till(shown, node, "the-night-ferry")
        address = pay(shown)
        yield address
        shown.goto(f"{node.url}{address}/change")
        shown.get_by_role("button", name="See what it costs").click()
        expect(shown.get_by_role("heading", name="What the change costs").first).to_be_visible()
        yield urlsplit(shown.url).path
        yield from (f"{address}/{step}" for step in ("change", "cancel", "pause"))
        # Of whom the fan has a tier as a gift, a higher one can be paid; it is cancelled at once.
        to_the_till(shown, node, "ada-quill", "Superfan")
        other = pay(shown)
        shown.goto(f"{node.url}{other}/cancel")
        shown.get_by_role("button", name="Cancel the membership").click()
        expect(shown.get_by_text("Your membership is cancelled.")).to_be_visible()
        yield f"{other}/resume"


def begun(node: Node, browser: Browser) -> str:
    """The page that waits for a payment of the admin, who did not pay."""
    with page(browser, java_script_enabled=False) as shown:
        sign_in(shown, node, PEOPLE["admin"])
        to_the_till(shown, node, "the-night-ferry")
        shown.goto(f"{node.url}/account")
        began = shown.get_by_role("link", name="Your membership of The Night Ferry").get_attribute("href")
        return f"{began}/waiting"


def test_every_page_is_valid_and_accessible_in_every_theme(
    demo_node: Node, browser: Browser, lived_in: dict[str, list[str]], appliance: Appliance
) -> None:
    known = routes(appliance)
    wanted, reached = pages_of(known), set[str]()
    findings = Findings()
    sources: dict[str, str] = {}
    for who, email in PEOPLE.items():
        with page(browser, expected="40", viewport=DESKTOP, reduced_motion="reduce") as shown:
            if email:
                sign_in(shown, demo_node, email)
            for address, kind in crawl(shown, demo_node, ROOTS[who] + lived_in[who], known, wanted):
                place = f"{who} {address}"
                sources[place] = shown.request.get(demo_node.url + address).text()
                # What somebody else was shown in all themes differs by a few buttons.
                for theme, media in list(THEMES.items())[: 1 if kind in reached else None]:
                    # The document is the same in each of them: after the first, only what colours and sizes decide is asked.
                    rules = [] if theme == "light" else markup.OF_LOOKS
                    shown.set_viewport_size(PHONE if theme == "dark" else DESKTOP)
                    shown.emulate_media(**media)
                    findings.add(f"{place} ({theme})", markup.violations(shown, rules=rules))
                shown.set_viewport_size({"width": 320, "height": 640})
                wide = shown.evaluate("() => document.documentElement.scrollWidth - innerWidth")
                findings.add(place, [f"{wide} px wider than 320 px"] if wide > 0 else [])
                shown.set_viewport_size(DESKTOP)
                reached.add(kind)
    for fault in markup.faults(sources):
        place, _colon, found = fault.partition(":")
        findings.add(place, [found.partition(" ")[2]])
    assert not findings.places, f"{len(findings.places)} findings:\n{findings}"
    assert wanted <= reached, f"no link leads to: {sorted(wanted - reached)}"


def test_a_form_kept_over_an_expired_session_is_accessible(
    demo_node: Node, browser: Browser, demo_releases: list[dict]
) -> None:
    with page(browser, expected="40") as shown:
        sign_in(shown, demo_node, PEOPLE["fan"])
        shown.goto(f"{demo_node.url}/playlists/new")
        shown.locator("#main [name=title]").fill("Kept over night")
        shown.context.clear_cookies()
        shown.locator("#main form button:not([type=button])").last.click()
        expect(shown.get_by_text("Kept over night").first).to_be_attached()
        assert not markup.violations(shown)
        # The player's script puts its audio element beside the body.
        assert not [fault for fault in markup.faults({"kept form": shown.content()}) if "#audio" not in fault]
