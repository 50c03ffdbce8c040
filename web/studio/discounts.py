"""Discount codes of an artist."""

from dataclasses import dataclass
from datetime import date

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import currencies
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.shop import discounts as domain
from appliance.shop import prices
from appliance.shop.models import Discount
from web import presentation
from web.people.routing import artist_with_money
from web.presentation.wording import price
from web.studio import days
from web.studio.routing import blueprint


@dataclass(frozen=True, slots=True)
class DiscountView:
    """A code as its artist sees it."""

    id: str
    code: str
    off: str
    used: int
    most: int | None
    first: date | None
    last: date | None
    over: bool
    stopped: bool


@blueprint.get("/artists/<slug>/discounts")
def discounts(slug: str) -> str:
    """The codes, newest first, and a form for one more."""
    artist, _who = artist_with_money(slug)
    return _page(artist)


@blueprint.post("/artists/<slug>/discounts")
def make_discount(slug: str) -> ResponseReturnValue:
    """One more code."""
    artist, who = artist_with_money(slug)
    form = request.form
    try:
        currency = prices.currency_of(artist.id)
        domain.make(
            artist,
            form.get("discount", ""),
            percent=_number("percent"),
            amount_minor=_amount(form.get("amount", "").strip(), currency),
            starts_at=days.first(form.get("first", ""), field="first"),
            ends_at=days.last(form.get("last", ""), field="last"),
            most_uses=_number("most_uses"),
            actor=who,
            now=clock.now(),
        )
    except (Invalid, Conflict) as error:
        if isinstance(error, Invalid):
            error.field = {"code": "discount", "ends_at": "last"}.get(error.field or "", error.field)
        return _page(artist, problem=error), 422
    flash(_("The code is there."))
    return redirect(url_for("studio.discounts", slug=artist.slug), 303)


@blueprint.post("/artists/<slug>/discounts/<discount_id>/stop")
def stop_discount(slug: str, discount_id: str) -> ResponseReturnValue:
    """It takes nothing off any more."""
    artist, who = artist_with_money(slug)
    domain.stop(artist, discount_id, actor=who, now=clock.now())
    flash(_("The code takes nothing off any more."))
    return redirect(url_for("studio.discounts", slug=artist.slug), 303)


def _number(field: str) -> int | None:
    text = request.form.get(field, "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _amount(text: str, currency: str) -> int | None:
    if not text:
        return None
    try:
        return currencies.minor(text, currency)
    except Invalid as error:
        error.field = "amount"
        raise


def _view(row: Discount, used: int) -> DiscountView:
    off = f"{row.percent} %" if row.percent is not None else price(int(row.amount_minor or 0), row.currency)
    return DiscountView(
        id=row.id,
        code=row.code,
        off=off,
        used=used,
        most=row.most_uses,
        first=row.starts_at.date() if row.starts_at else None,
        last=days.last_day(row.ends_at) if row.ends_at else None,
        over=row.ends_at is not None and row.ends_at <= clock.now(),
        stopped=row.stopped_at is not None,
    )


def _page(artist: Artist, *, problem: Exception | None = None) -> str:
    rows = domain.of_artist(artist)
    used = domain.uses(rows, now=clock.now())
    return render_template(
        "studio/discounts.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        discounts=[_view(row, used.get(row.id, 0)) for row in rows],
        currency=prices.currency_of(artist.id),
        sent=request.form,
        problem=problem,
    )
