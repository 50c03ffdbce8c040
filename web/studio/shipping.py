"""Where an artist ships to and for how much."""

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
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.shop import prices
from appliance.shop.merchandise import zones as domain
from appliance.shop.merchandise.models import Zone
from web import presentation
from web.people.routing import artist_with_money
from web.presentation import countries
from web.presentation.wording import price
from web.studio.routing import blueprint

FIELDS = ("name", "countries", "everywhere", "first", "further")


@dataclass(frozen=True, slots=True)
class ZoneView:
    """A zone in words."""

    id: str
    name: str
    countries: str
    number: int
    first: str
    further: str


@blueprint.get("/artists/<slug>/shipping")
def shipping(slug: str) -> str:
    """The zones, and a form for one more."""
    artist, _who = artist_with_money(slug)
    return _list(artist)


@blueprint.post("/artists/<slug>/shipping")
def make_zone(slug: str) -> ResponseReturnValue:
    """One more zone."""
    artist, who = artist_with_money(slug)
    try:
        domain.make(artist, **_sent(artist), actor=who, now=clock.now())
    except (Invalid, Conflict) as error:
        return _list(artist, problem=error), 422
    flash(_("Saved."))
    return _back(artist)


@blueprint.get("/artists/<slug>/shipping/<zone_id>")
def zone(slug: str, zone_id: str) -> str:
    """One zone."""
    artist, _who = artist_with_money(slug)
    return _page(artist, domain.find(artist, zone_id[:26]))


@blueprint.post("/artists/<slug>/shipping/<zone_id>")
def change_zone(slug: str, zone_id: str) -> ResponseReturnValue:
    """Change it."""
    artist, who = artist_with_money(slug)
    row = domain.find(artist, zone_id[:26])
    try:
        domain.change(row, **_sent(artist), actor=who, now=clock.now())
    except Invalid as error:
        return _page(artist, row, problem=error), 422
    flash(_("Saved."))
    return _back(artist)


@blueprint.post("/artists/<slug>/shipping/<zone_id>/remove")
def remove_zone(slug: str, zone_id: str) -> ResponseReturnValue:
    """Ship there no more."""
    artist, who = artist_with_money(slug)
    domain.remove(domain.find(artist, zone_id[:26]), actor=who, now=clock.now())
    flash(_("The zone is gone."))
    return _back(artist)


def _sent(artist: Artist) -> dict[str, object]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "codes": countries.codes_of(form.get("countries", "")[:20_000]),
        "everywhere_else": form.get("everywhere") == "on",
        "first_minor": _amount("first", artist),
        "further_minor": _amount("further", artist, default="0"),
    }


def _amount(field: str, artist: Artist, *, default: str = "") -> int:
    text = request.form.get(field, "").strip()
    try:
        return currencies.minor(text or default, prices.currency_of(artist.id))
    except Invalid as error:
        error.field = field
        raise


def _list(artist: Artist, *, problem: Exception | None = None) -> str:
    currency = prices.currency_of(artist.id)
    return render_template(
        "studio/shipping.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        zones=[
            ZoneView(
                row.id,
                row.name,
                countries.written(row.countries),
                len(row.countries.split()),
                price(row.first_minor, currency),
                price(row.further_minor, currency),
            )
            for row in domain.of_artist(artist.id)
        ],
        currency=currency,
        sent={name: request.form.get(name, "") for name in FIELDS},
        longest=domain.LONGEST_NAME,
        problem=problem,
    )


def _page(artist: Artist, row: Zone, *, problem: Exception | None = None) -> str:
    currency = prices.currency_of(artist.id)
    stored = {
        "name": row.name,
        "countries": countries.written(row.countries),
        "everywhere": "" if row.countries else "on",
        "first": currencies.written(row.first_minor, currency),
        "further": currencies.written(row.further_minor, currency),
    }
    sent = {name: request.form.get(name, "") for name in FIELDS} if problem else stored
    return render_template(
        "studio/zone.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        id=row.id,
        name=row.name,
        currency=currency,
        sent=sent,
        longest=domain.LONGEST_NAME,
        problem=problem,
    )


def _back(artist: Artist) -> ResponseReturnValue:
    return redirect(url_for("studio.shipping", slug=artist.slug), 303)
