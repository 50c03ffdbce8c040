"""Plugins that look on, made of functions of a test and loaded as any other."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from typing import Any

from appliance import hookimpl
from appliance import hooks
from appliance import hookspecs
from appliance import observers
from appliance import queries
from appliance.observed import ErrorFacts
from appliance.observed import Span
from appliance.observed import SpansWanted
from appliance.settings import Settings

Hooks = dict[str, Callable[..., Any]]
ALL = SpansWanted(1000, queries_from_ms=None)


@contextmanager
def loaded(*plugins: Hooks) -> Iterator[None]:
    """Let these functions be the hooks of a plugin each, in a process that is started; without any again at the end."""
    names = [f"looks_on_{id(plugins)}_{number}" for number in range(len(plugins))]
    for name, implemented in zip(names, plugins, strict=True):
        module = types.ModuleType(name)
        for hook, function in implemented.items():
            setattr(module, hook, hookimpl(specname=hook)(function))
        sys.modules[name] = module
    points = [EntryPoint(f"looks{number}", name, hookspecs.GROUP) for number, name in enumerate(names)]
    found = hooks.load(Settings(), points=points)
    assert {one.status for one in found} <= {hooks.Status.READY}, found
    _ask()
    try:
        yield
    finally:
        observers.stop()
        hooks.load(Settings(), points=())
        _ask()
        for name in names:
            del sys.modules[name]


def _ask() -> None:
    observers.ask()
    queries.watch(slow_ms=0)


def of_spans(wanted: SpansWanted = ALL) -> tuple[list[Span], Hooks]:
    """A plugin that wants these steps, and what it was told."""
    seen: list[Span] = []

    def spans_ended(spans: list[Span]) -> None:
        seen.extend(spans)

    return seen, {"spans_wanted": lambda: wanted, "spans_ended": spans_ended}


def of_errors() -> tuple[list[tuple[BaseException, ErrorFacts]], Hooks]:
    """A plugin that wants errors, and what it was told."""
    seen: list[tuple[BaseException, ErrorFacts]] = []

    def error_noticed(error: BaseException, facts: ErrorFacts) -> None:
        seen.append((error, facts))

    return seen, {"error_noticed": error_noticed}
