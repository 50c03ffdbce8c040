"""Events of payments by hand: about what changed, signed by a key that only this node's secret leads to."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime

from appliance import startup
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.payments import Delivery
from appliance.payments import Notice

HEADER = "manual-signature"
OLDEST_S = 300


def delivery(about: Sequence[str], *, at: datetime, signed_at: datetime) -> Delivery:
    """An event that tells of these."""
    body = json.dumps(
        {"id": new_id(), "kind": "changed", "at": at.isoformat(), "about": list(about)}
    ).encode()
    at_s = int(signed_at.timestamp())
    return Delivery(body, {HEADER: f"t={at_s},v1={_signature(at_s, body)}"})


def read(delivery: Delivery, *, now: datetime) -> Notice:
    """Check signature and age; ``NotAllowed`` when they do not hold, ``Invalid`` for rubbish."""
    told = delivery.headers.get(HEADER, "")
    fields = dict(field.split("=", 1) for field in told.split(",") if "=" in field)
    at, signed = fields.get("t", ""), fields.get("v1", "")
    if not (at.isascii() and at.isdigit() and len(at) < 14):
        raise NotAllowed("The event is not signed.")
    if not hmac.compare_digest(_signature(int(at), delivery.body).encode(), signed.encode()):
        raise NotAllowed("The signature of the event does not hold.")
    if abs(now.timestamp() - int(at)) > OLDEST_S:
        raise NotAllowed("The event is too old.")
    event = parsed(delivery.body)
    try:
        happened_at = datetime.fromisoformat(event["at"]).astimezone(UTC)
        return Notice(str(event["id"]), str(event["kind"]), happened_at)
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid("The event cannot be read.") from error


def parsed(body: bytes) -> dict[str, str]:
    """The event as it was written; ``Invalid`` for what is none."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The event cannot be read.") from error
    if not isinstance(event, dict):
        raise Invalid("The event cannot be read.")
    return event


def _signature(at_s: int, body: bytes) -> str:
    key = hmac.new(startup.appliance().secret.encode(), b"manual_payments events", hashlib.sha256).digest()
    return hmac.new(key, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
