"""Another tier: what it costs now and next, and when, is shown first; what is agreed to is what is charged."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.memberships import subscription_asking as asking
from appliance.memberships import subscription_offers as offers
from appliance.memberships import subscriptions
from appliance.memberships.subscription_asking import FiguresChanged
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_states import Move
from web import presentation
from web import rates
from web.membership.keeping import REFUSED
from web.membership.routing import blueprint
from web.membership.routing import own
from web.presentation import subscriptions as shown
from web.sentences import told


@blueprint.get("/memberships/<subscription_id>/change")
def choose(subscription_id: str) -> ResponseReturnValue:
    """The tiers that one could be in instead."""
    row = own(subscription_id)
    if Move.CHANGE not in shown.subscription(row).moves:
        return _show(row)
    return _page(row)


@blueprint.post("/memberships/<subscription_id>/change")
@rates.limited("payments")
def reckon(subscription_id: str) -> ResponseReturnValue:
    """Let what was chosen be reckoned, and show it."""
    row = own(subscription_id)
    tier_id, _blank, interval = request.form.get("to", "").partition(" ")
    try:
        act = subscriptions.preview_change(row, tier_id, interval, now=clock.now())
    except REFUSED as error:
        return _page(row, problem=error), 422
    return redirect(url_for("membership.figures", subscription_id=row.id, act_id=act.id), 303)


@blueprint.get("/memberships/<subscription_id>/change/<act_id>")
def figures(subscription_id: str, act_id: str) -> ResponseReturnValue:
    """What it costs now and next, and when, to be agreed to."""
    row = own(subscription_id)
    act = asking.shown(row, act_id)
    if act.state != ActState.SHOWN:
        return _show(row)
    return render_template(
        "membership/figures.html",
        artist=presentation.artist(row.artist),
        membership=shown.subscription(row),
        change=shown.change(act),
    )


@blueprint.post("/memberships/<subscription_id>/change/<act_id>")
@rates.limited("payments")
def agree(subscription_id: str, act_id: str) -> ResponseReturnValue:
    """Change as was shown."""
    row = own(subscription_id)
    act = asking.shown(row, act_id)
    try:
        subscriptions.change(row, act.id, now=clock.now())
    except FiguresChanged as error:
        # The same choice, reckoned anew.
        flash(told(error), "problem")
        return redirect(url_for("membership.choose", subscription_id=row.id), 303)
    except REFUSED as error:
        flash(told(error), "problem")
        return _show(row)
    tier = shown.change(act).tier
    flash(
        _("You are in %(tier)s now.", tier=tier)
        if act.at_once
        else _("Agreed: %(tier)s from the next period on.", tier=tier)
    )
    return _show(row)


def _page(row: Subscription, *, problem: Exception | None = None) -> str:
    steps = offers.steps(row, asking.provider_of(row))
    return render_template(
        "membership/change.html",
        artist=presentation.artist(row.artist),
        membership=shown.subscription(row),
        steps=[shown.step(one) for one in steps],
        problem=problem,
    )


def _show(row: Subscription) -> ResponseReturnValue:
    return redirect(url_for("membership.show", subscription_id=row.id), 303)
