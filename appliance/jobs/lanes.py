"""Lanes: kinds of jobs that must not wait for each other, each with a queue and threads of its own.

A flood of music to transcode keeps no letter waiting, and a receiver that hangs keeps no payment waiting. Whoever names a kind of job says its
lane; what plugins add is in a lane of its own unless they say another.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from appliance.errors import Invalid


class Lane(StrEnum):
    """What its jobs do."""

    TRANSCODE = "transcode"
    MAIL = "mail"
    WEBHOOKS = "webhooks"
    ANALYTICS = "analytics"
    PLUGINS = "plugins"


REST = Lane.PLUGINS
"""The lane of kinds that say none."""
_of_kind: dict[str, Lane] = {}
_current: ContextVar[Lane] = ContextVar("lane", default=REST)


def kind(name: str, lane: Lane) -> str:
    """The name of a kind of job, declared to be in *lane*."""
    _of_kind[name] = lane
    return name


def of(name: str) -> Lane:
    """The lane of a kind of job."""
    return _of_kind.get(name, REST)


def kinds(lane: Lane | None = None) -> list[str]:
    """The kinds that are declared to be in *lane*; without one, those that are declared to be in another than the rest."""
    return [name for name, its in _of_kind.items() if (its is lane if lane else its is not REST)]


def current() -> Lane:
    """The lane whose queue is spoken to."""
    return _current.get()


def stay_on(lane: Lane) -> None:
    """From now on this thread speaks to the queue of *lane*."""
    _current.set(lane)


@contextmanager
def on(lane: Lane) -> Iterator[None]:
    """Speak to the queue of *lane* meanwhile."""
    before = _current.set(lane)
    try:
        yield
    finally:
        _current.reset(before)


def named(names: Iterable[str]) -> tuple[Lane, ...]:
    """The lanes of these names, all when there is none; ``Invalid`` names one that does not exist."""
    wanted = dict.fromkeys(names)
    wrong = next((name for name in wanted if name not in set(Lane)), None)
    if wrong is not None:
        raise Invalid(
            "There is no lane '{lane}'; there are {lanes}.",
            lane=wrong,
            lanes=", ".join(Lane),
            field="worker_lanes",
        )
    return tuple(map(Lane, wanted)) or tuple(Lane)
