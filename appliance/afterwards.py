"""Hints that are given once a transaction is committed, which peewee tells nobody: for what is written so deep in an act that nobody up there knows of it.

A process may die in between, so nothing that must happen hangs on it.
"""

import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 10
"""So many of one transaction: a hint may cost a write of its own, and many acts may share a transaction that is to be quick."""


class _Waiting(threading.local):
    hints: list[Callable[[], object]] | None = None


_waiting = _Waiting()


def give(hint: Callable[[], object]) -> None:
    """Call *hint* when the transaction of this thread is committed, and never if it is not; at once without one."""
    if _waiting.hints is None:
        hint()
    elif len(_waiting.hints) < MOST:
        _waiting.hints.append(hint)


@contextmanager
def committed() -> Iterator[None]:
    """Around a transaction that is in no other."""
    hints: list[Callable[[], object]] = []
    _waiting.hints = hints
    try:
        yield
    finally:
        _waiting.hints = None
    for hint in hints:
        hint()
