"""How a subscription moves: one table, from where one is and what happens to where one is then. Pure.

The provider decides what happens; its word is taken even where the table knows no such move, since a fact may have been missed. What a
member may ask for is decided here.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from appliance.errors import N_
from appliance.errors import Conflict
from appliance.payments import SubscriptionState


class Stage(StrEnum):
    """Where a subscription is: its state at the provider, and whether it is to end."""

    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    CANCELLING = "cancelling"
    """Paid for, or on trial, and not to be renewed."""
    PAST_DUE = "past_due"
    PAUSED = "paused"
    ENDED = "ended"


class Move(StrEnum):
    """What can happen: the first are asked for by the member, the others are told by the provider."""

    CHANGE = "change"
    CANCEL = "cancel"
    END = "end"
    RESUME = "resume"
    PAUSE = "pause"
    MEND = "mend"
    TRIAL = "trial"
    PAID = "paid"
    FAILED = "failed"
    RAN_OUT = "ran_out"


ASKED = (Move.CHANGE, Move.CANCEL, Move.END, Move.RESUME, Move.PAUSE, Move.MEND)
"""What the member asks for."""
MOVES: Mapping[Stage, Mapping[Move, frozenset[Stage]]] = {
    Stage.INCOMPLETE: {
        Move.TRIAL: frozenset({Stage.TRIALING}),
        Move.PAID: frozenset({Stage.ACTIVE}),
        Move.RAN_OUT: frozenset({Stage.ENDED}),
    },
    Stage.TRIALING: {
        Move.CHANGE: frozenset({Stage.TRIALING}),
        Move.CANCEL: frozenset({Stage.CANCELLING}),
        Move.END: frozenset({Stage.ENDED}),
        Move.MEND: frozenset({Stage.TRIALING}),
        Move.PAID: frozenset({Stage.ACTIVE}),
        Move.FAILED: frozenset({Stage.PAST_DUE}),
    },
    Stage.ACTIVE: {
        Move.CHANGE: frozenset({Stage.ACTIVE}),
        Move.CANCEL: frozenset({Stage.CANCELLING}),
        Move.END: frozenset({Stage.ENDED}),
        Move.PAUSE: frozenset({Stage.PAUSED}),
        Move.MEND: frozenset({Stage.ACTIVE}),
        Move.PAID: frozenset({Stage.ACTIVE}),
        Move.FAILED: frozenset({Stage.PAST_DUE}),
    },
    Stage.CANCELLING: {
        Move.RESUME: frozenset({Stage.ACTIVE, Stage.TRIALING}),
        Move.END: frozenset({Stage.ENDED}),
        Move.MEND: frozenset({Stage.CANCELLING}),
        Move.RAN_OUT: frozenset({Stage.ENDED}),
    },
    Stage.PAST_DUE: {
        Move.END: frozenset({Stage.ENDED}),
        Move.MEND: frozenset({Stage.PAST_DUE}),
        Move.PAID: frozenset({Stage.ACTIVE}),
        Move.FAILED: frozenset({Stage.PAST_DUE}),
        Move.RAN_OUT: frozenset({Stage.ENDED}),
    },
    Stage.PAUSED: {
        Move.RESUME: frozenset({Stage.ACTIVE, Stage.PAST_DUE}),
        Move.END: frozenset({Stage.ENDED}),
        Move.MEND: frozenset({Stage.PAUSED}),
        Move.RAN_OUT: frozenset({Stage.ENDED}),
    },
    Stage.ENDED: {},
}
"""From each stage, what can happen and where that may lead."""
RUNNING = frozenset(Stage) - {Stage.INCOMPLETE, Stage.ENDED}
"""Where a subscription asks for money, or will again."""
REFUSED = {
    Stage.INCOMPLETE: N_("This membership was not paid yet; there is nothing to change."),
    Stage.TRIALING: N_("That cannot be done while the membership is tried."),
    Stage.ACTIVE: N_("This membership runs; there is nothing to take back."),
    Stage.CANCELLING: N_("This membership is cancelled; take that back first."),
    Stage.PAST_DUE: N_("A payment for this membership is due; mend that first."),
    Stage.PAUSED: N_("This membership is paused; go on with it first."),
    Stage.ENDED: N_("This membership is over; join again."),
}
"""What is told to whom asks for what does not go, by where they are."""
RANK = {state: rank for rank, state in enumerate(SubscriptionState)}
"""Of two words of the same instant the one further on holds; any order will do that is always the same."""


def stage(state: str, cancel_at: datetime | None) -> Stage:
    """Where a subscription of this *state* is, which is to end at *cancel_at*."""
    if cancel_at is not None and state in {SubscriptionState.TRIALING, SubscriptionState.ACTIVE}:
        return Stage.CANCELLING
    return Stage(state)


def may(where: Stage, move: Move) -> bool:
    """Whether *move* can happen there."""
    return move in MOVES[where]


def require(where: Stage, move: Move) -> None:
    """``Conflict``, with a sentence that says why, unless *move* can be asked for there."""
    if not may(where, move):
        raise Conflict(REFUSED[where])
