"""The same with a real S3 server, for the backup and for the media."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from appliance import startup
from appliance.backup import locks
from appliance.backup import pruning
from appliance.backup import repository
from appliance.backup import taking
from appliance.backup import verifying
from appliance.clock import now
from appliance.errors import Conflict
from appliance.settings import Settings
from appliance.startup import Appliance
from appliance.storage import open_store
from tests.appliance.backup import nodes
from tests.appliance.backup.conftest import bucket
from tests.appliance.backup.nodes import KEY
from tests.servers.s3 import S3Server


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.mark.timeout(180)
def test_a_node_in_a_bucket_comes_back_out_of_a_bucket_into_a_bucket(
    appliance: Appliance, elsewhere: Settings, s3: S3Server
) -> None:
    place = bucket(s3)
    there = nodes.with_backup(replace(appliance, store=open_store(bucket(s3))), place, key=KEY)
    nodes.fill(there, large_bytes=5 * nodes.MIB)
    first = taking.take(there)
    second = taking.take(there)
    assert (first.objects_read, second.objects_read) == (13, 0)
    assert second.tally.bytes_new < 100_000 < first.tally.bytes_new
    opened = repository.open_repository(place, KEY)
    scratch = appliance.settings.data / "scratch"
    found = verifying.verify(
        opened, second.snapshot.name, verifying.known(opened), read=True, scratch=scratch
    )
    assert (found.problems, found.objects) == ([], 13)
    before, rows = nodes.contents(there.store), nodes.rows(startup.database_url(appliance.settings))
    target = replace(elsewhere, backup_url=place, backup_key=KEY, store_url=bucket(s3))
    nodes.restored(target)
    nodes.same(rows, nodes.rows(startup.database_url(target)))
    assert nodes.contents(nodes.store_of(target)) == before
    assert not (target.data / "media").exists()
    with locks.held(opened.store) as lock:
        pruned = pruning.prune(opened, {"latest": 1}, lock=lock, now=now() + 2 * pruning.GRACE)
    assert pruned.snapshots == 1
    found = verifying.verify(
        opened, second.snapshot.name, verifying.known(opened), read=True, scratch=scratch
    )
    assert found.problems == []


def test_of_many_runs_at_once_no_two_are_let_in(place: str) -> None:
    store = open_store(place)
    inside: list[int] = []
    most: list[int] = []
    refused: list[Conflict] = []
    begun = threading.Barrier(4)

    def run(number: int) -> None:
        begun.wait()
        try:
            with locks.held(store):
                inside.append(number)
                most.append(len(inside))
                threading.Event().wait(0.2)
                inside.remove(number)
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) <= {1}
    assert len(most) + len(refused) == 4
    assert not list(store.walk(locks.FOLDER))
