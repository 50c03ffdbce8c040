"""Memberships as a gift: wished for in an order, looked after by who paid, redeemed by who has the code; and bundles, which are sold likewise."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask import jsonify
from flask_babel import get_locale

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog import artists
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import bundles
from appliance.shop import gift_offers
from appliance.shop import gift_redeeming
from appliance.shop import gifting
from appliance.shop import offers
from appliance.shop import orders
from appliance.shop import price_tags
from appliance.shop.gift_offers import GiftWish
from appliance.shop.models import OrderState
from web import rates
from web.api import fields
from web.api import money
from web.api import order_told
from web.api.routing import blueprint
from web.api.routing import body
from web.presentation import gifts as gift_views

OF_GIFT = ("months", "by", "message", "email", "send_at")


def wished(tier_id: str, sent: Mapping[str, Any]) -> GiftWish:
    """What the field ``gift`` of a wish says of a membership in this tier; ``Invalid`` where it lacks."""
    said = sent.get("gift")
    if not isinstance(said, dict):
        raise Invalid("'gift' says for how many months, from whom and to whom.", field="gift")
    fields.only(said, OF_GIFT)
    months = fields.whole(said, "months") or 0
    return GiftWish(
        months,
        by=fields.text(said, "by"),
        message=fields.text(said, "message"),
        email=fields.text(said, "email"),
        send_at=fields.instant(said, "send_at"),
        name=gift_views.name(gift_offers.find(tier_id), months),
    )


@blueprint.get("/orders/<order_id>/gift")
def show_gift(order_id: str) -> Response:
    """The gift of an order for who paid it, with its code while that opens something."""
    who = money.payer(Scope.MONEY_READ)
    order = orders.find(order_id)
    row = gifting.of_order(order) if order.user_id == who.id else None
    if row is None:
        raise NotFound("There is no such gift.")
    is_open = order.state == OrderState.PAID and row.redeemed_at is None
    return jsonify(
        artist={"id": row.artist_id, "name": row.artist.name},
        tier={"id": row.tier_id, "name": row.tier.name},
        months=row.months,
        by=row.by,
        message=row.message,
        code=row.code if is_open and money.may_spend() else None,
        email=row.email or None,
        send_at=row.send_at.isoformat() if row.send_at else None,
        sent_at=row.sent_at.isoformat() if row.sent_at else None,
        redeemed_at=row.redeemed_at.isoformat() if row.redeemed_at else None,
    )


@blueprint.post("/gift-redemptions")
@rates.limited("codes")
def redeem_gift() -> tuple[Response, int]:
    """Become a member by the code of a gift."""
    who = money.payer()
    sent = body(required=("code",))
    fields.only(sent, ("code",))
    found = gift_redeeming.redeem(
        fields.text(sent, "code"), who, locale=str(get_locale() or "en"), now=clock.now()
    )
    row, span = found.gift, found.span
    answer = jsonify(
        artist={"id": row.artist_id, "name": row.artist.name},
        tier={"id": row.tier_id, "name": row.tier.name},
        months=row.months,
        by=row.by,
        message=row.message,
        begins_at=span.begins_at.isoformat() if span else None,
        through=span.through.isoformat() if span else None,
    )
    return answer, 201


@blueprint.get("/artists/<slug>/bundles")
def list_bundles(slug: str) -> Response:
    """The releases of an artist that are sold together, and for how much."""
    rows = bundles.of_artist(artists.find(slug))
    inside, sold = bundles.releases_of(rows), offers.of_bundles(rows)
    return jsonify(
        items=[
            {
                "id": row.id,
                "title": row.title,
                "about": row.about,
                "releases": [{"id": part.id, "title": part.title} for part in inside[row.id]],
                "price": order_told.tag(price_tags.of_offer(sold[row.id])),
            }
            for row in rows
            if row.id in sold
        ]
    )
