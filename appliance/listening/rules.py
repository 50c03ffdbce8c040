"""What reports of one play come to together: pure, and the same in whatever order and however often they arrive."""

from datetime import datetime
from datetime import timedelta

from appliance.listening.events import MOST_MS
from appliance.listening.events import Event
from appliance.listening.events import Kind
from appliance.listening.models import HEARD_IN
from appliance.listening.models import PREVIEW
from appliance.listening.models import Outcome
from appliance.listening.models import Play

ENOUGH_MS = 30_000
"""So much of a track, or half of it if that is less, makes a play count."""
FASTEST = 3
"""Nobody hears more than this many minutes of music in one minute."""
MOST_TIMES = 3
"""Somebody who seeks back hears parts of a track again; more than this is a player that lies."""
OUTCOMES = {
    Kind.START: Outcome.STARTED,
    Kind.PROGRESS: Outcome.STARTED,
    Kind.SKIP: Outcome.SKIPPED,
    Kind.END: Outcome.ENDED,
}
_RANKS: list[str] = list(Outcome)


def first(event: Event, *, artist_id: str, user_id: str | None, client: str, now: datetime) -> Play:
    """The play as this event alone tells it, uncounted: ``weigh`` it once all is merged."""
    return Play(
        id=event.play,
        track=event.track,
        artist=artist_id,
        user=user_id,
        client=client,
        started_at=event.at,
        last_at=event.at,
        claimed_ms=event.heard_ms,
        heard_ms=0,
        position_ms=event.position_ms,
        outcome=OUTCOMES[event.kind],
        quality=event.quality,
        context=event.context,
        received_at=now,
        updated_at=now,
    )


def belongs(other: Play, play: Play) -> bool:
    """Whether *other* can be told of *play*: one id is one track, on one player, heard by one person at most."""
    same = (other.track_id, other.client) == (play.track_id, play.client)
    return same and (play.user_id is None or other.user_id in {None, play.user_id})


def merge(play: Play, other: Play) -> None:
    """Put into *play* what *other* knows of it; each part by a rule that does not care for order."""
    play.user_id = play.user_id or other.user_id
    # What came first tells where it was put on, what came last how far it got; of two at once, any rule that always gives the same.
    play.started_at, play.context = min((play.started_at, play.context), (other.started_at, other.context))
    play.last_at, play.position_ms = max((play.last_at, play.position_ms), (other.last_at, other.position_ms))
    play.claimed_ms = max(play.claimed_ms, other.claimed_ms)
    play.outcome = max(play.outcome, other.outcome, key=_RANKS.index)
    play.quality = max(play.quality, other.quality, key=HEARD_IN.index)
    play.received_at = min(play.received_at, other.received_at)
    play.updated_at = max(play.updated_at, other.updated_at)


def weigh(play: Play, duration_ms: int | None) -> None:
    """Say how much of the track can have been heard, and whether that counts."""
    longest_ms = MOST_TIMES * duration_ms if duration_ms else MOST_MS
    passed_ms = (play.last_at - play.started_at) // timedelta(milliseconds=1)
    play.heard_ms = min(play.claimed_ms, longest_ms, FASTEST * passed_ms)
    enough = play.heard_ms >= enough_ms(duration_ms) and play.quality != PREVIEW
    play.counted_at = play.started_at if enough else None


def enough_ms(duration_ms: int | None) -> int:
    """How much of a track of this length must be heard for a play to count."""
    return max(1, min(ENOUGH_MS, duration_ms // 2)) if duration_ms else ENOUGH_MS
