"""The state of the fake: every object by its id, a clock that can be moved, and the log of events."""

from __future__ import annotations

import copy
import random
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import missing
from tests.servers.stripe.wire import stripped

API_VERSION = "2026-10-28.endive"


class World:
    """One Stripe account, and the accounts of its payees."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.url = ""
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.things: dict[str, Thing] = {}
        self.frozen_at: int | None = None
        self.answers: dict[str, tuple[str, int, Thing]] = {}
        self.faults: list[Thing] = []
        self.requests: list[Thing] = []
        self.outbox: list[Thing] = []
        self.sending: Thing = {"hold": False, "delay_s": 0.0, "twice": False, "lose": 0.0, "shuffle": False}
        self.chance = random.Random(0)
        self.rates: dict[str, tuple[str, int, int]] = {}
        self.late_fees = False
        self.both_capabilities = False
        self.tax_bps = 0

    def now(self) -> int:
        """Seconds since 1970, of the test clock when there is one."""
        return int(time.time()) if self.frozen_at is None else self.frozen_at

    def add(self, prefix: str, kind: str, **fields: Any) -> Thing:
        """Keep a new object."""
        thing = {
            "id": fields.pop("id", None) or f"{prefix}_{secrets.token_hex(9)}",
            "object": kind,
            "created": self.now(),
            "livemode": False,
            **fields,
        }
        self.things[thing["id"]] = thing
        return thing

    def get(self, reference: str, kind: str = "") -> Thing:
        """The object of this id, or the error that there is none."""
        thing = self.things.get(reference)
        if thing is None or (kind and thing["object"] != kind):
            raise missing(reference)
        return thing

    def every(self, kind: str, keep: Callable[[Thing], bool] = lambda _: True) -> list[Thing]:
        """All objects of a kind, newest first."""
        found = [thing for thing in self.things.values() if thing["object"] == kind and keep(thing)]
        found.sort(key=lambda thing: int(thing["created"]))
        return found[::-1]

    def tell(self, kind: str, thing: Thing, *, account: str = "") -> Thing:
        """Log an event and put it into the outbox of every endpoint that wants it."""
        event = {
            "id": f"evt_{secrets.token_hex(9)}",
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
            "data": {"object": stripped(copy.deepcopy(thing))},
            **({"account": account} if account else {}),
        }
        self.things[event["id"]] = event
        for endpoint in self.every("webhook_endpoint"):
            wants = kind in endpoint["enabled_events"] or "*" in endpoint["enabled_events"]
            if endpoint["status"] == "enabled" and wants and bool(account) == endpoint["_connect"]:
                self.outbox.append(
                    {"event": event, "url": endpoint["url"], "secret": endpoint["_secret"], "tries": 0}
                )
        return event
