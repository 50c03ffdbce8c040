"""Statements of the database that take long: noted with what asked for them, never with their values."""

import logging
import math
import re
import time
from typing import Any

import peewee

from appliance import observers
from appliance import traces
from appliance.database import proxy

log = logging.getLogger(__name__)

CALLED = {"request": "route", "job": "kind"}
"""What a kind of work is called by, in lines of the log."""
LONGEST_TEXT = 2000
_MANY = re.compile(r"(\?|%s)(?:, ?(?:\?|%s))+")
_TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE|TABLE)\s+"?(\w+)', re.IGNORECASE)


def watch(*, slow_ms: int) -> None:
    """Note each statement from now on that takes *slow_ms* milliseconds (0: none), and tell those who look on of what they want.

    Where nobody wants any, none is looked at, which then costs nothing.
    """
    wanted_ms = observers.queries_from_ms()
    slow_s = slow_ms / 1000 if slow_ms else math.inf
    step_s = wanted_ms / 1000 if wanted_ms is not None else math.inf

    def told(event: Any) -> None:
        if event.duration >= slow_s:
            _note(event)
        if event.duration >= step_s:
            _tell(event)

    proxy.obj.query_hooks[:] = [told] if slow_ms or wanted_ms is not None else []


def text_of(sql: str) -> str:
    """Pure: a statement as it may be told: places for values, many of them as one, and not without end."""
    shown = _MANY.sub(r"\1, …", " ".join(sql.split()))
    return shown if len(shown) <= LONGEST_TEXT else f"{shown[:LONGEST_TEXT]}…"


def summary_of(sql: str) -> str:
    """Pure: what a statement does and to which table, such as ``SELECT track``."""
    verb = sql.split(None, 1)[0].upper() if sql.strip() else ""
    table = _TABLE.search(sql)
    return f"{verb} {table[1]}" if table else verb


def _note(event: Any) -> None:
    work = traces.current()
    told = {
        "ms": round(event.duration * 1000, 1),
        "summary": summary_of(event.sql),
        "sql": text_of(event.sql),
    }
    if work is not None:
        told[CALLED.get(work.kind, work.kind)] = work.name
    if event.exception is not None:
        told["failed"] = type(event.exception).__name__
    log.warning("slow query", extra=told)


def _tell(event: Any) -> None:
    work = traces.current()
    if work is None or work.place is None or not work.place.sampled or next(work.queries_told, None) is None:
        return
    ended_at_ns = time.time_ns()
    observers.span(
        "query",
        summary_of(event.sql),
        traces.next_step(work.place),
        before=work.place,
        started_at_ns=ended_at_ns - int(event.duration * 1_000_000_000),
        ended_at_ns=ended_at_ns,
        error=type(event.exception).__name__ if event.exception is not None else "",
        engine="sqlite" if isinstance(proxy.obj, peewee.SqliteDatabase) else "postgresql",
        sql=text_of(event.sql),
    )
