"""Sign in with an account elsewhere, by OpenID Connect; see README.md beside this file."""

from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from appliance import hookimpl
from appliance import outgoing
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.hookspecs import SignInWay
from appliance.settings import Setting
from plugins.oidc_signin.provider import Provider
from plugins.oidc_signin.way import OpenIdConnect

_ways: tuple[SignInWay, ...] = ()


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """Where the provider is, and who we are there."""
    return (
        Setting("issuer", str, "", "Address of the provider, such as https://id.example; empty: not used."),
        Setting("client_id", str, "", "The name that the provider gave this server."),
        Setting(
            "client_secret",
            str,
            "",
            "The password that goes with it; empty for a public client.",
            secret=True,
        ),
        Setting(
            "label", str, "OpenID Connect", "What the provider is called on the page where people sign in."
        ),
        Setting("scopes", tuple, ("openid", "email", "profile"), "What we ask the provider for."),
        Setting("timeout_s", int, 10, "Seconds the provider may take to answer.", minimum=1, maximum=60),
        Setting(
            "allow_private_addresses",
            bool,
            False,
            "Whether the provider may be in this machine's own network, and without TLS.",
        ),
    )


@hookimpl
def plugin_start(values: dict[str, Any]) -> None:
    """Check the settings without a look at the network; ``Invalid`` names what is wrong."""
    global _ways
    _ways = ()
    issuer, client_id = values["issuer"].strip(), values["client_id"].strip()
    if not issuer and not client_id:
        return
    for name in ("issuer", "client_id"):
        if not values[name].strip():
            raise Invalid(f"The setting '{name}' is missing.", field=name)
    if find_spec("authlib") is None or find_spec("joserfc") is None:
        raise Unavailable("Authlib is not installed; run: pip install 'musicconnect[oidc]'.")
    allow_private = values["allow_private_addresses"]
    _checked_issuer(issuer, allow_private=allow_private)
    if "openid" not in values["scopes"]:
        raise Invalid("The setting 'scopes' must hold 'openid'.", field="scopes")
    provider = Provider(issuer, timeout_s=values["timeout_s"], allow_private=allow_private)
    label = values["label"].strip() or urlsplit(issuer).hostname or issuer
    _ways = (OpenIdConnect(label, provider, client_id, values["client_secret"], " ".join(values["scopes"])),)


@hookimpl
def sign_in_ways() -> tuple[SignInWay, ...]:
    """The provider of the settings, if there is one."""
    return _ways


def _checked_issuer(issuer: str, *, allow_private: bool) -> None:
    try:
        place = outgoing.checked(issuer, allow_private=allow_private)
    except Invalid as error:
        raise Invalid(f"The setting 'issuer' cannot be used: {error}", field="issuer") from error
    if place.query or (place.scheme != "https" and not allow_private):
        raise Invalid(
            "The setting 'issuer' must begin with https://, and have no question mark.", field="issuer"
        )
