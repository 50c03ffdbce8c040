"""The signed, expiring permission that stands in a media address.

A token is ``payload.signature`` in base64url: asset, allowed qualities, expiry and listener, under HMAC-SHA256 (RFC 2104). The key is
derived from the secret key for each day, so it rotates by itself; a token names its day and outlives it by at most its own expiry.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from appliance.catalog.models import Quality
from appliance.errors import NotAllowed

_LADDER = tuple(Quality)
_DAY_S = 86_400
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token permits: these qualities of this asset, to this listener, until *expires_at_s* (Unix time)."""

    asset: str
    qualities: frozenset[str]
    expires_at_s: int
    listener: str


def sign(grant: Grant, *, secret: str, now_s: int) -> str:
    """The token for *grant*."""
    mask = sum(1 << i for i, quality in enumerate(_LADDER) if quality in grant.qualities)
    day = now_s // _DAY_S
    payload = f"{grant.asset}|{mask:x}|{grant.expires_at_s:x}|{grant.listener}|{day:x}".encode()
    return f"{_encode(payload)}.{_encode(_signature(payload, secret, day))}"


def read(token: str, *, secret: str, now_s: int) -> Grant:
    """The grant in *token*; ``NotAllowed`` when it is forged, damaged or expired, without saying which part is wrong."""
    try:
        if len(token) > _LONGEST:
            raise ValueError("too long")
        body, _, signature = token.partition(".")
        payload = _decode(body)
        asset, mask, expires, listener, day = payload.decode("ascii").split("|")
        if not hmac.compare_digest(_decode(signature), _signature(payload, secret, int(day, 16))):
            raise ValueError("wrong signature")
        # A second spelling of the same bytes must not be a second cache key.
        if _encode(payload) != body or _encode(_decode(signature)) != signature:
            raise ValueError("not canonical")
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise NotAllowed("This media address is not valid.") from error
    if int(expires, 16) <= now_s:
        raise NotAllowed("This media address has expired; ask for a new one.")
    bits = int(mask, 16)
    return Grant(
        asset, frozenset(q for i, q in enumerate(_LADDER) if bits >> i & 1), int(expires, 16), listener
    )


def require(grant: Grant, asset: str, quality: str) -> None:
    """``NotAllowed`` unless *grant* opens this quality of this asset."""
    if grant.asset != asset or quality not in grant.qualities:
        raise NotAllowed("This media address does not open that.")


def allowed(names: Iterable[str], grant: Grant) -> list[str]:
    """Of *names*, the qualities that *grant* opens, in their order."""
    return [name for name in names if name in grant.qualities]


@lru_cache(maxsize=8)
def _key(secret: str, day: int) -> bytes:
    return hmac.new(secret.encode(), b"musicconnect.media.%x" % day, hashlib.sha256).digest()


def _signature(payload: bytes, secret: str, day: int) -> bytes:
    return hmac.digest(_key(secret, day), payload, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
