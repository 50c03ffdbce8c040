"""The threads of a worker: some for each of its lanes, kept for it."""

import logging
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from huey.consumer import Consumer
from huey.consumer import Scheduler
from huey.consumer import Worker

from appliance import database
from appliance.jobs import lanes
from appliance.jobs.lanes import Lane
from appliance.jobs.queue import huey

SAID_EVERY_S = 60.0
OF_THE_QUEUE = frozenset({"Error reading from queue", "Error reading schedule."})
"""What Huey says for each time that the queue does not answer: each thread several times a second, with a stack."""


class Seldom(logging.Filter):
    """That the queue is away is said once a minute, since a queue may be away for hours, and the disk is not for that."""

    def __init__(self) -> None:
        super().__init__()
        self._lock, self._said_at = threading.Lock(), dict.fromkeys(OF_THE_QUEUE, 0.0)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        if record.msg not in OF_THE_QUEUE:
            return True
        with self._lock:
            now = time.monotonic()
            if self._said_at[record.msg] and now < self._said_at[record.msg] + SAID_EVERY_S:
                return False
            self._said_at[record.msg] = now
        return True


_filter = Seldom()


def _seldom(logger: logging.Logger) -> logging.Logger:
    logger.addFilter(_filter)
    return logger


class LaneWorker(Worker):  # type: ignore[misc]
    """A thread of a lane; between two jobs it keeps no connection from those who work."""

    lane: Lane

    def create_logger(self) -> logging.Logger:
        """The one of all workers."""
        return _seldom(super().create_logger())

    def initialize(self) -> None:
        """Speak to the queue of the lane from now on."""
        lanes.stay_on(self.lane)

    def loop(self, now: datetime | None = None) -> None:
        """One message, if there is one."""
        super().loop(now)
        database.let_go()

    def shutdown(self) -> None:
        """The connections that are this thread's own."""
        huey.storage.close_lane()
        database.close_thread()


class LaneScheduler(Scheduler):  # type: ignore[misc]
    """The thread that looks for what is to be tried again."""

    lane: Lane

    def create_logger(self) -> logging.Logger:
        """The one of all such threads."""
        return _seldom(super().create_logger())

    def initialize(self) -> None:
        """Speak to the queue of the lane from now on."""
        lanes.stay_on(self.lane)


class LaneConsumer(Consumer):  # type: ignore[misc]
    """What works for one lane: its threads, and one that looks for what is to be tried again."""

    def __init__(self, lane: Lane, **options: Any) -> None:
        self.worker_class = type("LaneWorker", (LaneWorker,), {"lane": lane})
        self.scheduler_class = type("LaneScheduler", (LaneScheduler,), {"lane": lane})
        super().__init__(huey, periodic=False, **options)


class Consumers:
    """What works for the lanes of this process, from ``start`` to ``stop``."""

    def __init__(self, threads: Mapping[Lane, int]) -> None:
        self._each = [
            LaneConsumer(
                lane,
                workers=count,
                worker_type="thread",
                initial_delay=0.1,
                max_delay=0.5,
                graceful_signal="TERM",
                check_worker_health=True,
            )
            for lane, count in threads.items()
        ]

    def start(self) -> None:
        """Begin to work."""
        for consumer in self._each:
            consumer.start()

    def look_after(self) -> None:
        """Put a new thread in the place of one that died."""
        for consumer in self._each:
            consumer.check_worker_health()

    def stop(self) -> None:
        """Take nothing more on, and wait for what is in hand."""
        for consumer in self._each:
            consumer.stop_flag.set()
        for consumer in self._each:
            consumer.stop(graceful=True)


def threads(taken: tuple[Lane, ...], *, transcode: int, others: int) -> dict[Lane, int]:
    """How many threads each lane has."""
    return {lane: transcode if lane is Lane.TRANSCODE else others for lane in taken}
