"""A crowd of bounded size for a bounded time: each of them acts, waits a little, and acts again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.load.client import TIMEOUT_S
from tests.load.client import Client
from tests.load.client import Failed
from tests.load.journal import Journal
from tests.load.people import Buyer
from tests.load.people import Intruder
from tests.load.people import Listener
from tests.load.people import Uploader

MOST = 200
LONGEST_S = 3600.0


class Person(Protocol):
    """Who acts."""

    def act(self) -> None:
        """Once; ``Failed`` is noted already."""


@dataclass(frozen=True)
class Stage:
    """Where the crowd acts, and as whom."""

    base: str
    artist: str
    """The slug of the artist who uploads."""
    artist_id: str
    artist_token: str
    fan_token: str
    fan_email: str
    closed: Sequence[str] = ()
    """Tracks that somebody without an account must not hear."""
    ca: str = ""
    timeout_s: float = TIMEOUT_S


class Crowd:
    """The threads of a load; used with ``with``, which ends them."""

    def __init__(self, stage: Stage, path: Path, *, seed: int = 0) -> None:
        self.stage, self.path = stage, path
        self._journal = Journal(path)
        self._dice = random.Random(seed)
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.broken: list[BaseException] = []

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self,
        *,
        listeners: int = 4,
        uploaders: int = 1,
        buyers: int = 1,
        intruders: int = 1,
        pause_s: float = 0.5,
        upload_pause_s: float | None = None,
        longest_s: float = 600.0,
    ) -> None:
        """Let so many act, each with a pause of about *pause_s* (or *upload_pause_s*) between two acts, until ``stop`` and no longer than *longest_s*."""
        if listeners + uploaders + buyers + intruders > MOST or longest_s > LONGEST_S:
            raise ValueError(f"a load has at most {MOST} people and takes at most {LONGEST_S:g} s")
        ends_at = time.monotonic() + longest_s
        stage = self.stage
        kinds: list[tuple[int, Callable[[random.Random], Person]]] = [
            (listeners, lambda dice: Listener(self.client(), dice)),
            (uploaders, lambda dice: Uploader(self.client(stage.artist_token), dice, stage.artist)),
            (
                buyers,
                lambda dice: Buyer(self.client(stage.fan_token), dice, stage.artist_id, stage.fan_email),
            ),
            (
                intruders if stage.closed else 0,
                lambda dice: Intruder(self.client(), dice, list(stage.closed)),
            ),
        ]
        for kind, (count, make) in enumerate(kinds):
            waits_s = upload_pause_s if kind == 1 and upload_pause_s is not None else pause_s
            for _ in range(count):
                dice = random.Random(self._dice.random())
                self._threads.append(
                    threading.Thread(
                        target=self._go_on, args=(make(dice), dice, waits_s, ends_at), daemon=True
                    )
                )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let everybody finish what is in hand."""
        self._over.set()
        for thread in self._threads:
            thread.join(120)
        self._threads.clear()
        self._journal.close()
        if self.broken:
            raise self.broken[0]

    def client(self, token: str = "") -> Client:
        """One more of them."""
        return Client(
            self.stage.base, self._journal, token=token, ca=self.stage.ca, timeout_s=self.stage.timeout_s
        )

    def _go_on(self, person: Person, dice: random.Random, pause_s: float, ends_at: float) -> None:
        while not self._over.is_set() and time.monotonic() < ends_at:
            try:
                person.act()
            except Failed:
                pass  # It stands in the journal.
            except BaseException as error:
                self.broken.append(error)
                return
            self._over.wait(pause_s * (0.5 + dice.random()))
