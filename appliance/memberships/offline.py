"""Listening without a connection: until when it is allowed, and the key under which a browser keeps a track.

The key is made from the secret, the person, their session and the track, and is stored nowhere. So it is the same while one stays signed in,
which lets an interrupted transfer go on, and another one for everybody else, after the next sign-in, and
when all sessions of the person are ended.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from appliance.accounts.models import User
from appliance.catalog.models import Quality
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.errors import Conflict
from appliance.errors import NotAllowed
from appliance.memberships import access
from appliance.memberships.access import Access

KEPT = timedelta(days=30)
"""How long a track plays without asking again; who is online in between has it renewed."""
_WANTED = (Quality.HIGH, Quality.MEDIUM, Quality.LOW)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a browser may keep: a rung, the key to keep it under, and until when it may be heard."""

    quality: Quality
    size_bytes: int
    key: bytes
    owner: str
    expires_at: datetime


def offer(
    user: User,
    track: Track,
    right: Access,
    made: list[Rendition],
    *,
    session: str,
    secret: str,
    now: datetime,
) -> Offer:
    """What *user* may keep of *track*; ``NotAllowed`` without the right to, ``Conflict`` before it is ready."""
    if not right.may_play_offline:
        raise NotAllowed("This track can be heard online only.")
    allowed = access.playable(track, right, [rung.quality for rung in made])
    quality = next((one for one in _WANTED if one in allowed), None)
    if quality is None:
        raise Conflict("This track is not ready to be played yet.")
    size_bytes = next(rung.size_bytes for rung in made if rung.quality == quality)
    return Offer(
        quality,
        size_bytes,
        key=_word(secret, "key", user.id, user.fs_uniquifier, session, track.id),
        owner=owner(user, session=session, secret=secret),
        # A membership that ends meanwhile takes along what was kept by it.
        expires_at=min(now + KEPT, right.until or now + KEPT),
    )


def owner(user: User, *, session: str, secret: str) -> str:
    """A word for this person in this session, by which a browser knows whose kept tracks it holds; it tells nothing of them."""
    return _word(secret, "owner", user.id, user.fs_uniquifier, session).hex()[:24]


def _word(secret: str, *parts: str) -> bytes:
    # Lengths in front, so that no two lists of parts come to the same bytes.
    told = b"".join(len(part).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.new(secret.encode(), b"musicconnect.offline." + told, hashlib.sha256).digest()
