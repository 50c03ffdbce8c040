"""Events that providers hand in."""

from datetime import datetime

from appliance import processors
from appliance.payments import Delivery


def receive(provider: str, delivery: Delivery, *, now: datetime) -> bool:
    """Take one event of *provider* in: check it, keep it, and let a job process it; False when it was there."""
    processors.find(provider).read_event(delivery, now=now)
    return True
