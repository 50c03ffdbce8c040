"""Webhooks on their way: signed, and on request late, twice, shuffled or lost."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from tests.servers.stripe.wire import Thing
from tests.servers.stripe.world import World

TRIES = 5


def signed(message: Thing, *, at: int | None = None) -> Thing:
    """The body and the header of one message, as they go out now."""
    body = json.dumps(message["event"], indent=2)
    stamp = int(time.time()) if at is None else at
    signature = hmac.new(message["secret"].encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "url": message["url"],
        "body": body,
        "headers": {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": f"t={stamp},v0={'0' * 64},v1={signature}",
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        },
    }


def taken(world: World) -> list[Thing]:
    """The messages that are to go now, as the test wants them to arrive."""
    with world.lock:
        waiting, world.outbox = world.outbox, []
        how = world.sending
        kept = [message for message in waiting if world.chance.random() >= how["lose"]]
        if how["twice"]:
            kept = [message for message in kept for _ in range(2)]
        if how["shuffle"]:
            world.chance.shuffle(kept)
        return kept


def send(message: Thing) -> bool:
    """Post one message; true when the other side took it."""
    going = signed(message)
    asked = urllib.request.Request(going["url"], going["body"].encode(), going["headers"], method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return bool(200 <= answer.status < 300)
    except (urllib.error.URLError, OSError):
        return False


def deliver(world: World) -> dict[str, Any]:
    """Send all that waits; what was not taken is tried again next time."""
    done = {"sent": 0, "refused": 0}
    for message in taken(world):
        if send(message):
            done["sent"] += 1
            continue
        done["refused"] += 1
        message["tries"] += 1
        if message["tries"] < TRIES:
            with world.lock:
                world.outbox.append(message)
    return done


def postman(world: World) -> threading.Thread:
    """Who sends what waits, unless the test holds it back."""

    def walk() -> None:
        while True:
            time.sleep(0.05)
            with world.lock:
                ready = bool(world.outbox) and not world.sending["hold"]
                delay = float(world.sending["delay_s"])
            if ready:
                time.sleep(delay)
                deliver(world)

    thread = threading.Thread(target=walk, name="postman", daemon=True)
    thread.start()
    return thread
