"""The page of an order: how it stands, what it opens, its receipt. That one comes back from the till to it proves nothing."""

from flask import Response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import NotFound
from appliance.memberships import access
from appliance.papers import drawing
from appliance.papers import finding
from appliance.shop import gifting
from appliance.shop import order_lists
from appliance.shop import receipts
from appliance.shop.merchandise import destinations
from appliance.shop.models import OrderItem
from web import addresses
from web.downloads import offers as downloads
from web.downloads.offers import Offer
from web.presentation import gifts as gift_views
from web.presentation import papers
from web.presentation import shop as shown
from web.request_cycle import person
from web.request_cycle import roles
from web.shop import deliveries
from web.shop import visitors
from web.shop.routing import blueprint

MOST_SHOWN = 60
"""How many releases of a whole catalogue have their download on this page; all of them have their own."""


@blueprint.get("/orders/<order_id>")
def order(order_id: str) -> ResponseReturnValue:
    """How the order stands; from a letter, with its key, which then leaves the address."""
    if request.args.get("key") and visitors.by_key(order_id):
        return redirect(url_for("shop.order", order_id=order_id), 303)
    row = visitors.own(order_id)
    items = order_lists.items_of([row])[row.id]
    opened = _opened(items)
    given = gifting.of_order(row)
    return render_template(
        "shop/order.html",
        order=shown.order(row, items, {key: page for key, (page, _offer) in opened.items()}),
        downloads=[
            (item.name, *opened[key]) for item in items if (key := item.track or item.release) in opened
        ],
        papers=papers.of(finding.of_order(row)),
        pay=url_for("shop.pay", order_id=row.id) if row.state == "open" and row.url else "",
        parcel=deliveries.panel(row),
        longest=(destinations.LONGEST_NAME, destinations.LONGEST_CITY, destinations.LONGEST_CODE),
        guest=row.user_id is None,
        signed_in=person() is not None,
        gift=gift_views.gift(given, row) if given else None,
    )


@blueprint.get("/orders/<order_id>/receipt.pdf")
def receipt(order_id: str) -> Response:
    """The receipt on paper."""
    row = visitors.own(order_id)
    found = receipts.of(row)
    if found is None:
        raise NotFound("There is a receipt once this is paid.")
    return papers.answer(drawing.receipt(found))


@blueprint.get("/orders/<order_id>/credit-notes/<note_id>.pdf")
def credit_note(order_id: str, note_id: str) -> Response:
    """A credit note on paper."""
    found = receipts.of(visitors.own(order_id))
    if found is None:
        raise NotFound("There is no such credit note.")
    return papers.answer(drawing.credit_note(finding.note_of(found, note_id[:26])))


def _opened(items: list[OrderItem]) -> dict[str, tuple[str, Offer | None]]:
    """What can be seen of what the order is for, by id: its page, and the form to download it, for whom that is open."""
    who, now = person(), clock.now()
    wanted = [item.release for item in items if item.release][:MOST_SHOWN]
    rows = Release.select(Release, Artist).join(Artist).where(Release.id.in_(wanted)) if wanted else ()
    releases = {row.id: row for row in rows}
    found: dict[str, tuple[str, Offer | None]] = {}
    for item in items:
        row = releases.get(item.release)
        if row is None:
            continue
        query = Track.select().where(Track.release == row.id).order_by(Track.position, Track.id)
        tracks = [track for track in query if not item.track or track.id == item.track]
        for track in tracks:
            track.release = row
        rights = access.to_tracks(who, tracks, roles=roles(), now=now)
        seen = rights.values() if item.track else [access.to_release(who, row, roles=roles(), now=now)]
        if not any(right.may_see for right in seen):
            continue
        if item.track:
            action = url_for("downloads.ask_for_track", track_id=item.track)
            found[item.track] = addresses.track_page(tracks[0]), downloads.of(action, tracks, rights)
        else:
            action = url_for("downloads.ask_for_release", release_id=row.id)
            found[row.id] = addresses.release_page(row), downloads.of(action, tracks, rights)
    return found
