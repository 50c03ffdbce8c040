"""Memberships that one pays for: joined, changed for the figures that were shown, cancelled, paused and taken up again."""

from typing import Any

from flask import Response
from flask import jsonify
from flask import url_for
from flask_babel import get_locale

from appliance import clock
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships import subscription_asking as asking
from appliance.memberships import subscription_joining
from appliance.memberships import subscription_offers as offers
from appliance.memberships import subscriptions
from appliance.memberships import tiers
from appliance.memberships.models import Tier
from appliance.memberships.subscription_invoicing import Invoiced
from appliance.memberships.subscription_joining import Reader
from appliance.memberships.subscription_models import Subscription
from web import addresses
from web import rates
from web.api import fields
from web.api import money
from web.api import subscription_told as told
from web.api.routing import blueprint
from web.api.routing import body

NOW, PERIOD_END = "now", "period_end"
INVOICED = ("country", "business_number", "name", "address")


@blueprint.get("/artists/<slug>/tiers/<tier_id>/offers")
def list_tier_offers(slug: str, tier_id: str) -> Response:
    """How a tier can be paid for, and by whom."""
    tier = tiers.find(artists.find(slug), tier_id)
    return jsonify(items=[told.offer(row) for row in offers.of_tier(tier)])


@blueprint.get("/subscriptions")
def list_subscriptions() -> Response:
    """What the caller pays for, or began to."""
    return jsonify(items=told.every(subscriptions.of_person(money.payer(Scope.MONEY_READ))))


@blueprint.post("/subscriptions")
@rates.limited("payments")
def begin_subscription() -> tuple[Response, int, dict[str, str]]:
    """Begin to join; the answer says where it is paid, and nothing is given before it is."""
    who = money.payer()
    sent = body(required=("tier", "interval", "provider"))
    fields.only(sent, ("tier", "interval", "provider", *INVOICED))
    tier = _tier(fields.text(sent, "tier"))
    row = subscription_joining.begin(
        who,
        tier,
        interval=fields.text(sent, "interval"),
        provider=fields.text(sent, "provider"),
        return_to=lambda mark: addresses.root() + url_for("membership.waiting", subscription_id=mark),
        cancel_to=f"{addresses.root()}{addresses.artist_page(tier.artist)}",
        reader=Reader(str(get_locale() or "en"), addresses.root()),
        invoiced=Invoiced(**{name: fields.text(sent, name) for name in INVOICED}),
        now=clock.now(),
    )
    where = url_for("api.show_subscription", subscription_id=row.id)
    return jsonify(_shown(who, row.id)), 201, {"Location": where}


@blueprint.get("/subscriptions/<subscription_id>")
def show_subscription(subscription_id: str) -> Response:
    """How one of them stands, what is paid next and when."""
    return jsonify(_shown(money.payer(Scope.MONEY_READ), subscription_id))


@blueprint.get("/subscriptions/<subscription_id>/changes")
def list_changes(subscription_id: str) -> Response:
    """What it could be changed to."""
    row = subscriptions.find(money.payer(Scope.MONEY_READ), subscription_id)
    return jsonify(items=[told.step(one) for one in offers.steps(row, asking.provider_of(row))])


@blueprint.post("/subscriptions/<subscription_id>/figures")
@rates.limited("payments")
def reckon_change(subscription_id: str) -> tuple[Response, int]:
    """What a change costs now and next, and when; nothing is changed by asking."""
    row, sent = _own(subscription_id), body(required=("tier", "interval"))
    fields.only(sent, ("tier", "interval"))
    act = subscriptions.preview_change(
        row, fields.text(sent, "tier"), fields.text(sent, "interval"), now=clock.now()
    )
    return jsonify(told.figures(asking.shown(row, act.id))), 201


@blueprint.post("/subscriptions/<subscription_id>/change")
@rates.limited("payments")
def change_subscription(subscription_id: str) -> Response:
    """Change for the figures that were shown, or not at all."""
    row, sent = _own(subscription_id), body(required=("figures",))
    fields.only(sent, ("figures",))
    subscriptions.change(row, fields.text(sent, "figures"), now=clock.now())
    return _answer(subscription_id)


@blueprint.post("/subscriptions/<subscription_id>/cancel")
@rates.limited("payments")
def cancel_subscription(subscription_id: str) -> Response:
    """End it with what is paid, or now."""
    row, sent = _own(subscription_id), body(required=("when",))
    fields.only(sent, ("when",))
    if sent["when"] not in (NOW, PERIOD_END):
        raise Invalid("'when' is 'now' or 'period_end'.", field="when")
    subscriptions.cancel(row, at_once=sent["when"] == NOW, now=clock.now())
    return _answer(subscription_id)


@blueprint.post("/subscriptions/<subscription_id>/pause")
@rates.limited("payments")
def pause_subscription(subscription_id: str) -> Response:
    """Pay nothing until it is taken up again."""
    subscriptions.pause(_own(subscription_id), now=clock.now())
    return _answer(subscription_id)


@blueprint.post("/subscriptions/<subscription_id>/resume")
@rates.limited("payments")
def resume_subscription(subscription_id: str) -> Response:
    """Take a cancellation or a pause back."""
    subscriptions.resume(_own(subscription_id), now=clock.now())
    return _answer(subscription_id)


@blueprint.post("/subscriptions/<subscription_id>/card")
@rates.limited("payments")
def open_card_page(subscription_id: str) -> Response:
    """The provider's page where the card is changed and invoices lie; it works for whoever holds its address, for a while."""
    back = addresses.root() + url_for("membership.show", subscription_id=subscription_id)
    answer = jsonify(url=subscriptions.portal(_own(subscription_id), return_to=back))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _own(subscription_id: str) -> Subscription:
    return subscriptions.find(money.payer(), subscription_id)


def _answer(subscription_id: str) -> Response:
    return jsonify(_shown(money.payer(), subscription_id))


def _shown(who: User, subscription_id: str) -> dict[str, Any]:
    return told.every([subscriptions.find(who, subscription_id)])[0]


def _tier(tier_id: str) -> Tier:
    tier: Tier | None = (
        Tier.select(Tier, Artist).join(Artist, on=Tier.artist).where(Tier.id == tier_id).first()
    )
    if tier is None:
        raise NotFound("There is no such tier.")
    return tier
