"""Events of the demo's till: noted with what they tell of, signed, and handed in when the act is over."""

import json
import logging
import secrets
from collections.abc import Callable
from datetime import datetime

import peewee

from appliance import clock
from appliance.errors import MusicConnectError
from appliance.payments import Delivery
from appliance.payments import Notice
from appliance.payments import own_events
from plugins.demo_payments import models
from plugins.demo_payments.models import Event

log = logging.getLogger(__name__)

HEADER = "demo-signature"
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
    return own_events.write(
        Notice(event.id, event.kind, event.changed_at),
        json.loads(event.about),
        header=HEADER,
        key=_key(),
        signed_at=clock.now(),
    )


def read(delivery: Delivery, *, now: datetime) -> Notice:
    """As ``own_events.read``, by the secret in the till's own file."""
    return own_events.read(delivery, header=HEADER, key=_key(), now=now)


def _key() -> bytes:
    with models.act():
        return str(models.value("secret", secrets.token_hex(32))).encode()
