"""Payment by PayPal: orders and subscriptions; see README.md beside this file."""

from typing import Any

from appliance import hookimpl
from appliance import outgoing
from appliance.errors import Invalid
from appliance.payments import PaymentProvider
from appliance.setting import Setting
from appliance.settings import Settings
from plugins.paypal_payments.provider import PayPal
from plugins.paypal_payments.wire import Wire

_provider: PayPal | None = None


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """Who we are at PayPal."""
    return (
        Setting("client_id", str, "", "The client ID of the app at PayPal; empty: not used."),
        Setting("client_secret", str, "", "The secret that goes with it.", secret=True),
        Setting(
            "api_url",
            str,
            "https://api-m.paypal.com",
            "PayPal's interface; https://api-m.sandbox.paypal.com to try it out.",
        ),
        Setting(
            "webhook_id", str, "", "PayPal's ID of the webhook, where it was made by hand; empty: it is made."
        ),
        Setting(
            "allow_private_addresses",
            bool,
            False,
            "Whether the interface may be in this machine's own network, and without TLS.",
        ),
    )


@hookimpl
def plugin_start(settings: Settings, values: dict[str, Any]) -> bool | None:
    """Check the settings without a look at the network; ``Invalid`` names what is wrong."""
    global _provider
    _provider = None
    client_id, secret = values["client_id"].strip(), values["client_secret"].strip()
    if not client_id and not secret:
        return False
    for name, value in (("client_id", client_id), ("client_secret", secret)):
        if not value:
            raise Invalid(f"The setting '{name}' is missing.", field=name)
    allow_private, api_url = values["allow_private_addresses"], values["api_url"].strip().rstrip("/")
    try:
        place = outgoing.checked(api_url, allow_private=allow_private)
    except Invalid as error:
        raise Invalid(f"The setting 'api_url' cannot be used: {error}", field="api_url") from error
    if place.path or place.query or (place.scheme != "https" and not allow_private):
        raise Invalid("The setting 'api_url' is https:// and a host.", field="api_url")
    public_url = settings.public_url if settings.public_url.startswith("https://") else ""
    wire = Wire(api_url, client_id, secret, allow_private)
    _provider = PayPal(wire, public_url=public_url, webhook=values["webhook_id"].strip())
    return None


@hookimpl
def payment_providers() -> tuple[PaymentProvider, ...]:
    """PayPal, if there is an account."""
    return (_provider,) if _provider else ()
