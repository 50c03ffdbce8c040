"""Memberships that are given, as finished values: to choose, to look after, to print and to redeem."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from appliance.memberships.models import Tier
from appliance.shop import gift_letters
from appliance.shop import gift_offers
from appliance.shop import gifting
from appliance.shop.gift_models import Gift
from appliance.shop.gift_redeeming import Present
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from web.presentation.wording import day
from web.presentation.wording import price


@dataclass(frozen=True, slots=True)
class GiftChoice:
    """For how long one can give a tier, and for how much; *shown* comes back with the form."""

    months: int
    time: str
    price: str
    shown: str
    saving: str


@dataclass(frozen=True, slots=True)
class GiftView:
    """A gift as its buyer sees it; *standing* says how it stands, and *sendable* whether a letter can go out."""

    tier: str
    time: str
    artist: str
    by: str
    message: str
    code: str
    link: str
    email: str
    day: str
    standing: str
    until: datetime | None
    open: bool
    sendable: bool


@dataclass(frozen=True, slots=True)
class PresentView:
    """A gift as who holds its code sees it; *when* says from when until when they would be a member."""

    code: str
    tier: str
    time: str
    artist: str
    by: str
    message: str
    when: str
    beside: str


def pages(rows: Iterable[Tier]) -> dict[str, str]:
    """Where each of these tiers can be given to somebody, by its id; only those that can be paid for."""
    return {
        row.id: url_for("shop.gift", tier_id=row.id)
        for row in rows
        if gift_offers.can_be_given(row) and gift_offers.ways(row)
    }


def time(months: int) -> str:
    """So many months, in words."""
    return str(ngettext("one month", "%(num)d months", months))


def name(tier: Tier, months: int) -> str:
    """What a gift is called on its receipt, in the reader's language."""
    return str(_("Gift: %(tier)s, %(time)s", tier=_(tier.name), time=time(months)))


def choices(tier: Tier) -> list[GiftChoice]:
    """For how long one can give this tier."""
    found = []
    for months in gift_offers.MONTHS:
        cost = gift_offers.price_minor(tier, months)
        saving = months * tier.price_minor - cost
        text = _("%(amount)s less than month by month", amount=price(saving, tier.currency))
        found.append(
            GiftChoice(
                months,
                time(months),
                price(cost, tier.currency),
                f"{cost} {tier.currency}",
                str(text) if saving > 0 else "",
            )
        )
    return found


def gift(row: Gift, order: Order) -> GiftView:
    """A gift, tier and artist joined, as its buyer sees it."""
    paid = order.state == OrderState.PAID
    return GiftView(
        tier=_(row.tier.name),
        time=time(row.months),
        artist=row.artist.name,
        by=row.by,
        message=row.message,
        code=row.code,
        link=gift_letters.link(row, order),
        email=row.email,
        day=row.send_at.date().isoformat() if row.send_at and not row.sent_at else "",
        standing=_standing(row, order),
        until=gift_letters.over_at(order),
        open=paid and row.redeemed_at is None,
        sendable=paid and row.redeemed_at is None and row.letters < gifting.MOST_LETTERS,
    )


def present(found: Present) -> PresentView:
    """A gift as who holds its code sees it."""
    row, span = found.gift, found.span
    when = ""
    if span is not None:
        days = {"first": day(span.begins_at), "last": day(span.through)}
        if found.later:
            when = _(
                "You have this tier until %(first)s already, so it counts from that day, and lasts until %(last)s. Nothing of it is lost.",
                **days,
            )
        else:
            when = _("It begins at once, and lasts until %(last)s.", **days)
    return PresentView(
        code=row.code,
        tier=_(row.tier.name),
        time=time(row.months),
        artist=row.artist.name,
        by=row.by,
        message=row.message,
        when=str(when),
        beside=str(
            _(
                "You pay for this tier yourself, and that goes on beside the gift. Cancel or pause it first, or keep the code until then."
            )
        )
        if found.pays
        else "",
    )


def _standing(row: Gift, order: Order) -> str:
    if order.state == OrderState.REFUNDED:
        return str(_("Its money went back: the code opens nothing, and the membership is over."))
    if order.state != OrderState.PAID:
        return str(_("Once it is paid, the code stands here, and its letter goes out."))
    if row.redeemed_at is not None:
        return str(_("It was redeemed on %(day)s.", day=day(row.redeemed_at)))
    if row.sent_at is not None:
        return str(_("Sent to %(email)s on %(day)s, and not redeemed yet.", email=row.email, day=day(row.sent_at)))  # fmt: skip
    if row.email and row.send_at is not None:
        return str(_("A letter goes to %(email)s on %(day)s.", email=row.email, day=day(row.send_at)))
    return str(_("Not redeemed yet. Hand the code on, or print it."))
