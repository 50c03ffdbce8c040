"""A membership that is paid for, in words: what it costs, what happens next and when, what can be done."""

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from appliance import clock
from appliance import processors
from appliance.memberships import decision
from appliance.memberships.models import Membership
from appliance.memberships.subscription_models import PaymentAsked
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_offers import Offer
from appliance.memberships.subscription_offers import Step
from appliance.memberships.subscription_rights import GRACE
from appliance.memberships.subscription_states import ASKED
from appliance.memberships.subscription_states import Move
from appliance.memberships.subscription_states import Stage
from appliance.memberships.subscription_states import may
from appliance.memberships.subscription_states import stage
from appliance.payments import Feature
from appliance.payments import Interval
from web.presentation import providers
from web.presentation.wording import day
from web.presentation.wording import price

NEEDS = {Move.PAUSE: Feature.PAUSE, Move.MEND: Feature.PORTAL}
"""What not every provider can do."""


@dataclass(frozen=True, slots=True)
class OfferView:
    """A way to pay for a tier: *name* is what a form sends, *text* what it costs, *saving* what one saves by it."""

    name: str
    text: str
    saving: str


@dataclass(frozen=True, slots=True)
class StepView:
    """A change that can be chosen."""

    name: str
    tier: str
    text: str
    when: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change with its figures: what it costs *now*, then *later* and *when*."""

    id: str
    tier: str
    text: str
    now: str
    later: str
    when: str
    free: bool
    at_once: bool


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A membership that is paid for: *state* in a word, *lines* of what happens next, *warning* where a payment is due."""

    id: str
    url: str
    artist: str
    tier: str
    price: str
    way: str
    stage: str
    state: str
    bad: bool
    lines: list[str]
    warning: str
    end: str
    moves: frozenset[str]


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """What is to be paid by oneself, and where one reads how."""

    text: str
    url: str


def invoice(row: PaymentAsked | None) -> InvoiceView | None:
    """What is asked for by now, if anything is."""
    if row is None:
        return None
    text = _(
        "%(amount)s is to be paid until %(day)s, with the reference %(reference)s.",
        amount=price(row.amount_minor, row.currency),
        day=day(row.due_at),
        reference=row.words,
    )
    return InvoiceView(text, row.url)


def offer(row: Offer) -> OfferView:
    """How a tier can be paid for."""
    saving = price(row.saving_minor, row.tier.currency) if row.saving_minor else ""
    return OfferView(
        name=row.interval,
        text=each(row.price_minor, row.tier.currency, row.interval),
        saving=_("You save %(amount)s a year.", amount=saving) if saving else "",
    )


def step(row: Step) -> StepView:
    """A change that can be chosen, and from when it holds."""
    return StepView(
        name=f"{row.offer.tier.id} {row.offer.interval}",
        tier=_(row.offer.tier.name),
        text=each(row.offer.price_minor, row.offer.tier.currency, row.offer.interval),
        when=_("At once; what you paid already is taken into account.")
        if row.at_once
        else _("From your next period on."),
    )


def change(act: SubscriptionAct) -> ChangeView:
    """The figures of a change."""
    currency = act.currency
    return ChangeView(
        id=act.id,
        tier=_(act.tier.name) if act.tier else "",
        text=each(act.price_minor or 0, currency, act.interval),
        now=price(act.due_now_minor or 0, currency),
        later=price(act.next_minor or 0, currency),
        when=day(act.next_at) if act.next_at else "",
        free=not act.due_now_minor,
        at_once=bool(act.at_once),
    )


def subscription(row: Subscription) -> SubscriptionView:
    """A membership as who pays for it sees it; tier and artist joined."""
    where = stage(row.state, row.cancel_at)
    provider = next((one for one in processors.every() if one.name == row.provider), None)
    features = provider.features if provider else frozenset()
    end = row.cancel_at or row.period_end
    return SubscriptionView(
        id=row.id,
        url=url_for("membership.show", subscription_id=row.id),
        artist=row.artist.name,
        tier=_(row.tier.name),
        price=each(row.price_minor, row.currency, row.interval),
        way=providers.label_of(row.provider),
        stage=where,
        state=state_word(where),
        bad=where in {Stage.PAST_DUE, Stage.ENDED},
        lines=_lines(row, where),
        warning=_warning(row, where),
        end=day(end) if end else "",
        moves=frozenset(
            move for move in ASKED if provider and may(where, move) and NEEDS.get(move) in {None, *features}
        ),
    )


def each(amount_minor: int, currency: str, interval: str) -> str:
    """A price and how often it is paid."""
    amount = price(amount_minor, currency)
    if interval == Interval.YEAR:
        return _("%(price)s a year", price=amount)
    return _("%(price)s a month", price=amount)


def state_word(where: Stage) -> str:
    """Where a subscription is, in a word."""
    return {
        Stage.INCOMPLETE: _("not paid yet"),
        Stage.TRIALING: _("on trial"),
        Stage.ACTIVE: _("active"),
        Stage.CANCELLING: _("cancelled"),
        Stage.PAST_DUE: _("payment due"),
        Stage.PAUSED: _("paused"),
        Stage.ENDED: _("over"),
    }[where]


def _lines(row: Subscription, where: Stage) -> list[str]:
    amount = price(
        row.price_minor if row.pending_price_minor is None else row.pending_price_minor, row.currency
    )
    at = _day(row.period_end or row.trial_end)
    match where:
        case Stage.INCOMPLETE:
            return [_("You began to join and have not paid yet.")]
        case Stage.TRIALING:
            lines = [
                _(
                    "You try it until %(day)s; then %(amount)s is charged.",
                    day=_day(row.trial_end),
                    amount=amount,
                )
            ]
        case Stage.ACTIVE:
            lines = [_("The next payment, %(amount)s, is on %(day)s.", amount=amount, day=at)]
        case Stage.CANCELLING:
            return [
                _(
                    "It ends on %(day)s. Until then you are a member, and nothing more is charged.",
                    day=_day(row.cancel_at),
                )
            ]
        case Stage.PAUSED:
            # At some providers periods go on in a pause, and nobody pays for them.
            mine = Membership.get_or_none(Membership.id == row.id)
            if mine is None or not decision.runs(mine.paid_through, clock.now()):
                return [_("Nothing is charged while it is paused. What you paid is over.")]
            return [
                _(
                    "Nothing is charged while it is paused. You are a member until the end of what you paid, %(day)s.",
                    day=_day(mine.paid_through),
                )
            ]
        case Stage.PAST_DUE:
            return []
        case Stage.ENDED:
            return [_("It is over; nothing more is charged.")]
    if row.pending_tier is not None:
        lines.append(
            _(
                "From then on you are in %(tier)s, %(price)s.",
                tier=_(row.pending_tier.name),
                price=each(row.pending_price_minor or 0, row.currency, row.pending_interval),
            )
        )
    return lines


def _warning(row: Subscription, where: Stage) -> str:
    if where is not Stage.PAST_DUE:
        return ""
    if row.past_due_since is None:
        return _("The last payment did not arrive.")
    return _(
        "The payment of %(amount)s on %(day)s did not arrive. If it is not mended by %(end)s, your membership ends then.",
        amount=price(row.price_minor, row.currency),
        day=day(row.past_due_since),
        end=day(row.past_due_since + GRACE),
    )


def _day(instant: datetime | None) -> str:
    return day(instant) if instant is not None else ""
