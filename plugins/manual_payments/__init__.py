"""Payment by hand: bank transfer, cash, invoice; see README.md beside this file."""

from datetime import timedelta
from typing import Any

from appliance import clock
from appliance import currencies
from appliance import hookimpl
from appliance.billing import inbox
from appliance.errors import N_
from appliance.errors import Invalid
from appliance.hookspecs import WebPages
from appliance.payments import Delivery
from appliance.payments import PaymentProvider
from appliance.setting import Setting
from plugins.manual_payments import pages
from plugins.manual_payments import references
from plugins.manual_payments.provider import ManualPayments
from plugins.manual_payments.provider import Ways

_provider: ManualPayments | None = None


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """Where one may pay, and what one is told."""
    return (
        Setting("enabled", bool, False, "Whether people may pay by hand."),
        Setting("label", str, N_("Bank transfer"), "What people read where they choose how to pay."),
        Setting("currencies", tuple, (currencies.EURO,), "In which currencies."),
        Setting("account_holder", str, "", "Whose account it is."),
        Setting("iban", str, "", "Number of the account; empty: no transfers."),
        Setting("bic", str, "", "BIC of its bank, if who pays must know it."),
        Setting("cash", str, "", "Where and when one may pay in cash; empty: not at all."),
        Setting("instructions", str, "", "What else somebody should know who pays."),
        Setting("due_days", int, 14, "Days one has for a first payment.", minimum=1, maximum=90),
    )


@hookimpl
def plugin_start(values: dict[str, Any]) -> bool | None:
    """Check the settings; ``Invalid`` names what is wrong or missing."""
    global _provider
    _provider = None
    if not values["enabled"]:
        return False
    iban = references.plain(values["iban"])
    if iban and not references.is_iban(iban):
        raise Invalid("The setting 'iban' is mistyped: its check digits do not fit.", field="iban")
    if iban and not values["account_holder"].strip():
        raise Invalid("The setting 'account_holder' is missing; banks compare it.", field="account_holder")
    if not iban and not values["cash"].strip():
        raise Invalid("Give 'iban', or 'cash': nobody would know where to pay.", field="iban")
    taken = tuple(currencies.read(code) for code in values["currencies"])
    if not taken:
        raise Invalid("The setting 'currencies' is empty.", field="currencies")
    _provider = ManualPayments(
        Ways(
            label=values["label"].strip() or "Bank transfer",
            currencies=taken,
            due=timedelta(days=values["due_days"]),
            holder=values["account_holder"].strip(),
            iban=iban,
            bic=references.plain(values["bic"]),
            cash=values["cash"].strip(),
            instructions=values["instructions"].strip(),
        ),
        receive,
    )
    return None


@hookimpl
def payment_providers() -> tuple[PaymentProvider, ...]:
    """The collective's own account, and its cash box."""
    return (_provider,) if _provider else ()


@hookimpl
def web_pages() -> WebPages | None:
    """Where to pay, and where somebody confirms it."""
    return WebPages(pages.blueprint(_provider), pages.NEEDS) if _provider else None


def receive(delivery: Delivery) -> None:
    """Hand an event in."""
    inbox.receive(ManualPayments.name, delivery, now=clock.now())
