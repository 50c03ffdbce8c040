"""The page of a bundle: what is in it, what it costs, and what of it one has already."""

from flask import render_template

from appliance.errors import NotFound
from appliance.shop import bundles
from appliance.shop import offers
from web import presentation
from web.presentation import bundles as shown
from web.presentation import shop as shop_views
from web.request_cycle import person
from web.shop.routing import blueprint


@blueprint.get("/bundles/<bundle_id>")
def bundle(bundle_id: str) -> str:
    """A bundle that can be bought now."""
    row = bundles.by_id(bundle_id)
    offer = offers.of_bundle(row)
    if offer is None:
        raise NotFound("There is no such bundle.")
    [card] = shown.on_sale([row])
    return render_template(
        "shop/bundle.html",
        bundle=card,
        about=row.about,
        artist=presentation.artist(row.artist),
        parts=shown.parts(offer, bundles.releases_of([row])[row.id]),
        box=shop_views.buy_box(offer, person()),
    )
