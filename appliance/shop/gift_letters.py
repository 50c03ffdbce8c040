"""The letters about a gift: to whom it is for, on its day; and to both when it is redeemed."""

from datetime import datetime

from babel import Locale
from babel import UnknownLocaleError
from babel import dates
from babel import units

from appliance import database
from appliance import mail
from appliance import startup
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.memberships.models import Tier
from appliance.memberships.subscription_rights import after
from appliance.payments import Interval
from appliance.shop import receipts
from appliance.shop.gift_models import Gift
from appliance.shop.gift_rights import Span
from appliance.shop.models import Order
from appliance.shop.models import OrderState

HOLDS_YEARS = 2
"""How long a code holds after it was paid."""
AT_ONCE = 500


def over_at(order: Order) -> datetime | None:
    """Pure: when the code of a paid gift ends."""
    return after(order.paid_at, Interval.YEAR, HOLDS_YEARS) if order.paid_at is not None else None


def link(gift: Gift, order: Order) -> str:
    """Where the code is redeemed, with the code in it."""
    return f"{_root(order)}/redeem?code={gift.code}"


def write_if_due(gift: Gift, order: Order, *, now: datetime) -> list[str]:
    """Write the letter that brings the gift, if its day has come and it was not written; the job that sends it once the transaction is committed. The order is held."""
    waits = gift.email and gift.sent_at is None and gift.redeemed_at is None
    if not waits or order.state != OrderState.PAID or (gift.send_at is not None and gift.send_at > now):
        return []
    unsent = (Gift.id == gift.id) & Gift.sent_at.is_null()
    if not Gift.update(sent_at=now, letters=Gift.letters + 1).where(unsent).execute():
        return []
    facts = {
        **_facts(gift, order),
        "by": gift.by,
        "message": gift.message,
        "code": gift.code,
        "link": link(gift, order),
        "day": _day(over_at(order), order.locale),
    }
    kind = "gift_with_words" if gift.message else "gift"
    return [mail.post(kind, gift.email, facts=facts, locale=order.locale, now=now)]


def write_due(*, now: datetime) -> list[str]:
    """Write every letter whose day has come; the jobs that send them, on their way already."""
    waiting = (Gift.email != "") & Gift.sent_at.is_null() & Gift.redeemed_at.is_null() & (Gift.send_at <= now)
    due = Gift.select(Gift.id, Gift.order).join(Order).where(waiting, Order.state == OrderState.PAID)
    jobs: list[str] = []
    for row in list(due.order_by(Gift.send_at).limit(AT_ONCE)):
        with transaction():
            order = database.locked(Order.select().where(Order.id == row.order_id)).get()
            jobs += write_if_due(Gift.get_by_id(row.id), order, now=now)
    return jobs


def tell_redeemed(gift: Gift, order: Order, span: Span, user: User, *, locale: str, now: datetime) -> None:
    """Tell who redeemed it from when until when they are a member, and who paid that it arrived; in the transaction of the caller."""
    facts = {
        **_facts(gift, order, locale),
        "by": gift.by,
        "first": _day(span.begins_at, locale),
        "day": _day(span.through, locale),
        "link": f"{_root(order)}/account",
    }
    mail.post("gift_begun", user.email, facts=facts, locale=locale, now=now)
    told = _facts(gift, order)
    receipts.tell("gift_redeemed", order, now=now, tier=told["tier"], time=told["time"])


def _facts(gift: Gift, order: Order, locale: str = "") -> dict[str, str]:
    tier = Tier.select(Tier.name, Artist.name).join(Artist).where(Tier.id == gift.tier_id).get()
    read = _locale(locale or order.locale)
    return {
        "collective": order.collective or startup.appliance().settings.collective_name,
        "artist": tier.artist.name,
        "tier": tier.name,
        "time": str(units.format_unit(gift.months, "duration-month", locale=read)),
    }


def _root(order: Order) -> str:
    settings = startup.appliance().settings
    return (
        order.root or settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    ).rstrip("/")


def _day(instant: datetime | None, locale: str) -> str:
    return str(dates.format_date(instant, "long", locale=_locale(locale))) if instant is not None else ""


def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale("en")
