"""The page of an article, and the way of its variants into the basket."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.catalog import artists
from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.errors import Invalid
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import member_discounts
from appliance.shop.merchandise import variants
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.quoting import MOST_OF_ONE
from web import addresses
from web import presentation
from web.presentation import merchandise as shown
from web.presentation.pictures import picture
from web.presentation.wording import price
from web.request_cycle import person
from web.shop import baskets
from web.shop.routing import blueprint


@blueprint.get("/merchandise/<artist>/<article>")
def article(artist: str, article: str) -> str:
    """What it is, what it costs, what one can choose, and where it is shipped to."""
    seller = artists.find(artist)
    return _page(seller, articles.find_seen(seller, article))


@blueprint.post("/merchandise/<artist>/<article>")
def put_into_basket(artist: str, article: str) -> ResponseReturnValue:
    """Into the basket; nothing is kept for anybody before the order."""
    seller = artists.find(artist)
    row = articles.find_seen(seller, article)
    chosen = request.form.get("variant", "")
    if chosen not in {variant.id for variant in variants.of_articles([row])[row.id]}:
        problem = Invalid("Choose what you want first.", field="variant")
        return _page(seller, row, problem), 422
    baskets.add(seller, chosen, baskets.number(request.form.get("quantity", "1")))
    flash(_("It is in your basket."))
    return redirect(url_for("shop.basket", artist=seller.slug), 303)


def _page(seller: Artist, row: Article, problem: Exception | None = None) -> str:
    currency = prices.currency_of(seller.id)
    rows = variants.of_articles([row])[row.id]
    percent, tier = member_discounts.of(person(), seller.id, now=clock.now())
    choices = shown.choices(row, rows, currency, percent)
    own = min((offers.discounted(one.price_minor, percent) for one in rows), default=0)
    return render_template(
        "shop/article.html",
        artist=presentation.artist(seller),
        title=row.title,
        about=row.about,
        picture={"cover": picture(row.picture_key)},
        price=shown.cost(row, rows, currency),
        own_price=price(own, currency) if percent else "",
        tier=tier,
        percent=percent,
        choices=choices,
        option=" / ".join(filter(None, (row.first_option, row.second_option))),
        left=any(choice.left for choice in choices),
        music=_music(row),
        shipped=bool(zones.of_artist(seller.id)),
        most=MOST_OF_ONE,
        action=url_for("shop.put_into_basket", artist=seller.slug, article=row.slug),
        basket=url_for("shop.basket", artist=seller.slug),
        problem=problem,
    )


def _music(row: Article) -> tuple[str, str] | None:
    """The release that comes with it, by name and page; what is not out yet is not told of."""
    if row.release_id is None:
        return None
    found = Release.select(Release).where(Release.id == row.release_id).first()
    if found is None or not openness.is_public(found):
        return None
    return found.title, addresses.release_page(found)
