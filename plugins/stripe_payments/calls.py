"""Asking Stripe by its own SDK, which is imported when it is first used; every answer is a plain dictionary, every error one of ours."""

import logging
import threading
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable

log = logging.getLogger(__name__)

API_VERSION = "2026-10-28.endive"
"""The version whose shapes this plugin knows; Stripe keeps it whatever the account is set to."""
RETRIES = 2
PAGE = 100

DECLINED = {
    "insufficient_funds": N_("There is not enough money on this card. Use another one."),
    "expired_card": N_("This card has expired. Use another one."),
    "authentication_required": N_(
        "The bank wants you to confirm this payment. Confirm your card under 'payment method', then try again."
    ),
    "subscription_payment_intent_requires_action": N_(
        "The bank wants you to confirm this payment. Confirm your card under 'payment method', then try again."
    ),
    "incorrect_cvc": N_("The security code of this card is wrong."),
}
DECLINED_SOMEHOW = N_("This card was declined. Use another one, or ask your bank.")
# What does not fit how things stand, by the code of Stripe.
CONFLICTS = {
    "charge_already_refunded": N_("This payment was refunded before."),
    "charge_disputed": N_("This payment is disputed, so it cannot be refunded."),
    "refund_disputed_payment": N_("This payment is disputed, so it cannot be refunded."),
    "balance_insufficient": N_("Stripe does not hold enough money for this yet. Try again in a few days."),
    "insufficient_capabilities_for_transfer": N_("This account cannot be paid yet."),
}


class Refused(Exception):
    """What Stripe said, as far as a log may know it: its own sentences hold addresses and names."""


@dataclass(slots=True)
class Stripe:
    """The way to Stripe with one key; it is shared by all threads."""

    secret_key: str = field(repr=False)
    api_base: str = ""
    timeout_s: float = 5.0
    _client: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, call: Callable[[Any], Any]) -> dict[str, Any]:
        """What ``call(services)`` answers, as a plain dictionary."""
        found = self._translated(lambda: call(self._services()))
        return dict(found.to_dict()) if found is not None else {}

    def every(self, call: Callable[[Any], Any]) -> Iterator[dict[str, Any]]:
        """All that the list of ``call(services)`` holds, page by page."""
        pages = iter(self._translated(lambda: call(self._services())).auto_paging_iter())
        while (found := self._translated(lambda: next(pages, None))) is not None:
            yield found.to_dict()

    def _services(self) -> Any:
        with self._lock:
            if self._client is None:
                # Imported when it is first used: it is large, and the extra [stripe] need not be installed.
                import stripe

                # Its messages at lower levels hold what is sent: addresses, and names.
                logging.getLogger("stripe").setLevel(logging.WARNING)
                stripe.enable_telemetry = False
                self._client = stripe.StripeClient(
                    self.secret_key,
                    stripe_version=API_VERSION,
                    base_addresses={"api": self.api_base} if self.api_base else None,
                    max_network_retries=RETRIES,
                    http_client=stripe.RequestsClient(timeout=self.timeout_s),
                )
            return self._client.v1

    def _translated(self, act: Callable[[], Any]) -> Any:
        import stripe

        try:
            return act()
        except stripe.StripeError as error:
            raise told(error) from Refused(
                f"{type(error).__name__} {error.http_status} {error.code} {getattr(error, 'param', None)} {error.request_id}"
            )


def once(key: str, part: str = "") -> Any:
    """The options of a call that happens once, however often it is sent with this *key*."""
    return {"idempotency_key": f"{key}/{part}"[:255] if part else key[:255]}


def told(error: Any) -> MusicConnectError:
    """Pure but for the log: an error of the SDK as one of ours, without Stripe's own words."""
    import stripe

    if isinstance(error, stripe.CardError):
        decline = getattr(error.error, "decline_code", None) if error.error else None
        return Invalid(DECLINED.get(decline or "") or DECLINED.get(error.code or "") or DECLINED_SOMEHOW)
    if error.code == "account_invalid":
        return NotFound("Stripe does not know this.")
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        log.error("stripe refuses the key", extra={"request": error.request_id})
        return Unavailable("Stripe does not accept the key of this server; an operator must look.")
    if isinstance(error, stripe.IdempotencyError):
        return Conflict("This was asked for before, and differently. Start again.")
    if isinstance(error, stripe.InvalidRequestError):
        if error.code == "resource_missing" or error.http_status == 404:
            return NotFound("Stripe does not know this.")
        if error.code in DECLINED:
            return Invalid(DECLINED[error.code])
        if error.code in CONFLICTS:
            return Conflict(CONFLICTS[error.code])
        log.warning(
            "stripe refuses", extra={"code": error.code, "param": error.param, "request": error.request_id}
        )
        if error.code == "amount_too_small":
            return Invalid("This amount is too small to be paid by card, wallet or bank.", field="amount")
        if error.code == "amount_too_large":
            return Invalid("This amount is more than Stripe takes at once.", field="amount")
        if error.param in {"email", "customer_email"}:
            return Invalid("Stripe does not take this e-mail address.", field="email")
        return Invalid("Stripe does not take this as it was asked for.")
    log.warning("stripe does not answer", extra={"status": error.http_status, "request": error.request_id})
    return Unavailable("Stripe does not answer at the moment. Try again in a few minutes.")
