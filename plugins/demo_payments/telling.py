"""Events of the demo's till: noted with what they tell of, signed, and handed in when the act is over."""

import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Callable
from datetime import UTC
from datetime import datetime

import peewee

from appliance import clock
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotAllowed
from appliance.payments import Delivery
from appliance.payments import Notice
from plugins.demo_payments import models
from plugins.demo_payments.models import Event

log = logging.getLogger(__name__)

HEADER = "demo-signature"
OLDEST_S = 300
MOST_AT_ONCE = 200


def note(kind: str, *about: str, now: datetime) -> None:
    """Note that something happened to these objects; call it within the act."""
    Event.create(id=models.new("evt"), kind=kind, about=json.dumps(about), changed_at=now)


def hand_in(receive: Callable[[Delivery], object]) -> None:
    """Hand in what nobody was told of yet, the oldest first; what is not taken waits for the next time."""
    with models.act():
        waiting = list(
            Event.select().where(~Event.told).order_by(Event.changed_at, Event.id).limit(MOST_AT_ONCE)
        )
    for event in waiting:
        with models.act():
            # Before it is told: who hears of it may ask us at once, and that would tell it again.
            mine = Event.update(told=True).where(Event.id == event.id, ~Event.told).execute()
        if not mine:
            continue
        try:
            receive(delivery(event))
        except (MusicConnectError, peewee.PeeweeException) as error:
            log.warning(
                "an event of the demo was not taken", extra={"event": event.id, "why": type(error).__name__}
            )
            with models.act():
                Event.update(told=False).where(Event.id == event.id).execute()


def delivery(event: Event) -> Delivery:
    """The event as a signed webhook."""
    body = json.dumps(
        {
            "id": event.id,
            "kind": event.kind,
            "at": event.changed_at.isoformat(),
            "about": json.loads(event.about),
        }
    ).encode()
    at_s = int(clock.now().timestamp())
    return Delivery(body, {HEADER: f"t={at_s},v1={signature(at_s, body)}"})


def read(delivery: Delivery, *, now: datetime) -> Notice:
    """Check signature and age; ``NotAllowed`` when they do not hold, ``Invalid`` for rubbish."""
    told = delivery.headers.get(HEADER, "")
    fields = dict(field.split("=", 1) for field in told.split(",") if "=" in field)
    at, signed = fields.get("t", ""), fields.get("v1", "")
    if not (at.isascii() and at.isdigit() and len(at) < 14):
        raise NotAllowed("The event is not signed.")
    if not hmac.compare_digest(signature(int(at), delivery.body).encode(), signed.encode()):
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


def signature(at_s: int, body: bytes) -> str:
    """HMAC-SHA256 of the time and the body."""
    with models.act():
        key = models.value("secret", secrets.token_hex(32))
    return hmac.new(key.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
