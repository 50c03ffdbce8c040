"""The merchandise of the demo: a T-shirt in sizes and a record of which there are few, and where they are shipped to."""

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance import clock
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import ArticleState
from appliance.startup import Appliance
from transcoder import covers

SELLER = "lumen-vale"
GOODS: tuple[dict[str, Any], ...] = (
    {
        "title": "Tideline T-shirt",
        "about": "Organic cotton, printed two streets from the rehearsal room. It runs a little large.",
        "price_minor": 2500,
        "stock": 12,
        "options": {"Size": ["S", "M", "L", "XL"]},
    },
    {
        "title": "Tidewater Letters (vinyl)",
        "about": "180 g, numbered by hand. The music comes with it, so you can listen while it is on its way.",
        "price_minor": 2800,
        "stock": 3,
        "release": "Tidewater Letters",
    },
)
ZONES: tuple[dict[str, Any], ...] = (
    {"name": "Europe", "codes": ["EU", "CH", "GB", "NO"], "first_minor": 600, "further_minor": 200},
    {"name": "World", "codes": [], "everywhere_else": True, "first_minor": 1500, "further_minor": 500},
)


def offer(owner: User, made: Mapping[str, Release], *, now: datetime) -> None:
    """Put all of it on sale."""
    seller = artists.find(SELLER)
    for zone in ZONES:
        zones.make(seller, **zone, actor=owner, now=now)
    for said in GOODS:
        fields = {name: said[name] for name in ("title", "price_minor", "stock", "options") if name in said}
        article = articles.make(seller, **fields, actor=owner, now=now)
        release = made.get(said.get("release", ""))
        shown = {
            "about": said["about"],
            "state": ArticleState.FOR_SALE,
            "release": release.id if release else "",
        }
        articles.edit(article, shown, actor=owner, now=now)


def draw(seller: Artist, appliance: Appliance) -> None:
    """Give the articles of this artist the pictures that they lack."""
    lacking = Article.select().where(Article.artist == seller.id, Article.picture_key == "")
    # All of them first: SQLite lets nobody begin to write while rows of an older state are still being read.
    for article in list(lacking):
        picture = io.BytesIO(covers.cover(seller.name, article.title))
        articles.set_picture(article, picture, store=appliance.store, actor=seller.owner, now=clock.now())
