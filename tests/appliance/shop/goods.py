"""Makers of merchandise: a T-shirt in sizes, zones, an address, and an order of them."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.shop import orders
from appliance.shop import till as tills
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import ordering
from appliance.shop.merchandise import variants
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.destinations import Destination
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import ArticleState
from appliance.shop.merchandise.models import Variant
from appliance.shop.merchandise.quoting import Basket
from appliance.shop.models import Order
from appliance.shop.orders import Buyer
from tests.makers import NOW

HOME = Destination("Mia Meer", "Am Hafen 1", "Hamburg", "20457", "DE")


def make_zones(artist: Artist, *, first: int = 500, further: int = 100) -> None:
    """Germany for 5.00 and 1.00 for each further thing; nowhere else."""
    zones.make(
        artist, "Germany", ["DE"], first_minor=first, further_minor=further, actor=artist.owner, now=NOW
    )


def make_shirt(
    artist: Artist,
    *sizes: str,
    stock: int | None = 10,
    price_minor: int = 2500,
    title: str = "T-shirt",
    state: ArticleState = ArticleState.FOR_SALE,
) -> Article:
    """A T-shirt for 25.00, ten of each size."""
    made = articles.make(
        artist,
        title,
        price_minor=price_minor,
        stock=stock,
        options={"Size": list(sizes)} if sizes else {},
        actor=artist.owner,
        now=NOW,
    )
    articles.edit(made, {"state": state}, actor=artist.owner, now=NOW)
    return articles.find(artist, made.id)


def sizes_of(article: Article) -> dict[str, Variant]:
    """The variants of an article by their first option."""
    return {row.first: row for row in variants.of_articles([article])[article.id]}


def stock_of(variant: Variant) -> int | None:
    return Variant.get_by_id(variant.id).stock


def order_of(
    artist: Artist,
    chosen: dict[str, int],
    user: User | None = None,
    *,
    to: Destination = HOME,
    email: str = "guest@example.com",
    browser: str = "b",
    lead: bool = True,
    instead_of: Sequence[str] = (),
    **more: object,
) -> Order:
    """The order of so many of these variants, with its till opened where there is something to pay."""
    basket = Basket(artist, chosen, country=to.country, **more)  # type: ignore[arg-type]
    buyer = Buyer(email, user, browser=browser)
    order = ordering.begin(basket, to, buyer, provider="till", now=NOW, instead_of=instead_of)
    if order.total_minor and lead:
        tills.lead(order, return_to="https://here.example/", cancel_to="https://here.example/", now=NOW)
    return orders.find(order.id)
