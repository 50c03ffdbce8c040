"""What plugins that look on are told: errors that nobody expected, and the steps of traces; in our words, and nothing personal."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """Where an error came up: in a ``request``, a ``job`` or a ``chore`` (*kind*), and what that is called: a pattern of addresses, a kind of job."""

    kind: str
    name: str
    request_id: str = ""
    trace_id: str = ""
    method: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class SpansWanted:
    """Which steps a plugin wants to be told of.

    *per_1000* of a thousand traces that begin here; one that began elsewhere is kept when it was there. *queries_from_ms*: statements of the
    database that take so long, 0 for all, ``None`` for none.
    """

    per_1000: int
    queries_from_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """One step of a trace that is over: a ``request``, the time of a job in the ``queue``, a ``job``, a ``query``.

    Ids are those of W3C Trace Context in hexadecimal, instants nanoseconds since 1970. *name* is one of few: a method and a pattern of addresses, a
    kind of job, a verb and a table. So are *facts*: ``method``, ``status``; ``attempt``, ``outcome``; ``engine``, ``sql``. *error* is the
    class of what went wrong.
    """

    kind: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    started_at_ns: int
    ended_at_ns: int
    facts: Mapping[str, str | int] = field(default_factory=dict)
    error: str = ""
