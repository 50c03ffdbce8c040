"""What stands beside music that can be bought, for lists: two queries, however many things are in them."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance import currencies
from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.memberships.models import Tier
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop.models import Kind
from appliance.shop.models import Price
from appliance.shop.offers import Offer


@dataclass(frozen=True, slots=True)
class PriceTag:
    """For how much something can be bought; *full_minor* is what its parts cost one by one, *out_at* the day of what is sold before it."""

    kind: Kind
    thing: str
    currency: str
    price_minor: int
    full_minor: int
    pay_more: bool
    preorder: bool = False
    out_at: datetime | None = None


def of_releases(rows: Iterable[Release], priced: Mapping[str, Price] | None = None) -> dict[str, PriceTag]:
    """The tags of those of these releases that can be bought, by their ids; *priced* are prices that were asked for already."""
    there = list(rows)
    if priced is None:
        priced = prices.of_things(row.id for row in there)
    sold = [row for row in there if row.id in priced and _is_sold(row, priced[row.id])]
    known = currencies_of(row.artist_id for row in sold)
    return {row.id: _release(row, priced[row.id], known[row.artist_id]) for row in sold}


def of_tracks(rows: Iterable[Track], priced: Mapping[str, Price] | None = None) -> dict[str, PriceTag]:
    """The tags of those of these tracks, their releases joined, that can be bought by themselves, by their ids; *priced* as above."""
    there = list(rows)
    if priced is None:
        priced = prices.of_things(row.id for row in there)
    sold = [
        row
        for row in there
        if row.id in priced and openness.is_public(row.release) and openness.is_heard(row)
    ]
    known = currencies_of(row.release.artist_id for row in sold)
    return {row.id: _tag(Kind.TRACK, row.id, priced[row.id], known[row.release.artist_id]) for row in sold}


def of_catalogue(artist: Artist) -> PriceTag | None:
    """The tag of everything of this artist at once, where that is offered."""
    offer = offers.of_catalogue(artist)
    return of_offer(offer) if offer is not None else None


def of_offer(offer: Offer) -> PriceTag:
    """Pure: the tag of what is offered."""
    return PriceTag(
        offer.kind,
        offer.thing,
        offer.currency,
        offer.price_minor,
        offer.full_minor,
        offer.pay_more,
        offer.preorder,
        offer.out_at,
    )


def currencies_of(artist_ids: Iterable[str]) -> dict[str, str]:
    """In which currency each of these artists asks for money, by their ids; by one query."""
    wanted = set(artist_ids)
    found = dict.fromkeys(wanted, currencies.EURO)
    if wanted:
        query = Tier.select(Tier.artist, Tier.currency).where(Tier.artist.in_(wanted))
        # The first tier counts, as in ``prices.currency_of``.
        found |= {row.artist_id: row.currency for row in query.order_by(Tier.position.desc())}
    return found


def _is_sold(row: Release, price: Price) -> bool:
    return openness.is_public(row) or prices.is_ahead(row, price)


def _release(row: Release, price: Price, currency: str) -> PriceTag:
    ahead = not openness.is_public(row)
    return _tag(
        Kind.RELEASE, row.id, price, currency, preorder=ahead, out_at=row.publish_at if ahead else None
    )


def _tag(
    kind: Kind,
    thing: str,
    price: Price,
    currency: str,
    *,
    preorder: bool = False,
    out_at: datetime | None = None,
) -> PriceTag:
    return PriceTag(
        kind, thing, currency, price.price_minor, price.price_minor, price.pay_more, preorder, out_at
    )
