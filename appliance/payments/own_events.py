"""Events of providers that live in this server: JSON that names what changed, with a time and an HMAC-SHA256 of both (as Stripe signs its webhooks).

They go the way of all webhooks, so that nothing about these providers is special but who sends.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime

from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.payments.facts import Delivery
from appliance.payments.facts import Notice

OLDEST_S = 300
"""An event that was signed longer ago, or later than now, is not taken: it may be a copy."""


def write(notice: Notice, about: Sequence[str], *, header: str, key: bytes, signed_at: datetime) -> Delivery:
    """A signed event that tells of these objects."""
    told = {
        "id": notice.id,
        "kind": notice.kind,
        "at": notice.happened_at.isoformat(),
        "about": list(about),
    }
    body, at_s = json.dumps(told).encode(), int(signed_at.timestamp())
    return Delivery(body, {header: f"t={at_s},v1={_signature(key, at_s, body)}"})


def read(delivery: Delivery, *, header: str, key: bytes, now: datetime) -> Notice:
    """Check signature and age; ``NotAllowed`` when they do not hold, ``Invalid`` for rubbish."""
    told = delivery.headers.get(header, "")
    fields = dict(field.split("=", 1) for field in told.split(",") if "=" in field)
    at, signed = fields.get("t", ""), fields.get("v1", "")
    if not (at.isascii() and at.isdigit() and len(at) < 14):
        raise NotAllowed("The event is not signed.")
    if not hmac.compare_digest(_signature(key, int(at), delivery.body).encode(), signed.encode()):
        raise NotAllowed("The signature of the event does not hold.")
    if abs(now.timestamp() - int(at)) > OLDEST_S:
        raise NotAllowed("The event is too old.")
    event = _parsed(delivery.body)
    try:
        happened_at = datetime.fromisoformat(str(event["at"])).astimezone(UTC)
        return Notice(str(event["id"]), str(event["kind"]), happened_at)
    except (KeyError, ValueError) as error:
        raise Invalid("The event cannot be read.") from error


def about(body: bytes) -> list[str]:
    """What a checked event tells of; nothing for one of somebody else, ``Invalid`` for rubbish."""
    found = _parsed(body).get("about")
    return [str(one) for one in found] if isinstance(found, list) else []


def _parsed(body: bytes) -> dict[str, object]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The event cannot be read.") from error
    if not isinstance(event, dict):
        raise Invalid("The event cannot be read.")
    return event


def _signature(key: bytes, at_s: int, body: bytes) -> str:
    return hmac.new(key, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
