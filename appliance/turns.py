"""Taking turns at writing to SQLite, which lets one write at a time: who waits comes next.

By itself SQLite lets whoever waits look again after ever longer pauses, up to a tenth of a second, and somebody who writes one thing after the
other is always there before them. So those who write much take turns: who waits holds the door, and who wrote queues behind. It is
politeness alone: nothing goes wrong when somebody writes without it. On PostgreSQL there is nothing to wait for.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from appliance import database

LOOK_EVERY_S = 0.0005
PATIENCE_S = 20.0
"""After this long one goes on without a turn, and SQLite says what is the matter."""


@contextmanager
def taken() -> Iterator[None]:
    """Wait for a turn, and have it until the end; not to be taken inside a transaction."""
    file = database.file()
    if file is None:
        yield
        return
    deadline = time.monotonic() + PATIENCE_S
    door = _held(f"{file}-door", deadline)
    try:
        turn = _held(f"{file}-turn", deadline)
    finally:
        os.close(door)
    try:
        yield
    finally:
        os.close(turn)


def awaited() -> bool:
    """Whether somebody waits for this turn to end."""
    file = database.file()
    if file is None:
        return False
    door = _opened(f"{file}-door")
    try:
        return not _locks(door)
    finally:
        os.close(door)


def _held(path: str, deadline: float) -> int:
    """The file, locked; without a lock after the deadline."""
    descriptor = _opened(path)
    # Not by waiting in the kernel: that cannot be ended, should whoever has the turn never end it.
    while not _locks(descriptor) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    return descriptor


def _opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locks(descriptor: int) -> bool:
    try:
        # The kernel lets go of it when the file is closed, also by a process that is killed.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
