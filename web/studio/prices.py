"""What an artist's music costs: releases and tracks, everything at once, and who stands on the receipts."""

from dataclasses import dataclass

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import currencies
from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.versions import Stale
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import prices as domain
from appliance.shop import receipts
from web import presentation
from web.people.routing import artist_with_money
from web.presentation.wording import price
from web.studio import forms
from web.studio.routing import blueprint


@dataclass(frozen=True, slots=True)
class PricedRelease:
    """A release with what it costs, in words."""

    title: str
    url: str
    state: str
    price: str
    tracks: int


@blueprint.get("/artists/<slug>/prices")
def prices(slug: str) -> str:
    """Every release with its price, what is taken off for everything at once, and the seller."""
    artist, _who = artist_with_money(slug)
    return _list(artist)


@blueprint.post("/artists/<slug>/prices/catalogue")
def set_catalogue(slug: str) -> ResponseReturnValue:
    """Sell everything at once, or no more."""
    artist, who = artist_with_money(slug)
    text = request.form.get("percent_off", "").strip()
    try:
        domain.set_catalogue(artist, _percent(text), actor=who, now=clock.now())
    except Invalid as error:
        return _list(artist, problem=error), 422
    flash(_("Saved."))
    return _back(artist)


@blueprint.post("/artists/<slug>/prices/seller")
def set_seller(slug: str) -> ResponseReturnValue:
    """Who stands on the receipts from now on."""
    artist, who = artist_with_money(slug)
    sent = {name: request.form.get(name, "") for name in ("seller_name", "seller_address", "business_number")}
    try:
        receipts.describe_seller(
            artist,
            name=sent["seller_name"],
            address=sent["seller_address"],
            tax_number=sent["business_number"],
            actor=who,
            now=clock.now(),
        )
    except Invalid as error:
        return _list(artist, problem=error), 422
    flash(_("Saved."))
    return _back(artist)


@blueprint.get("/artists/<slug>/prices/<release_id>")
def release_price(slug: str, release_id: str) -> str:
    """What one release and each of its tracks cost."""
    artist, _who, row = _asked(slug, release_id)
    return _page(artist, row, _stored(artist, row))


@blueprint.post("/artists/<slug>/prices/<release_id>")
def set_price(slug: str, release_id: str) -> ResponseReturnValue:
    """Change what the form sends."""
    artist, who, row = _asked(slug, release_id)
    stored = _stored(artist, row)
    try:
        currency = domain.currency_of(artist.id)
        domain.set_all(
            row,
            _amount("price", currency),
            [(track, _amount(f"price-{track.id}", currency)) for track in tracks.of_release(row)],
            pay_more=request.form.get("pay_more") == "yes",
            preorder=request.form.get("preorder") == "yes",
            actor=who,
            now=clock.now(),
            made_from=forms.made_from(),
        )
    except Stale as error:
        return _page(artist, row, forms.contested(_stored(artist, row), error)), 409
    except Invalid as error:
        return _page(artist, row, forms.filled(stored, error)), 422
    flash(_("Saved."))
    return _back(artist)


def _asked(slug: str, release_id: str) -> tuple[Artist, User, Release]:
    artist, who = artist_with_money(slug)
    row = releases.find(release_id)
    if row.artist_id != artist.id:
        raise NotFound("There is no such release.")
    return artist, who, row


def _amount(field: str, currency: str) -> int | None:
    """What was typed; nothing for an empty field, which takes the thing off sale."""
    text = request.form.get(field, "").strip()
    if not text:
        return None
    try:
        return currencies.minor(text, currency)
    except Invalid as error:
        error.field = field
        raise


def _percent(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise Invalid("Take off 0 to {most} percent.", most=domain.MOST_PERCENT, field="percent_off")
    return int(text)


def _stored(artist: Artist, row: Release) -> forms.Form:
    currency = domain.currency_of(artist.id)
    listed = tracks.of_release(row)
    known = domain.of_things([row.id, *(track.id for track in listed)])
    own = known.get(row.id)

    def written(thing: str) -> str:
        return currencies.written(known[thing].price_minor, currency) if thing in known else ""

    values = {
        "price": written(row.id),
        "pay_more": "yes" if own is None or own.pay_more else "no",
        "preorder": "yes" if own is not None and own.preorder else "no",
        **{f"price-{track.id}": written(track.id) for track in listed},
    }
    return forms.Form(own.version if own else 0, values, [])


def _list(artist: Artist, *, problem: Exception | None = None) -> str:
    rows = releases.of_artist(artist)
    known = domain.of_artist(artist)
    counted = tracks.counts(rows)
    currency = domain.currency_of(artist.id)
    seller = receipts.seller_of(artist)
    off = known.get(artist.id)
    stored = {
        "percent_off": "" if off is None else str(off.percent_off),
        "seller_name": seller.name,
        "seller_address": seller.address,
        "business_number": seller.tax_number,
    }
    return render_template(
        "studio/prices.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        releases=[
            PricedRelease(
                title=row.title,
                url=url_for("studio.release_price", slug=artist.slug, release_id=row.id),
                state=row.state,
                price=_price(known[row.id].price_minor, currency) if row.id in known else "",
                tracks=counted.get(row.id, 0),
            )
            for row in rows
        ],
        currency=currency,
        sent={**stored, **{name: value for name, value in request.form.items() if name in stored}},
        most=domain.MOST_PERCENT,
        longest=(receipts.LONGEST_NAME, receipts.LONGEST_ADDRESS),
        problem=problem,
    )


def _price(amount_minor: int, currency: str) -> str:
    return price(amount_minor, currency) if amount_minor else _("Free")


def _page(artist: Artist, row: Release, form: forms.Form) -> str:
    currency = domain.currency_of(artist.id)
    least = domain.least_minor(currency)
    return render_template(
        "studio/price.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        title=row.title,
        action=url_for("studio.set_price", slug=artist.slug, release_id=row.id),
        ahead=row.state != ReleaseState.PUBLISHED,
        tracks=[(f"price-{track.id}", track.title) for track in tracks.of_release(row)],
        currency=currency,
        least=price(least, currency) if least else "",
        form=form,
    )


def _back(artist: Artist) -> ResponseReturnValue:
    return redirect(url_for("studio.prices", slug=artist.slug), 303)
