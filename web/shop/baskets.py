"""What a visitor means to order of an artist: kept in their session, by variant."""

from collections.abc import Mapping

from flask import session

from appliance.catalog.models import Artist
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import Variant
from appliance.shop.merchandise.quoting import MOST_LINES
from appliance.shop.merchandise.quoting import MOST_OF_ONE

KEY, ORDERED = "baskets", "ordered"
MOST_BASKETS = 3
"""The session is a cookie: who fills a fourth basket loses the first."""


def of(artist: Artist) -> dict[str, int]:
    """How many of each variant are in the basket for this artist."""
    found: dict[str, int] = session.get(KEY, {}).get(artist.id, {})
    return dict(found)


def add(artist: Artist, variant_id: str, quantity: int) -> None:
    """So many more of a variant."""
    chosen = of(artist)
    chosen[variant_id] = min(chosen.get(variant_id, 0) + quantity, MOST_OF_ONE)
    keep(artist, chosen)


def keep(artist: Artist, chosen: Mapping[str, int]) -> None:
    """The basket is this from now on; nothing of a thing is none of it."""
    held = {key: number for key, number in list(chosen.items())[:MOST_LINES] if number > 0}
    others = {key: basket for key, basket in session.get(KEY, {}).items() if key != artist.id}
    everything = {**others, artist.id: held} if held else others
    session[KEY] = dict(list(everything.items())[-MOST_BASKETS:])


def began(artist: Artist, order_id: str) -> None:
    """What is in the basket is what this order is for."""
    others = {key: one for key, one in session.get(ORDERED, {}).items() if key != artist.id}
    session[ORDERED] = dict(list({**others, artist.id: order_id}.items())[-MOST_BASKETS:])


def take_out(artist_id: str, order_id: str, variant_ids: set[str]) -> None:
    """These were bought by this order; what came into the basket after an older one stays."""
    ordered = session.get(ORDERED, {})
    if ordered.get(artist_id) != order_id:
        return
    session[ORDERED] = {key: one for key, one in ordered.items() if key != artist_id}
    baskets = session.get(KEY, {})
    if artist_id in baskets and variant_ids & baskets[artist_id].keys():
        rest = {key: number for key, number in baskets[artist_id].items() if key not in variant_ids}
        others = {key: basket for key, basket in baskets.items() if key != artist_id}
        session[KEY] = {**others, artist_id: rest} if rest else others


def lines(artist: Artist, chosen: Mapping[str, int]) -> list[tuple[Article, Variant, int]]:
    """What of it there is, whether it is sold or not; what is gone falls out."""
    query = Variant.select(Variant, Article).join(Article)
    here = Variant.id.in_(list(chosen)) & (Article.artist == artist.id)
    rows = query.where(here).order_by(Article.id, Variant.position, Variant.id) if chosen else ()
    return [(row.article, row, chosen[row.id]) for row in rows]


def number(text: str) -> int:
    """A number as it was typed; what is none is one, and what is far too much stays too much."""
    text = text.strip()
    return min(int(text), 10_000) if text.isascii() and text.isdigit() and len(text) < 6 else 1
