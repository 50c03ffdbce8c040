"""What becomes of the queue in Redis when its primary dies. Run by ``make drills``; figures in docs/cluster-services.md."""

from __future__ import annotations

import re
import time

from tests.deploy.drills.engines import Engines
from tests.deploy.drills.stage import until
from tests.deploy.drills.traffic import Attempts


def messages(engines: Engines, host: str) -> set[str]:
    """What waits in the queue; Huey puts a few bytes for the order before each."""
    queue = "\n".join(engines.redis(host, "ZRANGE", "huey.redis.traffic", "0", "-1"))
    return set(re.findall(r"write-\d+-\d+-[\d.]+", queue))


def test_the_primary_of_redis_loses_its_power(engines: Engines) -> None:
    """Sentinels promote a replica within 30 s; the address stays; the old primary comes back as a replica."""
    old = engines.redis_primary("db1")
    others = [name for name in engines.stage.groups["redis"] if name != old]
    engines.redis(old, "DEL", "huey.redis.traffic")
    with engines.traffic("redis") as notes:
        moment = time.time()
        engines.stage.hosts("kill", old)
        engines.again(notes, moment + 2)
    attempts = Attempts.of(notes)
    new = engines.redis_primary(others[0])
    kept = messages(engines, new)
    lost = attempts.acknowledged() - kept

    began = time.monotonic()
    engines.stage.hosts("start", old)
    until(
        "Is the old primary a replica",
        lambda: {"role:slave", "master_link_status:up"} <= set(engines.redis(old, "INFO", "replication")),
    )
    print(
        f"\nDRILL power of Redis' primary: writes away {attempts.outage_s():.1f} s · failed {attempts.failed()} of"
        f" {len(attempts.notes)} ({attempts.share_failed():.1%}) · acknowledged messages {len(attempts.acknowledged())}"
        f" · lost {len(lost)} · whole again {time.monotonic() - began:.0f} s"
    )
    assert new != old
    assert attempts.outage_s() < 30
    # Redis acknowledges before a replica has it: the jobs' rows in the database fill the queue anew.
    assert len(lost) <= 5


def test_the_primary_of_redis_is_cut_off(engines: Engines) -> None:
    """HAProxy goes by most Sentinels: the old primary gets no connection when its cable is plugged in again."""
    old = engines.redis_primary("db1")
    others = [name for name in engines.stage.groups["redis"] if name != old]
    engines.redis(old, "DEL", "huey.redis.traffic")
    with engines.traffic("redis") as notes:
        moment = time.time()
        engines.stage.hosts("cut", old)
        engines.again(notes, moment + 2)
        rejoined = time.time()
        engines.stage.hosts("join", old)
        engines.again(notes, rejoined + 15)
    attempts = Attempts.of(notes)
    new = engines.redis_primary(others[0])
    kept = messages(engines, new)
    acknowledged = attempts.acknowledged()
    after = {row for row in acknowledged if float(row.rpartition("-")[2]) > moment + 2}
    lost = acknowledged - kept
    print(
        f"\nDRILL Redis' primary cut off: writes away {attempts.outage_s():.1f} s · acknowledged {len(acknowledged)}"
        f" · lost {len(lost)}, of those after the failover {len(lost & after)}"
    )
    assert new != old
    assert not lost & after
    assert len(lost) <= 5
