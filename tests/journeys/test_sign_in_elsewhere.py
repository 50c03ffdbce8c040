"""A browser goes to a provider elsewhere and comes back: cookies, policies and Turbo let it, and the pages on the way are good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers import markup
from tests.servers import oidc
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.servers.oidc import Provider

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]

ADMIN, PASSWORD = "keeper@example.com", "harbour lights at low tide"
PREFIX = "MUSICCONNECT_PLUGIN_OIDC_SIGNIN__"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with oidc.serving() as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Node]:
    """A node without any music that knows the provider."""
    made = Node(
        tmp_path_factory.mktemp("elsewhere") / "data",
        MUSICCONNECT_REQUIRE_SECOND_FACTOR="false",
        **{
            f"{PREFIX}ISSUER": provider.issuer,
            f"{PREFIX}CLIENT_ID": oidc.CLIENT_ID,
            f"{PREFIX}CLIENT_SECRET": oidc.CLIENT_SECRET,
            f"{PREFIX}LABEL": "Harbour Union",
            f"{PREFIX}ALLOW_PRIVATE_ADDRESSES": "true",
        },
    )
    made.data.mkdir()
    made.run("migrate")
    made.run("user", "create", "--email", ADMIN, "--role", "admin", "--password-stdin", given=f"{PASSWORD}\n")
    with made:
        yield made


def judged(shown: Page, place: str) -> list[str]:
    """What is wrong with the page as it is shown, also on a narrow phone."""
    found = [f"{place}: {fault}" for fault in markup.violations(shown)]
    before = shown.viewport_size
    shown.set_viewport_size({"width": 320, "height": 640})
    wide = shown.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert before is not None
    shown.set_viewport_size(before)
    return found + ([f"{place}: {wide} px wider than 320 px"] if wide > 0 else [])


def test_there_and_back_and_linked_by_a_form(node: Node, provider: Provider, browser: Browser) -> None:
    faults: list[str] = []
    sources: dict[str, str] = {}

    def look(shown: Page, path: str) -> None:
        shown.goto(node.url + path)
        faults.extend(judged(shown, path))
        sources[path] = shown.request.get(node.url + path).text()

    with page(browser, reduced_motion="reduce") as shown:
        look(shown, "/sign-in")
        shown.get_by_role("link", name="Go on with Harbour Union").click()
        expect(shown).to_have_url(f"{node.url}/welcome")
        look(shown, "/account/identities")
        expect(shown.get_by_text("Ada@Example.com")).to_be_visible()
    provider.faults(claims={"sub": "the keeper"})
    with page(browser, reduced_motion="reduce") as shown:
        shown.goto(f"{node.url}/sign-in?next=/account/identities")
        shown.locator("#main input[name=email]").fill(ADMIN)
        shown.locator("#main input[name=password]").fill(PASSWORD)
        shown.get_by_role("button", name="Sign in", exact=True).click()
        shown.get_by_role("button", name="Link an account at Harbour Union").click()
        expect(shown).to_have_url(f"{node.url}/account/identities")
        expect(shown.get_by_text("opens this one from now on")).to_be_visible()
        shown.goto(f"{node.url}/admin/mail")
        shown.get_by_role("button", name="Send a test to me").click()
        expect(shown.get_by_text("is on its way")).to_be_visible()
        look(shown, "/admin/mail")
        message = shown.locator("table a").first.get_attribute("href")
        assert message is not None
        look(shown, message)
        look(shown, "/admin/audit")
        with shown.expect_download() as download:
            shown.get_by_role("link", name="As lines (JSON)").click()
        assert b"identity.linked" in Path(download.value.path()).read_bytes()
    faults += markup.faults(sources)
    assert not faults, "\n".join(faults)
