"""Signatures after Standard Webhooks 1.0 (standardwebhooks.com), so that receivers check them with a library they find."""

import base64
import binascii
import hashlib
import hmac

from appliance.errors import Invalid

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key in *secret*; ``Invalid`` unless it is ``whsec_`` and 24 to 64 bytes in base64 (Standard Webhooks, "Signature scheme")."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise Invalid(
            "The setting 'secret' must be whsec_ and 24 to 64 random bytes in base64; "
            "echo whsec_$(openssl rand -base64 32) makes one.",
            field="secret",
        )
    return key


def headers(message_id: str, body: bytes, key: bytes, *, at_s: int) -> dict[str, str]:
    """The three headers of a signed message: the time is signed too, so that an old message cannot be played again."""
    signed = b"%s.%d.%s" % (message_id.encode(), at_s, body)
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(at_s), "webhook-signature": f"v1,{signature}"}
