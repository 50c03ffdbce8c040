"""Bundles of an artist: made, changed, stopped and sold again."""

from collections.abc import Iterable
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
from appliance.catalog.models import Release
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.shop import bundles as domain
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop.bundle_models import Bundle
from appliance.shop.bundles import Contents
from web import presentation
from web.people.routing import artist_with_money
from web.presentation.wording import price
from web.studio import forms
from web.studio.routing import blueprint


@dataclass(frozen=True, slots=True)
class BundleView:
    """A bundle as its artist sees it; without an *address* nobody can buy it now."""

    id: str
    title: str
    releases: list[str]
    price: str
    stopped: bool
    address: str
    edit_url: str


@dataclass(slots=True)
class BundleForm:
    """What the form shows: fields, the releases that can be chosen, and the ids of those that are."""

    version: int
    values: dict[str, str]
    choices: list[tuple[str, str]]
    chosen: list[str]
    problem: Exception | None = None


@blueprint.get("/artists/<slug>/bundles")
def bundles(slug: str) -> str:
    """Every bundle, newest first."""
    artist, _who = artist_with_money(slug)
    rows = domain.of_artist(artist, stopped=True)
    sold, inside = offers.of_bundles(rows), domain.releases_of(rows)
    currency = prices.currency_of(artist.id)
    return render_template(
        "studio/bundles.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        bundles=[
            BundleView(
                id=row.id,
                title=row.title,
                releases=[part.title for part in inside[row.id]],
                price=price(row.price_minor, currency) if row.price_minor else _("Free"),
                stopped=row.stopped_at is not None,
                address=url_for("shop.bundle", bundle_id=row.id) if row.id in sold else "",
                edit_url=url_for("studio.bundle", slug=artist.slug, bundle_id=row.id),
            )
            for row in rows
        ],
        enough=len(domain.choosable(artist)) >= domain.LEAST_PARTS,
    )


@blueprint.get("/artists/<slug>/bundles/new")
def new_bundle(slug: str) -> str:
    """A form for one more."""
    artist, _who = artist_with_money(slug)
    return _page(artist, None, _stored(artist, None))


@blueprint.post("/artists/<slug>/bundles")
def make_bundle(slug: str) -> ResponseReturnValue:
    """One more bundle, for sale at once."""
    artist, who = artist_with_money(slug)
    try:
        domain.make(artist, _sent(artist), actor=who, now=clock.now())
    except (Invalid, Conflict) as error:
        return _page(artist, None, _filled(_stored(artist, None), error)), 422
    flash(_("The bundle is for sale."))
    return _back(artist)


@blueprint.get("/artists/<slug>/bundles/<bundle_id>")
def bundle(slug: str, bundle_id: str) -> str:
    """A form to change it."""
    artist, _who = artist_with_money(slug)
    row = domain.find(artist, bundle_id)
    return _page(artist, row, _stored(artist, row))


@blueprint.post("/artists/<slug>/bundles/<bundle_id>")
def change_bundle(slug: str, bundle_id: str) -> ResponseReturnValue:
    """Change what the form sends."""
    artist, who = artist_with_money(slug)
    row = domain.find(artist, bundle_id)
    try:
        domain.change(row, _sent(artist), actor=who, now=clock.now(), made_from=forms.made_from())
    except Stale as error:
        stored = _stored(artist, domain.find(artist, bundle_id))
        form = _filled(stored, error)
        form.version = stored.version
        return _page(artist, row, form), 409
    except Invalid as error:
        return _page(artist, row, _filled(_stored(artist, row), error)), 422
    flash(_("Saved."))
    return _back(artist)


@blueprint.post("/artists/<slug>/bundles/<bundle_id>/stop")
def stop_bundle(slug: str, bundle_id: str) -> ResponseReturnValue:
    """Sell it no more."""
    artist, who = artist_with_money(slug)
    domain.stop(domain.find(artist, bundle_id), actor=who, now=clock.now())
    flash(_("The bundle is sold no more. What was bought stays."))
    return _back(artist)


@blueprint.post("/artists/<slug>/bundles/<bundle_id>/resume")
def resume_bundle(slug: str, bundle_id: str) -> ResponseReturnValue:
    """Sell it again."""
    artist, who = artist_with_money(slug)
    domain.resume(domain.find(artist, bundle_id), actor=who, now=clock.now())
    flash(_("The bundle is for sale again."))
    return _back(artist)


def _sent(artist: Artist) -> Contents:
    try:
        amount = currencies.minor(request.form.get("price", ""), prices.currency_of(artist.id))
    except Invalid as error:
        error.field = "price"
        raise
    chosen, first = _chosen(), request.form.get("first", "")
    if first in chosen:
        chosen = [first, *(one for one in chosen if one != first)]
    return Contents(
        title=request.form.get("title", ""),
        about=request.form.get("about", ""),
        price_minor=amount,
        pay_more=request.form.get("pay_more") == "yes",
        parts=chosen,
    )


def _chosen() -> list[str]:
    return [one[:26] for one in request.form.getlist("releases")][: 2 * domain.MOST_PARTS]


def _stored(artist: Artist, row: Bundle | None) -> BundleForm:
    inside = domain.releases_of([row])[row.id] if row is not None else []
    choices = {one.id: one for one in [*inside, *domain.choosable(artist)]}
    if row is None:
        values = {"title": "", "about": "", "price": "", "pay_more": "yes", "first": ""}
        return BundleForm(0, values, _named(choices.values(), artist), [])
    values = {
        "title": row.title,
        "about": row.about,
        "price": currencies.written(row.price_minor, prices.currency_of(artist.id)),
        "pay_more": "yes" if row.pay_more else "no",
        "first": inside[0].id if inside else "",
    }
    return BundleForm(row.version, values, _named(choices.values(), artist), [one.id for one in inside])


def _named(rows: Iterable[Release], artist: Artist) -> list[tuple[str, str]]:
    known, currency = prices.of_artist(artist), prices.currency_of(artist.id)

    def named(row: Release) -> str:
        own = known.get(row.id)
        cost = price(own.price_minor, currency) if own is not None and own.price_minor else ""
        return f"{row.title} · {cost}" if cost else row.title

    return [(row.id, named(row)) for row in rows]


def _filled(stored: BundleForm, problem: Exception) -> BundleForm:
    """*stored* with what was sent in its place, so that nothing somebody wrote is lost."""
    values = {name: request.form.get(name, value) for name, value in stored.values.items()}
    version = forms.made_from() or stored.version
    return BundleForm(version, values, stored.choices, _chosen(), problem)


def _page(artist: Artist, row: Bundle | None, form: BundleForm) -> str:
    currency = prices.currency_of(artist.id)
    least = prices.least_minor(currency)
    base = {"slug": artist.slug}
    return render_template(
        "studio/bundle.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        title=row.title if row is not None else _("A new bundle"),
        action=url_for("studio.change_bundle", bundle_id=row.id, **base)
        if row is not None
        else url_for("studio.make_bundle", **base),
        currency=currency,
        least=price(least, currency) if least else "",
        longest=(domain.LONGEST_TITLE, domain.LONGEST_ABOUT),
        most=domain.MOST_PARTS,
        form=form,
    )


def _back(artist: Artist) -> ResponseReturnValue:
    return redirect(url_for("studio.bundles", slug=artist.slug), 303)
