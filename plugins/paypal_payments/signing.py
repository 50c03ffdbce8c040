"""Webhooks of PayPal: signed with the key of a certificate over what was sent, when, and for which webhook."""

import base64
import binascii
import json
import zlib
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.payments import Delivery
from appliance.payments import Notice

OLDEST = timedelta(minutes=10)
CERTIFICATES = "/v1/notifications/certs/"
ALGORITHM = "SHA256withRSA"


def read(
    delivery: Delivery,
    *,
    webhook: str,
    api_url: str,
    certificate: Callable[[str], bytes],
    now: datetime,
) -> Notice:
    """Check signature and age; *certificate* tells the bytes of one by its address, which must be PayPal's own."""
    told = delivery.headers
    sent_at = _instant(told.get("paypal-transmission-time", ""))
    if abs(now - sent_at) > OLDEST:
        raise NotAllowed("The event is too old.")
    url = told.get("paypal-cert-url", "")
    if told.get("paypal-auth-algo") != ALGORITHM or not is_certificate(url, api_url) or not webhook:
        raise NotAllowed("The event is not signed by PayPal.")
    try:
        signature = base64.b64decode(told.get("paypal-transmission-sig", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAllowed("The signature of the event does not hold.") from error
    message = "|".join(
        (
            told.get("paypal-transmission-id", ""),
            told.get("paypal-transmission-time", ""),
            webhook,
            str(zlib.crc32(delivery.body)),
        )
    )
    if not _holds(certificate(url), signature, message.encode(), now=now):
        raise NotAllowed("The signature of the event does not hold.")
    # The checksum is no digest: what is signed could be made for another body. So events are only a hint, and PayPal is asked.
    event = parsed(delivery.body)
    try:
        happened_at = datetime.fromisoformat(str(event["create_time"])).astimezone(UTC)
        return Notice(str(event["id"]), str(event["event_type"]), happened_at)
    except (KeyError, ValueError) as error:
        raise Invalid("The event cannot be read.") from error


def is_certificate(url: str, api_url: str) -> bool:
    """Pure: whether *url* is where PayPal keeps certificates: on the host of its interface, with or without ``-m``."""
    place, own = urlsplit(url), urlsplit(api_url)
    hosts = {own.netloc, own.netloc.replace("api-m.", "api.", 1)}
    return (
        place.scheme == own.scheme
        and place.netloc in hosts
        and place.path.startswith(CERTIFICATES)
        and ".." not in place.path
        and not place.query
    )


def parsed(body: bytes) -> dict[str, object]:
    """The event as it was written; ``Invalid`` for what is none."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The event cannot be read.") from error
    if not isinstance(event, dict):
        raise Invalid("The event cannot be read.")
    return event


def _holds(pem: bytes, signature: bytes, message: bytes, *, now: datetime) -> bool:
    try:
        found = x509.load_pem_x509_certificate(pem)
        key = found.public_key()
        if not isinstance(key, RSAPublicKey) or not (
            found.not_valid_before_utc <= now <= found.not_valid_after_utc
        ):
            return False
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotAllowed("The event is not signed by PayPal.") from error
    return found.astimezone(UTC)
