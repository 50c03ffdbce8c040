"""What can be said of a tier, each part within sane bounds, and what must hold between the parts."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from appliance import currencies
from appliance.catalog.models import Quality
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.errors import Invalid
from appliance.memberships.models import TierKind

LONGEST_NAME, LONGEST_ABOUT = 60, 2_000
MOST_PRICE_MINOR = 100_000_000
MOST = {
    "early_access_hours": 30 * 24,
    "downloads_a_month": 10_000,
    "direct_messages_a_month": 1_000,
    "merchandise_discount_percent": 100,
    "trial_days": 90,
}
"""The most of each perk that is a number."""
FLAGS = ("exclusives", "monthly_qa", "live_sessions", "virtual_backstage", "offline")
"""Perks one has or has not."""


def checked(fields: Mapping[str, object]) -> dict[str, Any]:
    """*fields* as they are stored; ``Invalid`` names the one that cannot be taken."""
    for name in fields:
        if name not in READERS:
            raise Invalid(
                "A tier has no field '{name}' that can be set; it has {names}.",
                name=name[:60],
                names=", ".join(READERS),
                field=name[:60],
            )
    return {name: READERS[name](value) for name, value in fields.items()}


def require_sound(kind: str, values: Mapping[str, Any]) -> None:
    """``Invalid`` when the parts of a tier of this *kind* do not go together."""
    price, annual = values["price_minor"], values["annual_price_minor"]
    if kind == TierKind.FREE:
        if price or annual:
            raise Invalid("The free tier costs nothing.", field="price_minor")
        if values["early_access_hours"]:
            raise Invalid(
                "The free tier is everybody: an earlier hour for it is the public date.",
                field="early_access_hours",
            )
        if values["trial_days"]:
            raise Invalid("The free tier is everybody's; there is nothing to try.", field="trial_days")
        if values["exclusives"]:
            raise Invalid("The free tier is everybody: what it opens is not exclusive.", field="exclusives")
        return
    if not price:
        raise Invalid("Give the tier a price; what costs nothing is the free tier.", field="price_minor")
    if annual is not None and not price <= annual <= 12 * price:
        raise Invalid(
            "A year costs at least as much as a month, and at most as much as twelve.",
            field="annual_price_minor",
        )


def _number(field: str, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise Invalid("'{name}' is a whole number from 0 to {most}.", name=field, most=most, field=field)
        return value

    return read


def _or_none(read: Callable[[object], int]) -> Callable[[object], int | None]:
    return lambda value: None if value is None else read(value)


def _flag(field: str) -> Callable[[object], bool]:
    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise Invalid("'{name}' is true or false.", name=field, field=field)
        return value

    return read


def _quality(value: object) -> str:
    if not isinstance(value, str) or value not in set(Quality):
        raise Invalid("'top_quality' is one of {names}.", names=", ".join(Quality), field="top_quality")
    return Quality(value)


READERS: Mapping[str, Callable[[object], object]] = {
    "name": lambda value: clean_line(value, field="name", longest=LONGEST_NAME),
    "about": lambda value: clean_text(value, field="about", longest=LONGEST_ABOUT),
    "price_minor": _number("price_minor", MOST_PRICE_MINOR),
    "annual_price_minor": _or_none(_number("annual_price_minor", MOST_PRICE_MINOR)),
    "currency": currencies.read,
    "top_quality": _quality,
    "early_access_hours": _number("early_access_hours", MOST["early_access_hours"]),
    "downloads_a_month": _or_none(_number("downloads_a_month", MOST["downloads_a_month"])),
    "direct_messages_a_month": _number("direct_messages_a_month", MOST["direct_messages_a_month"]),
    "merchandise_discount_percent": _number(
        "merchandise_discount_percent", MOST["merchandise_discount_percent"]
    ),
    "trial_days": _number("trial_days", MOST["trial_days"]),
    **{name: _flag(name) for name in FLAGS},
}
