"""The way in: a tier, by the month or the year, how to pay, to the till and back. Nothing is given before the payment is told of."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from appliance import clock
from appliance import taxation
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.memberships import subscription_joining
from appliance.memberships import subscription_offers as offers
from appliance.memberships import subscriptions
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.subscription_joining import Reader
from web import addresses
from web import leaving
from web import presentation
from web import rates
from web.membership import papers
from web.membership.routing import blueprint
from web.membership.routing import own
from web.membership.routing import payer
from web.presentation import countries
from web.presentation import providers
from web.presentation import subscriptions as shown
from web.presentation import tiers as tier_views

LONG_S = 60
"""After how many seconds the page that waits says that it takes long."""


@blueprint.get("/join/<tier_id>")
def join(tier_id: str) -> ResponseReturnValue:
    """The tier, and the choice of how to pay; who is a member already is led to their membership."""
    who, tier = payer(), _tier(tier_id)
    known = subscriptions.current(who, tier.artist)
    if known is not None and subscriptions.runs(known):
        return redirect(url_for("membership.show", subscription_id=known.id), 303)
    return _page(tier, request.args)


@blueprint.post("/join/<tier_id>")
@rates.limited("payments")
def begin(tier_id: str) -> ResponseReturnValue:
    """Open a till, and lead there."""
    who, tier = payer(), _tier(tier_id)
    try:
        row = subscription_joining.begin(
            who,
            tier,
            interval=request.form.get("interval", ""),
            provider=request.form.get("provider", ""),
            return_to=lambda mark: addresses.root() + url_for("membership.waiting", subscription_id=mark),
            cancel_to=f"{addresses.root()}{addresses.artist_page(tier.artist)}",
            reader=Reader(str(get_locale()), addresses.root()),
            invoiced=papers.sent_by({name: request.form.get(name, "") for name in papers.FIELDS}),
            now=clock.now(),
        )
    except (Invalid, Conflict, Unavailable) as error:
        return _page(tier, request.form, problem=error), 503 if isinstance(error, Unavailable) else 422
    return redirect(url_for("membership.pay", subscription_id=row.id), 303)


@blueprint.get("/memberships/<subscription_id>/pay")
def pay(subscription_id: str) -> ResponseReturnValue:
    """On to the till: by a page, since a form may lead to pages of ours only."""
    row = own(subscription_id)
    if subscriptions.runs(row) or not row.current or not row.checkout_url:
        return redirect(url_for("membership.show", subscription_id=row.id), 303)
    return leaving.page(row.checkout_url, _("On to pay"))


@blueprint.get("/memberships/<subscription_id>/waiting")
def waiting(subscription_id: str) -> ResponseReturnValue:
    """Back from the till: the membership as soon as it runs, and until then that we wait."""
    row = own(subscription_id)
    member = Membership.select().where(Membership.id == row.id, Membership.ended_at.is_null()).exists()
    if subscriptions.runs(row) and member:
        # The script of the page looks first, and comes itself when there is something to see.
        if "look" not in request.args:
            flash(_("You are a member now: %(tier)s. Thank you!", tier=_(row.tier.name)))
        return redirect(url_for("membership.show", subscription_id=row.id), 303)
    waited = clock.now() - row.updated_at
    return render_template(
        "membership/waiting.html",
        artist=presentation.artist(row.artist),
        tier=_(row.tier.name),
        back=url_for("membership.pay", subscription_id=row.id),
        long=waited.total_seconds() > LONG_S,
    )


def _tier(tier_id: str) -> Tier:
    tier: Tier | None = (
        Tier.select(Tier, Artist).join(Artist, on=Tier.artist).where(Tier.id == tier_id).first()
    )
    if tier is None:
        raise NotFound("There is no such tier.")
    return tiers.find(tier.artist, tier_id)


def _page(tier: Tier, sent: MultiDict[str, str], *, problem: Exception | None = None) -> str:
    offered = offers.of_tier(tier)
    ways = {way.name: providers.label(way) for offer in offered for way in offers.ways(offer)}
    return render_template(
        "membership/join.html",
        artist=presentation.artist(tier.artist),
        tier=tier_views.tier(tier),
        offers=[shown.offer(offer) for offer in offered],
        ways=ways,
        chosen=sent.get("interval", "month"),
        way=sent.get("provider") or next(iter(ways), ""),
        trial=tier.trial_days,
        sent={name: sent.get(name, "") for name in papers.FIELDS},
        countries=countries.choices() if taxation.are_asked() else [],
        problem=problem,
    )
