"""Listening events as players send them: read with suspicion, so that one bad event costs no good one."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from enum import StrEnum

from appliance.catalog.wording import clean_line
from appliance.errors import Invalid
from appliance.listening.models import HEARD_IN

MOST_EVENTS = 200
MOST_BYTES = 64 * 1024
LONGEST_AGO = timedelta(days=60)
"""What was heard offline may come late; what is older than this was made up, or nobody's figure any more."""
MOST_MS = 24 * 60 * 60 * 1000
LONGEST_CONTEXT = 200
_EXACT = 2**53


class Kind(StrEnum):
    """What happened to a play."""

    START = "start"
    PROGRESS = "progress"
    END = "end"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; *at* is already by the server's clock."""

    play: str
    track: str
    kind: Kind
    at: datetime
    position_ms: int
    heard_ms: int
    quality: str
    context: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one player sends at once, as it was sent: its events are not looked at yet."""

    client: str
    sent_at_ms: int
    events: list[object]


def batch(sent: object) -> Batch:
    """*sent* as a batch; ``Invalid`` when it is none. Single events that are wrong are no reason."""
    if not isinstance(sent, dict):
        raise Invalid("Send a JSON object with client, sent_at and events.")
    client = _uuid(sent.get("client"))
    if client is None:
        raise Invalid("'client' must be a UUID that the player made.", field="client")
    sent_at_ms = _whole(sent.get("sent_at"))
    if sent_at_ms is None:
        raise Invalid("'sent_at' must be the player's clock in milliseconds.", field="sent_at")
    events = sent.get("events")
    if not isinstance(events, list):
        raise Invalid("'events' must be a list.", field="events")
    if len(events) > MOST_EVENTS:
        raise Invalid("A batch has at most {most} events.", most=MOST_EVENTS, field="events")
    return Batch(client, sent_at_ms, events)


def good(events: Iterable[object], *, sent_at_ms: int, now: datetime) -> list[Event]:
    """Those of *events* that can be taken; a player's wrong clock is set right by what it said when it sent them."""
    read = (_event(one, sent_at_ms=sent_at_ms, now=now) for one in events)
    return [event for event in read if event is not None]


def _event(sent: object, *, sent_at_ms: int, now: datetime) -> Event | None:
    if not isinstance(sent, dict):
        return None
    play, track, at_ms = _uuid(sent.get("play")), sent.get("track"), _whole(sent.get("at"))
    position_ms, heard_ms = _whole(sent.get("position_ms")), _whole(sent.get("heard_ms"))
    kind, quality, context = sent.get("kind"), sent.get("quality", ""), sent.get("context", "")
    if play is None or at_ms is None or position_ms is None or heard_ms is None:
        return None
    if not isinstance(track, str) or not 1 <= len(track) <= 26 or not track.isascii() or not track.isalnum():
        return None
    if not isinstance(kind, str) or kind not in set(Kind) or quality not in HEARD_IN:
        return None
    # An event cannot come from after it was sent.
    ago = timedelta(milliseconds=max(0, sent_at_ms - at_ms))
    if ago > LONGEST_AGO:
        return None
    return Event(
        play=play,
        track=track,
        kind=Kind(kind),
        at=now - ago,
        position_ms=min(position_ms, MOST_MS),
        heard_ms=min(heard_ms, MOST_MS),
        quality=quality,
        context=_path(context),
    )


def _uuid(value: object) -> str | None:
    if not isinstance(value, str) or len(value) != 36:
        return None
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return None


def _whole(value: object) -> int | None:
    """A number of milliseconds: browsers count in doubles, so what comes with a fraction is cut."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _EXACT:
        return None
    return int(value)


def _path(value: object) -> str:
    """The page that the queue came from, or nothing where it is no path of ours."""
    if not isinstance(value, str) or not value.startswith("/") or value.startswith("//"):
        return ""
    return clean_line(value[:LONGEST_CONTEXT], field="context", longest=LONGEST_CONTEXT, required=False)
