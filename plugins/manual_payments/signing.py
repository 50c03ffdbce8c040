"""Events of payments by hand, signed by a key that only this node's secret leads to."""

import hmac
from collections.abc import Sequence
from datetime import datetime

from appliance import startup
from appliance.database import new_id
from appliance.payments import Delivery
from appliance.payments import Notice
from appliance.payments import own_events

HEADER = "manual-signature"


def delivery(about: Sequence[str], *, at: datetime, signed_at: datetime) -> Delivery:
    """An event that tells of these."""
    notice = Notice(new_id(), "changed", at)
    return own_events.write(notice, about, header=HEADER, key=_key(), signed_at=signed_at)


def read(delivery: Delivery, *, now: datetime) -> Notice:
    """As ``own_events.read``, by that key."""
    return own_events.read(delivery, header=HEADER, key=_key(), now=now)


def _key() -> bytes:
    return hmac.digest(startup.appliance().secret.encode(), b"manual_payments events", "sha256")
