"""Whatever process is killed with -9 while payment events are taken and processed: each takes effect, once, and the books are the same."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from random import Random

import pytest

from appliance import clock
from appliance import database
from appliance import processors
from appliance import startup
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.ledger import checking
from appliance.settings import Settings
from tests.appliance.billing.test_simulated_year import World
from tests.appliance.billing.test_simulated_year import in_order
from tests.appliance.billing.test_simulated_year import make_world
from tests.appliance.billing.test_simulated_year import standing
from tests.servers import simulated_plugin
from tests.servers import simulated_year
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.servers.simulated_provider import signed

FANS = 14
KILLS = 10
PATIENCE_S = 150


class Sender(threading.Thread):
    """The provider: it sends every event until somebody says that it was taken, and some of them twice."""

    def __init__(self, node: Node, bodies: list[bytes]) -> None:
        super().__init__(daemon=True)
        self.node, self.bodies = node, bodies
        self.problems: list[BaseException] = []

    def run(self) -> None:
        try:
            for body in self.bodies:
                self.send(body)
        except BaseException as error:
            self.problems.append(error)

    def send(self, body: bytes) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            delivery = signed(body, clock.now())
            try:
                self.node.send("POST", "/webhooks/simulated", delivery.body, delivery.headers)
                return
            except (OSError, Refused):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def processed() -> int:
    return ProviderEvent.select().where(ProviderEvent.state == EventState.PROCESSED).count()


@pytest.mark.timeout(400)
def test_killed_at_any_moment_the_books_end_up_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = int(os.environ.get("DRILL_SEED", "0")) or random.randrange(1, 10**6)
    dice = Random(seed)
    data = tmp_path / "data"
    startup.start(Settings(data=data, queue_url="memory://"))
    database.migrate()
    year = simulated_year.make(dice, FANS)
    worlds = [make_world(year), make_world(year, name="simulated")]
    monkeypatch.setattr(processors, "every", lambda: tuple(world.provider for world in worlds))
    for world in worlds:
        year.happen(world.provider, world.mark)
    in_order(worlds[0])
    bodies = [body for _, body in worlds[1].provider.sent]
    bodies += [body for body in bodies if dice.random() < 0.2]
    dice.shuffle(bodies)
    path = simulated_plugin.installed(tmp_path / "plugin")
    try:
        with Node(data, PYTHONPATH=path, MUSICCONNECT_JOB_LEASE_S="4") as node:
            sender = Sender(node, bodies)
            sender.start()
            killed = kill(node, dice, most=len(worlds[1].provider.sent))
            sender.join(PATIENCE_S)
            told = f"DRILL_SEED={seed}, killed {killed}\n{node.log()[-4000:]}"
            assert not sender.problems, (sender.problems, told)
            wait_until_all_is_processed(worlds[1], told)
        assert len(killed) == KILLS, told
        assert standing(worlds[0]) == standing(worlds[1]), told
        assert list(checking.differences()) == [], told
    finally:
        startup.stop()


def kill(node: Node, dice: Random, *, most: int) -> list[str]:
    """Kill one process after the other, each after a few events more were processed, so that it is in the middle of the next."""
    killed: list[str] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(killed) < KILLS and time.monotonic() < deadline:
        wanted = min(processed() + dice.randrange(1, 1 + most // (KILLS + 2)), most - 2)
        while processed() < wanted and time.monotonic() < deadline:
            time.sleep(0.003)
        time.sleep(dice.random() * 0.03)
        victim = dice.choice(["worker", "worker", "worker", "web"])
        if pid := node.children().get(victim):
            os.kill(pid, signal.SIGKILL)
            killed.append(victim)
    return killed


def wait_until_all_is_processed(world: World, told: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while ProviderEvent.select().where(ProviderEvent.state == EventState.RECEIVED).exists():
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    assert ProviderEvent.select().count() == len(world.provider.sent), told
    assert not ProviderEvent.select().where(ProviderEvent.state == EventState.FAILED).exists(), told
