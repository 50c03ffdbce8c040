"""A program handles money for people: it buys and joins for a fan, who pays at the till in a browser, and keeps the artist's books."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import expect

from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.waiting import until

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("browser")]
PATIENCE_S = 60
PASSWORD, BOOKKEEPER = "harbour lights at low tide", "bookkeeper@demo.com"


class Program:
    """Something that speaks the interface with a token of its own."""

    def __init__(self, node: Node, email: str, *scopes: str) -> None:
        self.node = node
        wanted = [word for scope in scopes for word in ("--scope", scope)]
        self.token = node.run("token", "create", "--email", email, *wanted).strip()

    def get(self, path: str) -> Any:
        return json.loads(self.fetch(path))

    def fetch(self, path: str) -> bytes:
        return self.node.send("GET", self._path(path), headers=self._headers())[2]

    def post(self, path: str, **sent: Any) -> Any:
        headers = {**self._headers(), "Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        return json.loads(self.node.send("POST", self._path(path), json.dumps(sent).encode(), headers)[2])

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _path(self, path: str) -> str:
        return path if path.startswith("http") else f"/api/v1{path}"


def moved_up(fan: Program, where: str, tier: dict[str, Any]) -> str:
    """The tier they are in after they agreed to the figures; empty when the provider told something meanwhile, so that these are asked for again."""
    figures = fan.post(f"{where}/figures", tier=tier["id"], interval="month")
    assert figures["next_minor"] == tier["price_minor"]
    try:
        return str(fan.post(f"{where}/change", figures=figures["id"])["tier"]["id"])
    except Refused as error:
        if "since these figures were reckoned" not in str(error):
            raise
        return ""


def pay(browser: Browser, address: str) -> None:
    """Somebody fills in the till there, in a browser that knows nothing of us."""
    with page(browser, viewport=PHONE) as shown:
        shown.goto(address)
        shown.get_by_label("A card that works", exact=True).check()
        shown.get_by_role("button", name="Pay", exact=True).click()
        expect(shown.get_by_role("heading").first).to_be_visible()


def test_a_program_buys_joins_and_keeps_the_books(
    demo_node: Node, demo_releases: list[dict], browser: Browser
) -> None:
    email = "program@demo.com"
    demo_node.run("user", "create", "--email", email, "--password-stdin", given=f"{PASSWORD}\n")
    release = next(row for row in demo_releases if row["price"] and row["price"]["price_minor"])
    artist = release["artist"]["slug"]
    plain, fan = Program(demo_node, email), Program(demo_node, email, "read", "money.write")
    wish = {"kind": "release", "thing": release["id"], "tip_minor": 150, "message": "For the van"}
    quote = plain.post("/quotes", **wish)
    assert quote["total_minor"] == release["price"]["price_minor"] + 150
    order = {**wish, "total_minor": quote["total_minor"], "provider": quote["providers"][0]["name"]}
    with pytest.raises(Refused, match="403"):
        plain.post("/orders", **order)
    made = fan.post("/orders", **order)
    assert made["state"] == "open"
    pay(browser, made["pay_url"])
    paid = until(lambda: (row := fan.get(f"/orders/{made['id']}"))["state"] == "paid" and row)
    assert fan.fetch(paid["receipt"]["url"]).startswith(b"%PDF-")
    assert [row["id"] for row in fan.get("/orders")["items"]] == [made["id"]]
    assert fan.get(f"/releases/{release['id']}")["access"]["may_download"]

    free, low, high = fan.get(f"/artists/{artist}/tiers")["items"][:3]
    assert fan.get(f"/artists/{artist}/tiers/{free['id']}/offers")["items"] == []
    way = fan.get(f"/artists/{artist}/tiers/{low['id']}/offers")["items"][0]
    begun = fan.post("/subscriptions", tier=low["id"], interval="month", provider=way["providers"][0]["name"])
    pay(browser, begun["pay_url"])
    where = f"/subscriptions/{begun['id']}"
    until(lambda: fan.get(where)["member"])
    assert until(lambda: moved_up(fan, where, high)) == high["id"]
    assert urlsplit(fan.post(f"{where}/card")["url"]).path.startswith("/plugins/demo_payments/cards/")
    gone = fan.post(f"{where}/cancel", when="period_end")
    assert (gone["stage"], gone["member"]) == ("cancelling", True)
    assert fan.post(f"{where}/resume")["stage"] == "active"
    assert fan.post(f"{where}/cancel", when="now")["stage"] == "ended"

    books = Program(demo_node, "artist@demo.com", "money.read")
    sale = books.get(f"/artists/{artist}/orders/{made['id']}")
    assert (sale["buyer"], sale["total_minor"]) == (email, quote["total_minor"])
    told = books.get(f"/artists/{artist}/statement?limit=100")
    assert release["title"] in {name for line in told["items"] for name in line["names"]}
    table = books.fetch(f"/artists/{artist}/statement.csv").decode()
    assert release["title"] in table
    [euros] = books.get(f"/artists/{artist}/balance")["items"]
    assert euros["owed_minor"] > 0
    demo_node.run(
        "user", "create", "--email", BOOKKEEPER, "--role", "admin", "--password-stdin", given=f"{PASSWORD}\n"
    )
    events = Program(demo_node, BOOKKEEPER, "admin", "money.read").get("/payment-events")["items"]
    assert made["id"] in {mark for event in events for mark in event["marks"]}
