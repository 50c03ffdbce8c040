"""The tiers of an artist: what each costs and opens, their order, one more, and the archive."""

from collections.abc import Callable

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
from appliance.catalog.models import Artist
from appliance.catalog.versions import Stale
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.memberships import granting
from appliance.memberships import tier_fields
from appliance.memberships import tiers as domain
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind
from web import presentation
from web.people.routing import artist_with_money
from web.presentation import tiers as shown
from web.sentences import told
from web.studio import forms
from web.studio.routing import blueprint

NUMBERS = tuple(tier_fields.MOST)
TEXTS = ("name", "about", "currency", "top_quality")
PRICES = ("price_minor", "annual_price_minor")
STEPS = {"up": -1, "down": 1}


@blueprint.get("/artists/<slug>/tiers")
def tiers(slug: str) -> str:
    """The tiers in their order, and a form for one more."""
    artist, _who = artist_with_money(slug)
    return _list(artist)


@blueprint.post("/artists/<slug>/tiers")
def add_tier(slug: str) -> ResponseReturnValue:
    """One more tier; what it opens is said on its own page."""
    artist, who = artist_with_money(slug)
    try:
        currency = domain.of_artist(artist)[0].currency if domain.of_artist(artist) else currencies.EURO
        fields = {
            "name": request.form.get("name", ""),
            "price_minor": _amount(request.form.get("price", ""), currency, "price"),
        }
        tier = domain.add(artist, fields, actor=who, now=clock.now())
    except (Invalid, Conflict) as error:
        return _list(artist, problem=error), 422
    flash(_("The tier is there. Now say what it opens."))
    return redirect(url_for("studio.tier", slug=artist.slug, tier_id=tier.id), 303)


@blueprint.get("/artists/<slug>/tiers/<tier_id>")
def tier(slug: str, tier_id: str) -> str:
    """What one tier costs and opens."""
    artist, _who, row = _asked(slug, tier_id)
    return _page(artist, row, _stored(row))


@blueprint.post("/artists/<slug>/tiers/<tier_id>")
def edit_tier(slug: str, tier_id: str) -> ResponseReturnValue:
    """Change what the form sends."""
    artist, who, row = _asked(slug, tier_id)
    try:
        domain.edit(row, _sent(row), actor=who, now=clock.now(), made_from=forms.made_from())
    except Stale as error:
        now = domain.find(artist, tier_id)
        return _page(artist, now, forms.contested(_stored(now), error)), 409
    except Invalid as error:
        return _page(artist, row, forms.filled(_stored(row), error)), 422
    flash(_("Saved."))
    return redirect(url_for("studio.tiers", slug=artist.slug), 303)


@blueprint.post("/artists/<slug>/tiers/<tier_id>/move")
def move_tier(slug: str, tier_id: str) -> ResponseReturnValue:
    """One place up or down."""
    artist, _who, row = _asked(slug, tier_id)
    step = STEPS.get(request.form.get("direction", ""), 0)
    return _attempt(artist, lambda: domain.move(row, step, now=clock.now()), _("Saved."))


@blueprint.post("/artists/<slug>/tiers/<tier_id>/archive")
def archive_tier(slug: str, tier_id: str) -> ResponseReturnValue:
    """No new members; those in it stay."""
    artist, who, row = _asked(slug, tier_id)
    return _attempt(
        artist,
        lambda: domain.archive(row, actor=who, now=clock.now()),
        _("The tier takes no new members. Those in it stay."),
    )


@blueprint.post("/artists/<slug>/tiers/<tier_id>/restore")
def restore_tier(slug: str, tier_id: str) -> ResponseReturnValue:
    """Out of the archive."""
    artist, who, row = _asked(slug, tier_id)
    return _attempt(
        artist,
        lambda: domain.restore(row, actor=who, now=clock.now()),
        _("The tier takes members again."),
    )


def _asked(slug: str, tier_id: str) -> tuple[Artist, User, Tier]:
    artist, who = artist_with_money(slug)
    return artist, who, domain.find(artist, tier_id)


def _attempt(artist: Artist, act: Callable[[], None], done: str) -> ResponseReturnValue:
    try:
        act()
    except Conflict as error:
        flash(told(error), "problem")
    else:
        flash(done)
    return redirect(url_for("studio.tiers", slug=artist.slug), 303)


def _stored(row: Tier) -> forms.Form:
    """What is stored, as one writes it into fields."""
    values = {name: str(getattr(row, name)) for name in TEXTS}
    for name in PRICES:
        amount = getattr(row, name)
        values[name] = "" if amount is None else currencies.written(amount, row.currency)
    for name in NUMBERS:
        number = getattr(row, name)
        values[name] = "" if number is None else str(number)
    for name in tier_fields.FLAGS:
        values[name] = "yes" if getattr(row, name) else "no"
    return forms.Form(row.version, values, [])


def _sent(row: Tier) -> dict[str, object]:
    """The fields that were sent, as the domain takes them."""
    sent = {name: request.form[name].strip() for name in _stored(row).values if name in request.form}
    found: dict[str, object] = {name: sent[name] for name in TEXTS if name in sent}
    currency = currencies.read(found.get("currency", row.currency))
    for name in PRICES:
        if name in sent:
            found[name] = _amount(sent[name], currency, name) if sent[name] or name == PRICES[0] else None
    for name in NUMBERS:
        if name in sent:
            found[name] = _number(sent[name], unlimited=name == "downloads_a_month")
    for name in tier_fields.FLAGS:
        if sent.get(name) in {"yes", "no"}:
            found[name] = sent[name] == "yes"
    return found


def _amount(text: str, currency: str, field: str) -> int:
    try:
        return currencies.minor(text, currency)
    except Invalid as error:
        error.field = field
        raise


def _number(text: str, *, unlimited: bool) -> object:
    """A number where it is one; else the text, of which the domain says what is wrong with it."""
    if not text and unlimited:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _list(artist: Artist, *, problem: Exception | None = None) -> str:
    rows = domain.of_artist(artist, archived=True)
    if not rows:
        # Made by a server of the version before, which knew of no tiers.
        with transaction():
            domain.make(artist, now=clock.now())
        rows = domain.of_artist(artist, archived=True)
    members = granting.counts(artist, now=clock.now())
    return render_template(
        "studio/tiers.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        tiers=shown.tiers(rows, members=members),
        currency=rows[0].currency,
        longest=tier_fields.LONGEST_NAME,
        sent=request.form,
        problem=problem,
    )


def _page(artist: Artist, row: Tier, form: forms.Form) -> str:
    return render_template(
        "studio/tier.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        tier=shown.tier(row, members=granting.counts(artist, now=clock.now()).get(row.id, 0)),
        free=row.kind == TierKind.FREE,
        form=form,
        qualities=shown.QUALITIES,
        currencies=sorted(currencies.DIGITS),
        most=tier_fields.MOST,
        longest=(tier_fields.LONGEST_NAME, tier_fields.LONGEST_ABOUT),
    )
