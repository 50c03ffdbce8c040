"""The place to which PayPal sends its events, registered there by ourselves, and the certificates that it signs them with."""

from plugins.paypal_payments import models
from plugins.paypal_payments import signing
from plugins.paypal_payments.wire import Refused
from plugins.paypal_payments.wire import Wire

PLACE = "/webhooks/paypal"
EVENTS = (
    "CHECKOUT.ORDER.APPROVED",
    "CHECKOUT.ORDER.COMPLETED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REVERSED",
    "PAYMENT.SALE.COMPLETED",
    "PAYMENT.SALE.REFUNDED",
    "PAYMENT.SALE.REVERSED",
    "BILLING.SUBSCRIPTION.ACTIVATED",
    "BILLING.SUBSCRIPTION.UPDATED",
    "BILLING.SUBSCRIPTION.CANCELLED",
    "BILLING.SUBSCRIPTION.EXPIRED",
    "BILLING.SUBSCRIPTION.SUSPENDED",
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED",
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.UPDATED",
    "CUSTOMER.DISPUTE.RESOLVED",
)


def known(wire: Wire, public_url: str) -> str:
    """PayPal's name of our place, as far as we know it; nobody is asked."""
    return models.kept(_name(wire, public_url))


def ensure(wire: Wire, public_url: str) -> str:
    """The same, registered when it is not; empty where no address is set that PayPal could reach."""
    found = known(wire, public_url)
    if found or not public_url:
        return found
    url = public_url.rstrip("/") + PLACE
    try:
        body = {"url": url, "event_types": [{"name": name} for name in EVENTS]}
        made = str(wire.post("/v1/notifications/webhooks", body)["id"])
    except Refused:
        # It is there, from before our database was.
        there = wire.get("/v1/notifications/webhooks").get("webhooks") or ()
        made = next((str(one["id"]) for one in there if one["url"] == url), "")
    models.keep(_name(wire, public_url), made)
    return made


def certificate(wire: Wire, url: str) -> bytes:
    """A certificate by its address, which is PayPal's; fetched once."""
    assert signing.is_certificate(url, wire.api_url)
    name = f"certificate:{url}"[:200]
    found = models.kept(name)
    if not found:
        found = wire.fetch(url).decode("ascii", "replace")
        models.keep(name, found)
    return found.encode("ascii", "replace")


def _name(wire: Wire, public_url: str) -> str:
    return f"webhook:{wire.client_id[:80]}:{public_url}"[:200]
