"""Our webhook endpoints at Stripe: registered when there is none of ours, and the secrets by which their messages are known.

Two are needed, since what happens on payees' accounts is told to an endpoint of its own kind. Stripe says a secret once, when the
endpoint is made; so one whose secret nobody here has is removed and made anew.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from appliance import clock
from appliance import plugin_settings
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from plugins.stripe_payments.calls import API_VERSION
from plugins.stripe_payments.calls import PAGE
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.calls import once
from plugins.stripe_payments.history import ABOUT_US
from plugins.stripe_payments.marks import SITE
from plugins.stripe_payments.marks import Marks

log = logging.getLogger(__name__)

PLUGIN, SETTING = "stripe_payments", "webhook_secret"
PATH = "/webhooks/stripe"
KIND = "musicconnect_kind"
KINDS = {
    "account": ABOUT_US,
    "connect": ("account.updated", "account.application.deauthorized", "payout.failed"),
}
LOOKS_AGAIN_AFTER_S = 10.0
"""Whoever sends forged messages must not make us ask the database each time."""


def taken_apart(text: str) -> tuple[str, ...]:
    """Pure: the secrets that a setting holds, between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def kept() -> tuple[str, ...]:
    """The secrets that were kept when the endpoints were registered."""
    return taken_apart(str(plugin_settings.stored().get(PLUGIN, {}).get(SETTING, "")))


@dataclass(slots=True)
class Endpoints:
    """What Stripe tells by webhooks to *public_url*; *given*: the secrets that an operator wrote."""

    stripe: Stripe
    marks: Marks
    public_url: str
    given: tuple[str, ...] = field(default=(), repr=False)
    kept: Callable[[], tuple[str, ...]] = kept
    _stored: tuple[str, ...] = field(default=(), repr=False)
    _looked_at_s: float = float("-inf")
    _tried: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def secrets(self, *, anew: bool = False) -> tuple[str, ...]:
        """The secrets we know; *anew* when none of them fits, since another process may have registered meanwhile."""
        with self._lock:
            if anew and time.monotonic() - self._looked_at_s > LOOKS_AGAIN_AFTER_S:
                self._looked_at_s = time.monotonic()
                self._stored = self.kept()
            return (*self.given, *(secret for secret in self._stored if secret not in self.given))

    def register_if_missing(self) -> None:
        """Register them once, where there is an address and no secret; a failure is logged and tried again at the next start."""
        # Stripe itself sends to nothing but https://.
        reachable = self.public_url.startswith("https://") or (self.public_url and self.stripe.api_base)
        if self._tried or self.given or not reachable:
            return
        self._tried = True
        try:
            if not self.secrets(anew=True):
                self.register()
        except MusicConnectError as error:
            log.warning("stripe takes no webhook", extra={"why": type(error).__name__})

    def register(self) -> list[str]:
        """Register both kinds at Stripe, keep their secrets, remove what we had there before; answers their ids."""
        if not self.public_url:
            raise Conflict("The setting 'public_url' is empty, so Stripe cannot reach this server.")
        if self.given and self.given != self.kept():
            raise Conflict("The setting 'webhook_secret' is given; take it away first.")
        before = [
            thing["id"]
            for thing in self.stripe.every(lambda v1: v1.webhook_endpoints.list({"limit": PAGE}))
            if self.marks.are_on(thing)
        ]
        made = [found for kind in KINDS if (found := self._made(kind, before))]
        with transaction():
            secrets = ",".join(thing["secret"] for thing in made)
            plugin_settings.keep(PLUGIN, {SETTING: secrets}, forget=set(), now=clock.now())
        with self._lock:
            self._stored = taken_apart(secrets)
        for reference in set(before) - {thing["id"] for thing in made}:
            self._remove(reference)
        log.info("webhook registered", extra={"endpoints": [thing["id"] for thing in made]})
        return [thing["id"] for thing in made]

    def _remove(self, reference: str) -> None:
        with suppress(NotFound):
            self.stripe.ask(lambda v1: v1.webhook_endpoints.delete(reference))

    def _made(self, kind: str, before: list[str]) -> dict[str, Any] | None:
        asked: dict[str, Any] = {
            "url": self.public_url.rstrip("/") + PATH,
            "enabled_events": list(KINDS[kind]),
            "api_version": API_VERSION,
            "description": "MusicConnect",
            "metadata": {SITE: self.marks.site, KIND: kind},
        }
        if kind == "connect":
            asked["connect"] = True
        # Two processes that do this at once get the same endpoint and the same secret.
        key = "/".join((self.marks.site, kind, asked["url"], *sorted(before)))
        try:
            return self.stripe.ask(lambda v1: v1.webhook_endpoints.create(asked, once(key)))
        except Invalid:
            if kind == "account":
                raise
            # Connect is not switched on at this account: there are no payees to hear of either.
            return None
