"""A webhook is believed when one of our secrets signed its raw body a moment ago (Stripe's scheme v1); nobody is asked."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime

from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.payments import Delivery
from appliance.payments import Notice

TOLERANCE_S = 300
HEADER = "stripe-signature"


def read(delivery: Delivery, secrets: Iterable[str], *, now: datetime) -> Notice:
    """What came, once it is sure who sent it; ``NotAllowed`` or ``Invalid`` else."""
    signed_at, signatures = _header(delivery.headers.get(HEADER, ""))
    signed = f"{signed_at}.".encode() + delivery.body
    if not any(
        hmac.compare_digest(hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode(), given)
        for secret in secrets
        for given in signatures
    ):
        raise NotAllowed("This message is not signed by Stripe.")
    if abs(now.timestamp() - signed_at) > TOLERANCE_S:
        raise NotAllowed("This message is too old.")
    try:
        event = json.loads(delivery.body)
        return Notice(
            _word(event["id"]), _word(event["type"]), datetime.fromtimestamp(int(event["created"]), UTC)
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError, OSError) as error:
        raise Invalid("This message cannot be read.") from error


def _header(text: str) -> tuple[int, list[bytes]]:
    parts = list(_parts(text))
    times = [value for name, value in parts if name == "t" and value.isascii() and value.isdigit()]
    if len(times) != 1 or len(times[0]) > 12:
        raise NotAllowed("This message is not signed by Stripe.")
    return int(times[0]), [value.encode() for name, value in parts if name == "v1"][:16]


def _parts(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        yield name, value


def _word(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise ValueError("no word")
    return value
