"""Letters about memberships that are paid for: which are due follows from how things stand, and each is written once.

Nothing that settles a payment writes a letter, since it may run any number of times; a chore looks what was not written yet.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urljoin

import peewee
from babel import Locale
from babel import dates
from babel import numbers

from appliance import mail
from appliance import startup
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.currencies import DIGITS
from appliance.database import transaction
from appliance.memberships import subscriptions
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import ActKind
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import PaymentAsked
from appliance.memberships.subscription_models import PaymentFailure
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_models import SubscriptionLetter
from appliance.memberships.subscription_rights import GRACE
from appliance.memberships.subscription_states import RUNNING
from appliance.memberships.subscription_states import Stage
from appliance.memberships.subscription_states import stage

DUNNING = (("due_first", timedelta()), ("due_second", timedelta(days=3)), ("due_last", timedelta(days=7)))
"""How long after the first try that failed each letter goes out."""
BY_THEMSELVES = {"due_first": "unpaid_first", "due_second": "unpaid_second", "due_last": "unpaid_last"}
"""What the letters are called for whom nobody can charge, as who pays by transfer."""
NEWS_FOR = timedelta(days=2)
"""What happened longer ago is no news any more, should nobody have written letters for so long."""
DUE_FOR = timedelta(days=14)
UNTOLD = timedelta(days=1)
"""How long the payment that failed is waited to be told of, before its letter goes out without its name."""
AT_ONCE = 500
PAGE = "{root}/memberships/{id}"
"""Where the page of a membership is."""


@dataclass(frozen=True, slots=True)
class Due:
    """A letter that is due: its *step* and *occasion* make it one; the *facts* are what only this letter says."""

    step: str
    occasion: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    """Its time has passed: it is noted, and a later one is written."""
    kind: str = ""
    """What the letter is called, where that is not its step."""
    url: str = ""
    """Where it leads, or a path of this server, where that is not the page of the membership."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a subscription's letters depend on, beside its row."""

    member: bool
    failures: Sequence[PaymentFailure]
    asked: PaymentAsked | None
    changes: Sequence[SubscriptionAct]
    written: frozenset[tuple[str, str]]
    last: Mapping[str, datetime]


def write_due(*, collective: str, now: datetime) -> list[str]:
    """Write down every letter that is due, and return the jobs that send them, to be sent after the commit."""
    rows = list(
        Subscription.select(Subscription, Tier, Artist, User)
        .join(Tier, on=Subscription.tier)
        .switch(Subscription)
        .join(Artist, on=Subscription.artist)
        .switch(Subscription)
        .join(User, on=Subscription.user)
        .where(
            (Subscription.state == Stage.PAST_DUE)
            | (Subscription.updated_at > now - NEWS_FOR)
            | Subscription.id.in_(_asked(now)),
            User.active,
        )
        .order_by(Subscription.id)
    )
    jobs: list[str] = []
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        seen = _seen([row.id for row in part])
        for row in part:
            for due in letters_due(row, seen[row.id], now=now):
                jobs += _write(row, due, collective=collective, now=now)
    return jobs


def letters_due(row: Subscription, seen: Seen, *, now: datetime) -> list[Due]:
    """Pure: the letters about this subscription, tier joined, that were not written yet."""
    return [due for due in _all(row, seen, now=now) if (due.step, due.occasion) not in seen.written]


def _all(row: Subscription, seen: Seen, *, now: datetime) -> Iterable[Due]:
    where = stage(row.state, row.cancel_at)
    if where in RUNNING and seen.member:
        price = row.price_minor if row.pending_price_minor is None else row.pending_price_minor
        at = row.period_end or row.trial_end
        yield Due(_first(row, seen), facts={"price": _price(row, price), "day": _day(row, at)})
    if where in {Stage.TRIALING, Stage.ACTIVE} and seen.asked is not None and now < seen.asked.due_at:
        yield Due(
            "asked",
            seen.asked.reference,
            _invoiced(row, seen.asked) | {"day": _day(row, seen.asked.due_at)},
            url=seen.asked.url,
        )
    for act in seen.changes:
        yield _changed(row, act)
    if where is Stage.CANCELLING:
        yield Due("cancelled", row.cancel_at.isoformat(), {"day": _day(row, row.cancel_at)})
    over = where is Stage.ENDED and seen.member and ("twice", "") not in seen.written
    if over and row.ended_at and now - row.ended_at < NEWS_FOR:
        yield Due("ended")
    if where is Stage.PAST_DUE and row.past_due_since is not None:
        yield from _dunning(row, seen, row.past_due_since, now=now)


def _first(row: Subscription, seen: Seen) -> str:
    """The first letter; to whom paid at a till that nobody waited for any more, what becomes of that."""
    if row.given_up_at is None or ("welcome", "") in seen.written:
        return "welcome"
    # Beside the membership that was paid for meanwhile, this one is ended and its money goes back.
    twice = not row.current and ("late", "") not in seen.written
    return "twice" if twice else "late"


def _changed(row: Subscription, act: SubscriptionAct) -> Due:
    facts = {
        "tier": act.tier.name if act.tier else "",
        "paid": _price(row, act.due_now_minor or 0),
        "price": _price(row, act.next_minor or 0),
        "day": _day(row, act.next_at),
    }
    return Due("changed" if act.at_once else "will_change", act.id, facts)


def _dunning(row: Subscription, seen: Seen, since: datetime, *, now: datetime) -> Iterable[Due]:
    """The last of the letters whose day has come; those before it that were never written are only noted."""
    if not since <= now < since + DUE_FOR:
        return
    failed = min(
        (one for one in seen.failures if one.first_failed_at >= since),
        key=lambda one: one.first_failed_at,
        default=None,
    )
    if failed is None and now - since < UNTOLD:
        return
    facts = {"price": _price(row, failed.amount_minor if failed else row.price_minor)}
    if seen.asked is not None:
        facts = _invoiced(row, seen.asked)
    facts["day"] = _day(row, since + GRACE)
    come = [step for step, wait in DUNNING if since + wait <= now]
    for step in come:
        # Written already, when the name of the payment was not known yet.
        if seen.last.get(step) is not None and seen.last[step] >= since:
            continue
        yield Due(
            step,
            failed.reference if failed else "",
            facts,
            silent=step != come[-1],
            # Nobody can take it from a card: who pays by themselves is told how.
            kind=BY_THEMSELVES[step] if seen.asked is not None else "",
            url=seen.asked.url if seen.asked is not None else "",
        )


def _invoiced(row: Subscription, asked: PaymentAsked) -> dict[str, str]:
    return {"price": _price(row, asked.amount_minor), "reference": asked.words}


def _write(row: Subscription, due: Due, *, collective: str, now: datetime) -> list[str]:
    to = row.user.email if row.user else ""
    with transaction():
        made = (
            SubscriptionLetter.insert(
                subscription=row.id, step=due.step, occasion=due.occasion, written_at=now
            )
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )
        if not made or due.silent or not to:
            return []
        root = startup.appliance().settings.public_url.rstrip("/") or row.root
        facts = {
            "collective": collective,
            "artist": row.artist.name,
            "tier": row.tier.name,
            "link": urljoin(root, due.url) if due.url else PAGE.format(root=root, id=row.id),
            **due.facts,
        }
        kind = f"membership_{due.kind or due.step}"
        return [mail.send(kind, to, facts=facts, locale=row.locale, now=now)]


def _asked(now: datetime) -> "peewee.ModelSelect[PaymentAsked]":
    """The subscriptions whose members are asked to pay, and have some time to do so."""
    return PaymentAsked.select(PaymentAsked.subscription).where(PaymentAsked.open, PaymentAsked.due_at > now)


def _seen(ids: list[str]) -> dict[str, Seen]:
    members = {row.id for row in Membership.select(Membership.id).where(Membership.id.in_(ids))}
    failures: dict[str, list[PaymentFailure]] = {key: [] for key in ids}
    for failure in PaymentFailure.select().where(PaymentFailure.subscription.in_(ids)):
        failures[failure.subscription_id].append(failure)
    asked = subscriptions.asked_for(ids)
    changes: dict[str, list[SubscriptionAct]] = {key: [] for key in ids}
    acts = SubscriptionAct.select(SubscriptionAct, Tier).join(Tier, on=SubscriptionAct.tier)
    for act in acts.where(
        SubscriptionAct.subscription.in_(ids),
        SubscriptionAct.kind == ActKind.CHANGE,
        SubscriptionAct.state == ActState.DONE,
    ):
        changes[act.subscription_id].append(act)
    written: dict[str, set[tuple[str, str]]] = {key: set() for key in ids}
    last: dict[str, dict[str, datetime]] = {key: {} for key in ids}
    for letter in SubscriptionLetter.select().where(SubscriptionLetter.subscription.in_(ids)):
        written[letter.subscription_id].add((letter.step, letter.occasion))
        known = last[letter.subscription_id].get(letter.step)
        last[letter.subscription_id][letter.step] = max(known or letter.written_at, letter.written_at)
    return {
        key: Seen(
            key in members, failures[key], asked.get(key), changes[key], frozenset(written[key]), last[key]
        )
        for key in ids
    }


def _price(row: Subscription, amount_minor: int) -> str:
    amount = Decimal(amount_minor).scaleb(-DIGITS[row.currency])
    return str(numbers.format_currency(amount, row.currency, locale=_locale(row)))


def _day(row: Subscription, instant: datetime | None) -> str:
    return str(dates.format_date(instant, "long", locale=_locale(row))) if instant is not None else ""


def _locale(row: Subscription) -> Locale:
    return Locale.parse(row.locale.replace("-", "_"))
