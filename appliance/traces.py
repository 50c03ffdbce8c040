"""What a thread works on: a request, a job or a chore; the id it goes by in every line of the log, and its place in a trace.

A request id is made where a request comes in and goes with every job that the request gives reason for. A trace is that of W3C Trace
Context (w3.org/TR/trace-context): 16 bytes for the whole, 8 for each step, and whether anybody keeps it.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from dataclasses import field

MOST_QUERIES = 500
"""So many statements of the database are steps of one work; the rest would crowd out those of others."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
# Version 00; what a later version adds stands behind it, after a dash (section 3.2.4).
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Place:
    """One step of a trace."""

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def parent(self) -> str:
        """This step as the parent of the next one: the value of a ``traceparent``."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


@dataclass(frozen=True, slots=True)
class Work:
    """What is worked on: its *kind* (``request``, ``job``, ``chore``), what it is called (a pattern of addresses, a kind of job), and its ids."""

    kind: str
    name: str
    request_id: str = ""
    job_id: str = ""
    place: Place | None = None
    queries_told: Iterator[int] = field(
        default_factory=lambda: iter(range(MOST_QUERIES)), compare=False, repr=False
    )


_work: ContextVar[Work | None] = ContextVar("work", default=None)


def current() -> Work | None:
    """What this thread works on, where that is known."""
    return _work.get()


def take_up(work: Work | None) -> Work | None:
    """Let this thread work on *work* from now on, and return what it worked on before."""
    before = _work.get()
    _work.set(work)
    return before


@contextmanager
def working(work: Work) -> Iterator[None]:
    """Let this thread work on *work* until the block ends."""
    before = take_up(work)
    try:
        yield
    finally:
        take_up(before)


def request_id() -> str:
    """The id of the request that this work goes back to; empty where there is none."""
    work = _work.get()
    return work.request_id if work else ""


def parent() -> str:
    """The ``traceparent`` of what is begun now; empty outside of a trace."""
    work = _work.get()
    return work.place.parent if work and work.place else ""


def is_kept() -> bool:
    """Whether this work is a step of a trace that somebody keeps."""
    work = _work.get()
    return bool(work and work.place and work.place.sampled)


def new_request_id() -> str:
    """A fresh id, of the same form as those of nginx."""
    return secrets.token_hex(16)


def is_request_id(text: str) -> bool:
    """Pure: whether *text* can be the id of a request: long enough to be unlike others, and nothing that a log would trip over."""
    return _REQUEST_ID.fullmatch(text) is not None


def reference(request_id: str) -> str:
    """Pure: the part of an id that people can read to each other; its end, since other programs begin theirs with the time."""
    return request_id[-8:]


def place_of(traceparent: str) -> Place | None:
    """Pure: the step that a ``traceparent`` names; ``None`` for what is none."""
    found = _PARENT.fullmatch(traceparent)
    if found is None or (traceparent.startswith("00") and found[4]):
        return None
    return Place(found[1], found[2], sampled=bool(int(found[3], 16) & 1))


def next_step(before: Place) -> Place:
    """A step after *before*, in its trace."""
    return Place(before.trace_id, new_span_id(), before.sampled)


def new_trace_id() -> str:
    """16 random bytes; all zero would be none (section 3.2.2.3)."""
    return f"{secrets.randbits(128) or 1:032x}"


def new_span_id() -> str:
    """8 random bytes, never all zero."""
    return f"{secrets.randbits(64) or 1:016x}"
