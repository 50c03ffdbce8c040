"""Payments by Stripe: cards, wallets and banks, subscriptions, refunds, payouts to artists; see README.md beside this file."""

from importlib.util import find_spec
from typing import Any

import click

from appliance import hookimpl
from appliance import outgoing
from appliance.errors import N_
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.payments import PaymentProvider
from appliance.settings import Setting
from appliance.settings import Settings
from appliance.startup import secret_key
from plugins.stripe_payments import commands
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.endpoints import Endpoints
from plugins.stripe_payments.endpoints import taken_apart
from plugins.stripe_payments.marks import Marks
from plugins.stripe_payments.marks import site_of
from plugins.stripe_payments.provider import StripePayments

_provider: StripePayments | None = None


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """The key of the account, and how it is used."""
    return (
        Setting(
            "secret_key",
            str,
            "",
            "Secret (sk_…) or restricted (rk_…) key of the Stripe account; empty: not used.",
            secret=True,
            pattern=r"((sk|rk)_\w+)?",
            form="sk_… or rk_…, or nothing",
        ),
        Setting(
            "webhook_secret",
            str,
            "",
            "Secrets (whsec_…) of the webhooks, with commas; empty: 'musicconnect stripe webhook' makes and keeps them.",
            secret=True,
        ),
        Setting("label", str, N_("Card, wallet or bank"), "What people read where they choose how to pay."),
        Setting("automatic_tax", bool, False, "Whether Stripe Tax reckons the taxes in a price."),
        Setting(
            "own_account",
            bool,
            False,
            "Whether this Stripe account is for MusicConnect alone, so that its balance must be that of the books.",
        ),
        Setting(
            "site",
            str,
            "",
            "Id of this installation on our objects at Stripe; empty: made from the secret key of MusicConnect.",
            pattern=r"[A-Za-z0-9_-]{0,40}",
            form="up to 40 letters, digits, _ and -",
        ),
        Setting("timeout_s", int, 5, "Seconds one request to Stripe may take.", minimum=1, maximum=60),
        Setting("api_base", str, "", "Whom to ask instead of Stripe, for tests; empty: Stripe."),
    )


@hookimpl
def plugin_start(settings: Settings, values: dict[str, Any]) -> bool:
    """Take the settings without a look at the network; without a key there is nothing to do."""
    global _provider
    _provider = None
    if not values["secret_key"]:
        return False
    if find_spec("stripe") is None:
        raise Unavailable("The package of Stripe is not installed; run: pip install 'musicconnect[stripe]'.")
    if values["api_base"]:
        outgoing.checked(values["api_base"], allow_private=True)
    secrets = taken_apart(values["webhook_secret"])
    if not all(secret.startswith("whsec_") for secret in secrets):
        raise Invalid("The setting 'webhook_secret' must begin with whsec_.", field="webhook_secret")
    marks = Marks(values["site"] or _site(settings))
    stripe = Stripe(values["secret_key"], values["api_base"].rstrip("/"), float(values["timeout_s"]))
    _provider = StripePayments(
        stripe,
        marks,
        Endpoints(stripe, marks, settings.public_url, secrets),
        taxed=values["automatic_tax"],
        own_account=values["own_account"],
        label=values["label"].strip() or "Stripe",
    )
    return True


@hookimpl
def payment_providers() -> tuple[PaymentProvider, ...]:
    """Stripe, if there is a key."""
    return (_provider,) if _provider else ()


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``musicconnect stripe``."""
    cli.add_command(commands.group(lambda: _provider))


def _site(settings: Settings) -> str:
    try:
        return site_of(secret_key(settings))
    except OSError as error:
        raise Unavailable("The data folder is not there yet; start MusicConnect once.") from error
