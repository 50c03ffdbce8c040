"""A till that takes no money, for the demo and for tests; see README.md beside this file."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from appliance import clock
from appliance import hookimpl
from appliance.billing import inbox
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.hookspecs import WebPages
from appliance.payments import Delivery
from appliance.payments import PaymentProvider
from appliance.setting import Setting
from appliance.settings import Settings
from plugins.demo_payments import pages
from plugins.demo_payments.provider import DemoPayments

_provider: DemoPayments | None = None


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """Whether it runs."""
    return (
        Setting(
            "enabled",
            bool,
            False,
            "Whether people may pay with the demo's cards, by which no money moves; 'musicconnect demo' switches it on.",
        ),
    )


@hookimpl
def plugin_start(settings: Settings, values: dict[str, Any]) -> bool | None:
    """Look whether it may run here: nobody else may reach this node, and nothing else may take money."""
    global _provider
    _provider = None
    if not values["enabled"]:
        return False
    _require_alone(settings)
    _provider = DemoPayments(settings.data, receive)
    return None


@hookimpl
def payment_providers() -> tuple[PaymentProvider, ...]:
    """The demo's till."""
    return (_provider,) if _provider else ()


@hookimpl
def web_pages() -> WebPages | None:
    """Its pages: where one pays, changes a card, opens an account; and its desk."""
    return WebPages(pages.blueprint(_provider), pages.NEEDS) if _provider else None


def receive(delivery: Delivery) -> None:
    """Hand an event in."""
    inbox.receive(DemoPayments.name, delivery, now=clock.now())


def _require_alone(settings: Settings) -> None:
    public = urlsplit(settings.public_url).hostname or ""
    if not _is_loopback(settings.host) or (public and not _is_loopback(public)) or settings.trusted_proxies:
        raise NotAllowed(
            "The demo's cards are known to everybody, so they work only on a node that nobody else can reach: it must listen on 127.0.0.1, "
            "without a proxy and without another public_url."
        )
    for name, given in sorted(settings.plugins.items()):
        if name.endswith("_payments") and name != __name__.rpartition(".")[2] and _is_used(given):
            if name in settings.disabled_plugins:
                continue
            raise Invalid(
                "'{plugin}' is set up to take real money, so the demo's cards are off; take its settings away to use them.",
                plugin=name,
            )


def _is_used(given: Any) -> bool:
    return any(str(value).strip().lower() not in {"", "0", "false", "no", "off"} for value in given.values())


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
