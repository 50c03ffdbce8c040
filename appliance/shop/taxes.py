"""The tax in the price of what is sold once."""

from collections.abc import Mapping

from appliance import taxation
from appliance.payments import TaxRate
from appliance.shop.models import Kind
from appliance.taxation import are_asked
from appliance.taxation import business_number
from appliance.taxation import country
from appliance.taxation import require_country

__all__ = ["KINDS", "are_asked", "business_number", "country", "rate", "require_country"]

KINDS: Mapping[str, str] = {
    Kind.TRACK: "digital",
    Kind.RELEASE: "digital",
    Kind.CATALOGUE: "digital",
    Kind.CODE: "digital",
    Kind.BUNDLE: "digital",
    Kind.TIP: "tip",
    Kind.MERCHANDISE: "goods",
    Kind.SHIPPING: "goods",
    Kind.GIFT: "membership",
}
"""What the hook calls what we sell."""


def rate(
    kind: str, amount_minor: int, currency: str, *, country: str, business_number: str
) -> TaxRate | None:
    """The tax in *amount_minor* of one kind of thing, or none; ``Unavailable`` when a plugin fails, since a wrong tax cannot be taken back."""
    return taxation.rate(
        KINDS[kind], amount_minor, currency, country=country, business_number=business_number
    )
