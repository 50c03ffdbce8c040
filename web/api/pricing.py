"""What an artist's music costs, and who stands on its receipts: read and set by those who decide about its money."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask import jsonify

from appliance import clock
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships import access
from appliance.shop import prices
from appliance.shop import receipts
from appliance.shop.models import Price
from web.api import fields
from web.api import money
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import made_from
from web.api.routing import versioned
from web.request_cycle import roles

OF_RELEASE = ("price_minor", "pay_more", "preorder", "tracks")
OF_SELLER = ("name", "address", "business_number")


@blueprint.get("/artists/<slug>/prices")
def list_prices(slug: str) -> Response:
    """All prices of an artist, and what is taken off for everything at once."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    return _list(artist)


@blueprint.put("/artists/<slug>/prices/catalogue")
def set_catalogue_price(slug: str) -> Response:
    """Sell everything at once with so much off, or no more."""
    artist, who = money.seller(slug)
    sent = body(required=("percent_off",))
    fields.only(sent, ("percent_off",))
    prices.set_catalogue(artist, fields.whole(sent, "percent_off"), actor=who, now=clock.now())
    return _list(artist)


@blueprint.get("/releases/<release_id>/prices")
def show_release_prices(release_id: str) -> Response:
    """What a release and each of its tracks cost."""
    release, _who = _behind(release_id, Scope.MONEY_READ)
    return versioned(_told(release, tracks.of_release(release)))


@blueprint.patch("/releases/<release_id>/prices")
def set_release_prices(release_id: str) -> Response:
    """Change prices of a release and its tracks, all or none; what is left out stays."""
    release, who = _behind(release_id)
    sent, rows = body(), tracks.of_release(release)
    fields.only(sent, OF_RELEASE)
    before = prices.of_things([release.id]).get(release.id)
    prices.set_all(
        release,
        fields.whole(sent, "price_minor")
        if "price_minor" in sent
        else before.price_minor
        if before
        else None,
        _of_tracks(sent, rows),
        pay_more=fields.flag(sent, "pay_more", default=before.pay_more if before else True),
        preorder=fields.flag(sent, "preorder", default=bool(before and before.preorder)),
        actor=who,
        now=clock.now(),
        made_from=made_from(),
    )
    return versioned(_told(release, rows))


@blueprint.get("/artists/<slug>/seller")
def show_seller(slug: str) -> Response:
    """Who stands on the artist's receipts."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    return _seller(artist)


@blueprint.put("/artists/<slug>/seller")
def describe_seller(slug: str) -> Response:
    """Say who stands on the artist's receipts from now on."""
    artist, who = money.seller(slug)
    sent = body(required=OF_SELLER)
    fields.only(sent, OF_SELLER)
    receipts.describe_seller(
        artist,
        name=fields.text(sent, "name"),
        address=fields.text(sent, "address"),
        tax_number=fields.text(sent, "business_number"),
        actor=who,
        now=clock.now(),
    )
    return _seller(artist)


def _behind(release_id: str, scope: Scope = Scope.MONEY_WRITE) -> tuple[Release, User]:
    who = money.payer(scope)
    release = releases.find(release_id)
    access.require_sight(who, release, roles=roles(), now=clock.now())
    money.behind(release.artist, who)
    return release, who


def _of_tracks(sent: Mapping[str, Any], rows: list[Track]) -> list[tuple[Track, int | None]]:
    asked = sent.get("tracks") or {}
    if not isinstance(asked, dict):
        raise Invalid("'tracks' is an object: a price, or null, for each id of a track.", field="tracks")
    known = {row.id: row for row in rows}
    if set(asked) - set(known):
        raise NotFound("There is no such track on this release.")
    return [(known[track_id], fields.whole(asked, track_id)) for track_id in asked]


def _told(release: Release, rows: list[Track]) -> dict[str, Any]:
    known = prices.of_things([release.id, *(row.id for row in rows)])
    own, currency = known.get(release.id), prices.currency_of(release.artist_id)
    return {
        "release": release.id,
        "currency": currency,
        "least_minor": prices.least_minor(currency),
        "price_minor": _asked(own),
        "pay_more": own is None or own.pay_more,
        "preorder": own is not None and own.preorder,
        "tracks": [
            {"id": row.id, "title": row.title, "price_minor": _asked(known.get(row.id))} for row in rows
        ],
        "version": own.version if own else 0,
    }


def _asked(row: Price | None) -> int | None:
    return row.price_minor if row is not None else None


def _list(artist: Artist) -> Response:
    known = prices.of_artist(artist)
    off, currency = known.pop(artist.id, None), prices.currency_of(artist.id)
    return jsonify(
        currency=currency,
        least_minor=prices.least_minor(currency),
        percent_off=off.percent_off if off is not None else None,
        items=[
            {
                "kind": "track" if row.track_id else "release",
                "thing": row.thing,
                "price_minor": row.price_minor,
                "pay_more": row.pay_more,
                "preorder": row.preorder,
            }
            for row in sorted(known.values(), key=lambda row: row.id)
        ],
    )


def _seller(artist: Artist) -> Response:
    row = receipts.seller_of(artist)
    return jsonify(name=row.name, address=row.address, business_number=row.tax_number)
