"""Asking for the figures of the database: not more often than they may be old, and without letting a monitor wait for a database that is away.

A thread of its own asks, first whether the database answers at all. Whoever wants the figures gives it a moment. When that is not enough, they are
told that the database is away if it has not answered, and else the figures of before: a slow figure is no database that is away.
"""

import logging
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence

import peewee
from prometheus_client.core import GaugeMetricFamily

from appliance import clock
from appliance import database
from appliance import failures
from appliance.monitoring import figures
from appliance.monitoring.figures import Figure
from appliance.monitoring.figures import Rows

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
STATEMENT_S = 5
"""What one question may take on PostgreSQL."""
SILENT_S = 15.0
"""After so long without an answer to whoever asks, the database is away, although it answered at first; a few questions take less."""
GIVEN_UP_S = 60.0
"""When somebody who asks is taken for lost, such as by a network that swallows everything, and another one is sent."""
MOST_SERIES = 400
"""Values of one figure; far more than there are kinds of anything, and a fence should a label ever be wrong."""


class Readings:
    """The figures as they were last found out by this process."""

    def __init__(self, wanted: Sequence[Figure] = figures.FIGURES) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._found: dict[str, tuple[float, Rows]] = {}
        self._up = False
        self._asked_at = 0.0
        self._heard_at: float | None = None
        self._asking: threading.Thread | None = None

    def families(self) -> Iterator[GaugeMetricFamily]:
        """Whether the database answers, and if so the figures."""
        self._refresh()
        with self._lock:
            up, found = self._up, dict(self._found)
        yield GaugeMetricFamily(
            "musicconnect_database_up", "Whether the database answers this process.", value=float(up)
        )
        if not up:
            return
        for figure in self._wanted:
            if figure.name in found:
                family = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
                for labels, value in list(found[figure.name][1])[:MOST_SERIES]:
                    family.add_metric(labels, float(value))
                yield family

    def _refresh(self) -> None:
        now = time.monotonic()
        with self._lock:
            asking = self._asking
            lost = asking is not None and now - self._asked_at > GIVEN_UP_S
            if asking is None or lost:
                if asking is None and self._up and not self._due(now):
                    return
                asking = threading.Thread(target=self._ask, name="readings", daemon=True)
                self._asking, self._asked_at, self._heard_at = asking, now, None
                asking.start()
            patience_s = max(0.0, self._asked_at + PATIENCE_S - now)
        asking.join(patience_s)
        with self._lock:
            if self._asking is asking:
                # Still at it: what was true before may not be so now.
                self._up = self._heard_at is not None and time.monotonic() - self._heard_at < SILENT_S

    def _due(self, now: float) -> list[Figure]:
        return [
            figure
            for figure in self._wanted
            if figure.name not in self._found or now - self._found[figure.name][0] >= figure.every_s
        ]

    def _ask(self) -> None:
        up = False
        # Whoever asks may take longer than the process goes on with this database.
        served = database.proxy.obj
        try:
            with database.bounded(STATEMENT_S):
                database.proxy.execute_sql("SELECT 1")
            up = True
            self._hear()
            with self._lock:
                due = self._due(time.monotonic())
            for figure in due:
                self._ask_for(figure)
                self._hear()
        except Exception:
            # Also what a pool says that has no connection left: the monitor shall learn of it, not fall over it.
            log.warning("the database does not answer the monitor", exc_info=True)
            up = False
        finally:
            database.close_thread(served)
            with self._lock:
                if self._asking is threading.current_thread():
                    self._asking, self._up = None, up

    def _hear(self) -> None:
        with self._lock:
            if self._asking is threading.current_thread():
                self._heard_at = time.monotonic()

    def _ask_for(self, figure: Figure) -> None:
        rows: Rows = ()
        try:
            with database.bounded(STATEMENT_S):
                rows = list(figure.ask(clock.now()))
        except peewee.OperationalError as error:
            # When it took too long, it is left out until its turn comes again, and the others are told; else this fails as well.
            database.proxy.execute_sql("SELECT 1")
            log.warning(
                "a figure was not found out", extra={"figure": figure.name, "why": failures.told(error)[:200]}
            )
        with self._lock:
            self._found[figure.name] = (time.monotonic(), rows)
