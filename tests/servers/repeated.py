"""People who do one thing again and again, each in a thread, until the block is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Iterable


class Repeated:
    """Each of the *acts*, over and over; an act that raises ends, and pytest tells of it."""

    def __init__(self, acts: Iterable[Callable[[], object]]) -> None:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._go_on, args=(act,)) for act in acts]

    def __enter__(self) -> Repeated:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, act: Callable[[], object]) -> None:
        while not self._over.is_set():
            act()
