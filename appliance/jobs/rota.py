"""Whose turn it is at the chores: any number of workers stand ready, and one does them.

Whoever has the lease looks every few seconds which chores are due. Before a chore runs, its slot, the minute it is due in, is claimed by one
statement that also asks whether the lease is still held: so no chore runs twice in a slot, and a process that stood still learns before it
runs another chore that its turn is over. What nobody did in time, since no worker was there, is made up for once, up to a day later.
"""

import logging
import queue
import threading
from datetime import datetime
from datetime import timedelta

import peewee
from huey.api import PeriodicTask

from appliance import database
from appliance import failures
from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.jobs import leases
from appliance.jobs.process import identity
from appliance.jobs.queue import huey

log = logging.getLogger(__name__)

DUTY = "chores"
CATCH_UP = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LOOK_EVERY_S = 5.0
HANDS = 3
"""Chores at once: one that looks through the whole store must not keep the short ones waiting."""


class ChoreSlot(Base):
    """The last slot of a chore that somebody claimed."""

    name = peewee.CharField(max_length=80, primary_key=True)
    slot = UtcDateTimeField()


class Rota:
    """This process at the rota: threads that stand ready from ``start`` to ``stop``."""

    def __init__(self, *, lease_s: int) -> None:
        self.holder = identity()
        self.lease_s = lease_s
        self._stopping = threading.Event()
        self._due: queue.SimpleQueue[tuple[PeriodicTask, datetime] | None] = queue.SimpleQueue()
        self._in_hand: set[str] = set()
        self._looked: dict[str, tuple[datetime, datetime]] = {}
        self._held = False
        self._threads = [
            threading.Thread(target=self._watch, name="rota", daemon=True),
            *(threading.Thread(target=self._work, name=f"chores-{n}", daemon=True) for n in range(HANDS)),
        ]

    def start(self) -> None:
        """Stand ready from now on."""
        for thread in self._threads:
            thread.start()

    def stop(self, *, within_s: float) -> None:
        """Begin no other chore, let those in hand end within a while, and leave the rota to others at once."""
        self._stopping.set()
        for _ in range(HANDS):
            self._due.put(None)
        for thread in self._threads:
            thread.join(within_s)

    def _watch(self) -> None:
        wait_s = min(LOOK_EVERY_S, self.lease_s / 6)
        while True:
            try:
                self.look()
            except (peewee.OperationalError, peewee.InterfaceError) as error:
                # It may come back before the lease ends; if not, another takes over. A line each time, and no stack.
                log.warning("the rota was not looked at", extra={"why": failures.told(error)[:200]})
            except Exception:
                log.warning("the rota was not looked at", exc_info=True)
            finally:
                database.let_go()
            if self._stopping.wait(wait_s):
                break
        try:
            leases.release(DUTY, self.holder)
        except Exception:
            log.warning("the rota was not left; it is free when its lease ends", exc_info=True)
        database.close_thread()

    def look(self) -> None:
        """Keep or take the lease and, while it is ours, hand out what is due."""
        held = leases.take(DUTY, self.holder, lasts_s=self.lease_s)
        if held != self._held:
            self._held = held
            log.info("has the chores" if held else "another has the chores", extra={"holder": self.holder})
        if not held:
            return
        now = database.instant()
        done = {row.name: row.slot for row in ChoreSlot.select()}
        for task in huey._registry.periodic_tasks:
            name = task.name
            if name not in done:
                done[name] = _enter(name, now)
            slot = None if name in self._in_hand else self._slot(task, done[name], now)
            if slot is not None:
                self._in_hand.add(name)
                self._due.put((task, slot))

    def _slot(self, task: PeriodicTask, done: datetime, now: datetime) -> datetime | None:
        """The newest slot that is due and was not claimed; older ones that were missed are made up for by it."""
        newest = now.replace(second=0, microsecond=0)
        # What was looked at since the last claim without finding anything needs no second look.
        claimed, looked = self._looked.get(task.name, (done, done))
        since = max(done, looked if claimed == done else done, newest - CATCH_UP)
        slot = newest
        while slot > since:
            if task.validate_datetime(slot.replace(tzinfo=None)):
                return slot
            slot -= MINUTE
        self._looked[task.name] = (done, max(newest, since))
        return None

    def _work(self) -> None:
        while True:
            found = self._due.get()
            if found is None or self._stopping.is_set():
                return
            task, slot = found
            try:
                if claim(task.name, slot, holder=self.holder):
                    log.debug("chore", extra={"chore": task.name, "slot": f"{slot:%Y-%m-%dT%H:%M}"})
                    # A fresh instance, as for each message: Huey notes things in it.
                    huey.execute(type(task)())
            except Exception:
                log.exception("a chore was not begun", extra={"chore": task.name})
            finally:
                self._in_hand.discard(task.name)
                database.close_thread()


def claim(name: str, slot: datetime, *, holder: str) -> bool:
    """Whether the chore may run for *slot*: nobody claimed this one or a later one, and *holder* has the rota at this very moment."""
    return bool(
        ChoreSlot.update(slot=slot)
        .where(ChoreSlot.name == name, ChoreSlot.slot < slot, leases.is_held(DUTY, holder))
        .execute()
    )


def _enter(name: str, now: datetime) -> datetime:
    """Note a chore that nobody knew before: it is due from this minute on, and has nothing to make up for."""
    before = now.replace(second=0, microsecond=0) - MINUTE
    ChoreSlot.insert(name=name, slot=before).on_conflict_ignore().execute()
    return before
