"""Bundles as finished values: on a shelf, beside a release, on their own page, in the studio."""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from appliance.catalog import openness
from appliance.catalog.models import Release
from appliance.shop import bundles
from appliance.shop import offers
from appliance.shop.bundle_models import Bundle
from appliance.shop.offers import Offer
from web import addresses
from web import colours
from web.presentation.pictures import Cover
from web.presentation.pictures import cover
from web.presentation.wording import day
from web.presentation.wording import price


@dataclass(frozen=True, slots=True)
class BundleCard:
    """A bundle in a grid; its picture is that of its first release."""

    title: str
    url: str
    price: str
    instead: str
    releases: int
    cover: Cover | None
    colour: str


@dataclass(frozen=True, slots=True)
class BundlePartView:
    """A release in a bundle: what it costs by itself, and when it is out if it is not."""

    title: str
    url: str
    price: str
    out: str
    cover: Cover | None
    colour: str


def on_sale(rows: Sequence[Bundle]) -> list[BundleCard]:
    """Those of these bundles that can be bought now, artists joined."""
    found = offers.of_bundles(rows)
    inside = bundles.releases_of([row for row in rows if row.id in found])
    return [_card(row, found[row.id], inside[row.id]) for row in rows if row.id in found]


def parts(offer: Offer, rows: Iterable[Release]) -> list[BundlePartView]:
    """What is in it, in its order."""
    cost = {part.release: part.weight for part in offer.parts}
    return [
        BundlePartView(
            title=row.title,
            url=addresses.release_page(row) if openness.is_public(row) else "",
            price=price(cost[row.id], offer.currency) if cost[row.id] else "",
            out=""
            if openness.is_public(row) or row.publish_at is None
            else str(_("out on %(day)s", day=day(row.publish_at))),
            cover=cover(row),
            colour=row.colour or colours.of_name(row.id),
        )
        for row in rows
    ]


def _card(row: Bundle, offer: Offer, inside: Sequence[Release]) -> BundleCard:
    first = inside[0]
    return BundleCard(
        title=row.title,
        url=url_for("shop.bundle", bundle_id=row.id),
        price=price(offer.price_minor, offer.currency) if offer.price_minor else str(_("Free")),
        instead=price(offer.full_minor, offer.currency) if offer.full_minor > offer.price_minor else "",
        releases=len(inside),
        cover=cover(first),
        colour=first.colour or colours.of_name(first.id),
    )
