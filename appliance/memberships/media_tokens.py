"""The signed, expiring permission that stands in a media address.

A token is ``qualities.expiry.epoch.listener.artist.release.signature``. The signature is half an HMAC-SHA256 (RFC 2104, section 5) over all
of it and over the asset, which stands beside the token in the address and names the track. The key is derived from the secret for the day
on which a token ends, so it rotates by itself.

Whoever holds the address may use it, from any browser and without a cookie: that is what lets a player on another site, a television or a
cache in front play it. What bounds it is its few minutes, its one asset, and the end of the right that it was made of.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from appliance import revocations
from appliance.catalog.models import Quality
from appliance.errors import NotAllowed

SKEW_S = 60
"""How much the clocks of two servers may differ."""
_LADDER = tuple(Quality)
_DAY_S = 86_400
LONGEST = 250
_SIGNED_BYTES = 16
_NOBODY = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token permits: these qualities of this asset, to this listener, until *expires_at_s* (Unix time).

    *epoch* is that of the revocations known before the rights were looked at; *artist* and *release* are whose the track is.
    """

    asset: str
    qualities: frozenset[str]
    expires_at_s: int
    epoch: int
    listener: str
    artist: str
    release: str

    @property
    def subjects(self) -> tuple[str, ...]:
        """What this permission is about: a revocation of any of them ends it."""
        return (
            f"listener:{self.listener}",
            f"member:{self.listener}:{self.artist}",
            f"artist:{self.artist}",
            f"release:{self.release}",
            f"track:{self.asset.partition('.')[0]}",
        )


def sign(grant: Grant, *, secret: str) -> str:
    """The token for *grant*."""
    mask = sum(1 << i for i, quality in enumerate(_LADDER) if quality in grant.qualities)
    numbers = f"{mask:x}.{grant.expires_at_s:x}.{grant.epoch:x}"
    body = f"{numbers}.{grant.listener or _NOBODY}.{grant.artist}.{grant.release}"
    return f"{body}.{_signature(grant.asset, body, secret, grant.expires_at_s)}"


def read(token: str, asset: str, *, secret: str, now_s: int, longest_s: int = _DAY_S) -> Grant:
    """The grant in *token* for *asset*; ``NotAllowed`` when it is forged, damaged, for another asset or expired, without saying which part is wrong.

    No permission is made for more than *longest_s*: one that ends later was made while a clock was wrong.
    """
    try:
        if len(token) > LONGEST:
            raise ValueError("too long")
        body, _, signature = token.rpartition(".")
        mask, expires, epoch, listener, artist, release = body.split(".")
        expires_at_s = int(expires, 16)
        # Texts are compared, not what they decode to: a second spelling of the same bytes would be a second key of a cache.
        right = _signature(asset, body, secret, expires_at_s)
        if not hmac.compare_digest(signature.encode(), right.encode()):
            raise ValueError("wrong signature")
    except (ValueError, OverflowError) as error:
        raise NotAllowed("This media address is not valid.") from error
    if not now_s < expires_at_s <= now_s + longest_s + SKEW_S:
        raise NotAllowed("This media address has expired; ask for a new one.")
    bits = int(mask, 16)
    return Grant(
        asset=asset,
        qualities=frozenset(q for i, q in enumerate(_LADDER) if bits >> i & 1),
        expires_at_s=expires_at_s,
        epoch=int(epoch, 16),
        listener="" if listener == _NOBODY else listener,
        artist=artist,
        release=release,
    )


def require_standing(grant: Grant) -> None:
    """``NotAllowed`` when what *grant* was made of ended since: a membership, a role, what is on offer."""
    if revocations.ended(grant.subjects, since=grant.epoch):
        raise NotAllowed("This media address has ended; ask for a new one.")


def require(grant: Grant, quality: str) -> None:
    """``NotAllowed`` unless *grant* opens this quality."""
    if quality not in grant.qualities:
        raise NotAllowed("This media address does not open that.")


def gate_key(secret: str) -> str:
    """What a web server in front says to be told of media addresses, made from the secret of this installation."""
    return hmac.new(secret.encode(), b"musicconnect.gate", hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _key(secret: str, day: int) -> bytes:
    return hmac.new(secret.encode(), b"musicconnect.media.%x" % day, hashlib.sha256).digest()


def _signature(asset: str, body: str, secret: str, expires_at_s: int) -> str:
    # Neither holds a slash, so no two pairs make the same text.
    signed = f"{asset}/{body}".encode()
    digest = hmac.digest(_key(secret, expires_at_s // _DAY_S), signed, "sha256")
    return base64.urlsafe_b64encode(digest[:_SIGNED_BYTES]).rstrip(b"=").decode("ascii")
