"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.05


def until(look: Callable[[], T], told: str = "it never came true", *, patience_s: float = PATIENCE_S) -> T:
    """What *look* sees as soon as it is something; fails with what is *told* when it stays nothing.

    Also for pages: Playwright's own waiting evaluates a text in the page, which the page's policy forbids.
    """
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, told
        time.sleep(LOOK_EVERY_S)
    return found
