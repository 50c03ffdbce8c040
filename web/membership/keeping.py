"""A membership as who pays for it sees it: what is next and when, ending it, pausing it, taking that back, mending the card."""

from collections.abc import Callable

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.memberships import subscriptions
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_states import Move
from appliance.papers import finding
from web import addresses
from web import leaving
from web import presentation
from web import rates
from web.membership.routing import blueprint
from web.membership.routing import own
from web.presentation import papers
from web.presentation import subscriptions as shown
from web.sentences import told

MOST_PAPERS = 24
"""Receipts on the page itself; all of them are on the one of the account."""
REFUSED = (Conflict, Invalid, NotFound, Unavailable)


@blueprint.get("/memberships/<subscription_id>")
def show(subscription_id: str) -> str:
    """What is paid, what is next and when, and what can be done."""
    row = own(subscription_id)
    return render_template(
        "membership/show.html",
        artist=presentation.artist(row.artist),
        membership=shown.subscription(row),
        invoice=shown.invoice(subscriptions.asked_for([row.id]).get(row.id)),
        papers=papers.of(finding.of_subscription(row.id, limit=MOST_PAPERS)),
        all_papers=url_for("shop.papers"),
    )


@blueprint.get("/memberships/<subscription_id>/cancel")
def ask_to_cancel(subscription_id: str) -> ResponseReturnValue:
    """What cancelling means."""
    return _ask(subscription_id, "cancel", (Move.CANCEL, Move.END))


@blueprint.post("/memberships/<subscription_id>/cancel")
@rates.limited("payments")
def cancel(subscription_id: str) -> ResponseReturnValue:
    """At the end of what is paid, or now."""
    row = own(subscription_id)
    at_once = request.form.get("when") == "now"
    done = (
        _("Your membership is over.")
        if at_once
        else _("Your membership is cancelled. Until its end you stay a member.")
    )
    return _attempt(row, lambda: subscriptions.cancel(row, at_once=at_once, now=clock.now()), done)


@blueprint.get("/memberships/<subscription_id>/pause")
def ask_to_pause(subscription_id: str) -> ResponseReturnValue:
    """What a pause means."""
    return _ask(subscription_id, "pause", (Move.PAUSE,))


@blueprint.post("/memberships/<subscription_id>/pause")
@rates.limited("payments")
def pause(subscription_id: str) -> ResponseReturnValue:
    """No more payments until it is taken up again."""
    row = own(subscription_id)
    return _attempt(row, lambda: subscriptions.pause(row, now=clock.now()), _("Your membership is paused."))


@blueprint.get("/memberships/<subscription_id>/resume")
def ask_to_resume(subscription_id: str) -> ResponseReturnValue:
    """What going on means."""
    return _ask(subscription_id, "resume", (Move.RESUME,))


@blueprint.post("/memberships/<subscription_id>/resume")
@rates.limited("payments")
def resume(subscription_id: str) -> ResponseReturnValue:
    """Take back a cancellation or a pause."""
    row = own(subscription_id)
    return _attempt(row, lambda: subscriptions.resume(row, now=clock.now()), _("Your membership goes on."))


@blueprint.get("/memberships/<subscription_id>/card")
def mend(subscription_id: str) -> ResponseReturnValue:
    """On to the provider, where the card is changed and invoices lie."""
    row = own(subscription_id)
    back = addresses.root() + _address(row)
    try:
        return leaving.page(subscriptions.portal(row, return_to=back), _("On to your card"))
    except REFUSED as error:
        return _back(row, error)


def _ask(subscription_id: str, step: str, moves: tuple[Move, ...]) -> ResponseReturnValue:
    """The page that says what this would mean, where it can be done."""
    row = own(subscription_id)
    found = shown.subscription(row)
    if not any(move in found.moves for move in moves):
        return redirect(_address(row), 303)
    return render_template(
        f"membership/{step}.html", artist=presentation.artist(row.artist), membership=found
    )


def _attempt(row: Subscription, act: Callable[[], object], done: str) -> ResponseReturnValue:
    try:
        act()
    except REFUSED as error:
        return _back(row, error)
    flash(done)
    return redirect(_address(row), 303)


def _back(row: Subscription, error: MusicConnectError) -> ResponseReturnValue:
    flash(told(error), "problem")
    return redirect(_address(row), 303)


def _address(row: Subscription) -> str:
    return url_for("membership.show", subscription_id=row.id)
