"""What a test tells the fake: how time passes, what goes wrong, what people and banks do, how webhooks travel."""

from __future__ import annotations

import copy
from typing import Any

from tests.servers.stripe import checkout
from tests.servers.stripe import connect
from tests.servers.stripe import deliveries
from tests.servers.stripe import money
from tests.servers.stripe import schedules
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import missing
from tests.servers.stripe.world import World


def act(world: World, verb: str, said: Thing) -> Any:
    """Do *verb* with what was said."""
    handler = ACTS.get(verb)
    if handler is None:
        raise missing(verb)
    return handler(world, **said)


def _forget(world: World) -> Thing:
    world.forget()
    return {}


def _forget_keys(world: World) -> Thing:
    """As after a day: idempotency keys stand for nothing any more."""
    world.answers.clear()
    return {}


def _advance(world: World, seconds: int = 0, days: int = 0, to: int = 0) -> Thing:
    schedules.advance(world, to or world.now() + seconds + days * 86_400)
    return {"now": world.now()}


def _freeze(world: World, at: int) -> Thing:
    world.frozen_at = at
    return {"now": at}


def _fault(world: World, match: str, kind: str, times: int = 1, seconds: float = 0.0) -> Thing:
    """*kind* for requests whose method and path hold *match*: 429, 500, declined, drop_before, drop_after, hang."""
    world.faults.append({"match": match, "kind": kind, "times": times, "seconds": seconds})
    return {}


def _pay(world: World, session: str, card: str = "pm_card_visa", **more: Any) -> Thing:
    return checkout.pay(world, world.get(session, "checkout.session"), card=card, **more)


def _arrive(world: World, session: str, well: bool) -> Thing:
    return checkout.arrive(world, world.get(session, "checkout.session"), well=well)


def _card(world: World, customer: str, card: str) -> Thing:
    return checkout.give_card(world, customer, card)


def _dispute(world: World, payment_intent: str, status: str = "needs_response") -> Thing:
    paid = world.get(payment_intent, "payment_intent")
    return money.dispute(world, world.get(paid["latest_charge"], "charge"), status=status)


def _dispute_over(world: World, dispute: str, won: bool) -> Thing:
    return money.dispute_over(world, dispute, won=won)


def _refund_failed(world: World, refund: str) -> Thing:
    return money.refund_failed(world, refund)


def _onboarded(world: World, account: str, well: bool = True) -> Thing:
    return connect.onboarded(world, account, well=well)


def _settle_fees(world: World) -> Thing:
    world.late_fees = False
    money.settle_fees(world)
    return {}


def _conditions(
    world: World,
    late_fees: bool | None = None,
    tax_bps: int | None = None,
    both_capabilities: bool | None = None,
    rates: dict[str, list[Any]] | None = None,
) -> Thing:
    """How the account is: fees told late, taxes reckoned, payees that must take cards too, currencies exchanged (``{"usd": ["eur", 9, 10]}``)."""
    if late_fees is not None:
        world.late_fees = late_fees
    if both_capabilities is not None:
        world.both_capabilities = both_capabilities
    if tax_bps is not None:
        world.tax_bps = tax_bps
    for currency, (into, up, down) in (rates or {}).items():
        world.rates[currency] = (str(into), int(up), int(down))
    return {}


def _sending(world: World, **how: Any) -> Thing:
    seed = how.pop("seed", None)
    if seed is not None:
        world.chance.seed(seed)
    world.sending.update(how)
    return dict(world.sending)


def _outbox(world: World, at: int | None = None) -> list[Thing]:
    """What waits, signed *at* an instant, for a test that carries it itself."""
    return [deliveries.signed(message, at=at) for message in deliveries.taken(world)]


def _requests(world: World) -> list[Thing]:
    return copy.deepcopy(world.requests)


def _things(world: World, kind: str) -> list[Thing]:
    return copy.deepcopy(world.every(kind))


def _touch(world: World, thing: str, **fields: Any) -> Thing:
    found = world.get(thing)
    found.update(fields)
    return found


ACTS = {
    "forget": _forget,
    "forget_keys": _forget_keys,
    "advance": _advance,
    "freeze": _freeze,
    "fault": _fault,
    "pay": _pay,
    "arrive": _arrive,
    "card": _card,
    "dispute": _dispute,
    "dispute_over": _dispute_over,
    "refund_failed": _refund_failed,
    "onboarded": _onboarded,
    "settle_fees": _settle_fees,
    "conditions": _conditions,
    "sending": _sending,
    "outbox": _outbox,
    "requests": _requests,
    "things": _things,
    "touch": _touch,
}
