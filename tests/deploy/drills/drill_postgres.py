"""What becomes of PostgreSQL's rows when its primary dies, is cut off, or comes back.

Run by ``make drills``; the figures go into docs/cluster-services.md.
"""

from __future__ import annotations

import json
import time

from tests.deploy.drills.engines import Engines
from tests.deploy.drills.stage import until
from tests.deploy.drills.traffic import Attempts


def rows(engines: Engines, host: str) -> set[str]:
    return set(engines.sql(host, "SELECT id FROM traffic"))


def tell(drill: str, attempts: Attempts, lost: int, **more: object) -> None:
    facts = {
        "writes away": f"{attempts.outage_s():.1f} s",
        "reads away": f"{attempts.outage_s('read'):.1f} s",
        "failed": f"{attempts.failed()} of {len(attempts.notes)} ({attempts.share_failed():.1%})",
        "acknowledged rows": len(attempts.acknowledged()),
        "lost": lost,
        **more,
    }
    print(f"\nDRILL {drill}: " + " · ".join(f"{name} {value}" for name, value in facts.items()))


def test_the_primary_loses_its_power(engines: Engines) -> None:
    """A replica takes over within 30 s, no acknowledged row is lost, and the old primary comes back as a replica."""
    engines.whole()
    old = engines.primary()
    with engines.traffic("postgres") as notes:
        moment = time.time()
        engines.stage.hosts("kill", old)
        engines.again(notes, moment + 2)
    attempts = Attempts.of(notes)
    others = [name for name in engines.stage.groups["postgres"] if name != old]
    new = engines.primary(*others)
    lost = attempts.acknowledged() - rows(engines, new)

    began = time.monotonic()
    engines.stage.hosts("start", old)
    engines.whole(*others)
    tell("power of the primary", attempts, len(lost), **{"whole again": f"{time.monotonic() - began:.0f} s"})
    assert new != old
    assert not lost
    assert attempts.outage_s() < 30
    until("Has the old primary all rows", lambda: rows(engines, old) == rows(engines, new), patience_s=30)


def test_the_primary_is_cut_off(engines: Engines) -> None:
    """The old primary takes no write any more when the new one takes its first: there are never two."""
    engines.whole()
    old = engines.primary()
    others = [name for name in engines.stage.groups["postgres"] if name != old]
    engines.sql(old, "CREATE TABLE IF NOT EXISTS alone (at double precision)")
    # Somebody on the host itself goes on writing, once with and once without waiting for a replica.
    script = """
        for wait in on local; do
            ( while [ ! -e /run/drill-over ]; do
                PGOPTIONS="-c synchronous_commit=$wait -c statement_timeout=2000" timeout 4 psql -X -q -d musicconnect \
                    -c 'INSERT INTO alone VALUES (extract(epoch FROM clock_timestamp()))' && date +%s.%N >>/tmp/alone-$wait
                sleep 0.2
            done ) &
        done; wait
    """
    engines.stage.on(old, "rm", "-f", "/run/drill-over", "/tmp/alone-on", "/tmp/alone-local")
    unit = [
        "systemd-run",
        "--unit=drill-alone",
        "--collect",
        "--property=User=postgres",
        "bash",
        "-c",
        script,
    ]
    engines.stage.on(old, *unit)
    with engines.traffic("postgres") as notes:
        moment = time.time()
        engines.stage.hosts("cut", old)
        engines.again(notes, moment + 2)
        engines.stage.on(old, "touch", "/run/drill-over")
        alone = {
            wait: [float(at) for at in engines.stage.on(old, "cat", f"/tmp/alone-{wait}").split()]
            for wait in ("on", "local")
        }
        believed = [name for name in engines.stage.groups["postgres"] if engines.writes(name)]
        engines.stage.hosts("join", old)
        engines.again(notes, time.time())
    attempts = Attempts.of(notes)
    engines.whole(*others)
    new = engines.primary(*others)
    lost = attempts.acknowledged() - rows(engines, new)
    first = attempts.gap()[1]
    tell(
        "primary cut off",
        attempts,
        len(lost),
        **{
            "believed to be primary": ",".join(believed),
            "alone, acknowledged by a replica": sum(at > moment + 0.5 for at in alone["on"]),
            "alone, last local write": f"{max(alone['local']) - moment:.1f} s after the cut",
            "first write on the new one": f"{first - moment:.1f} s after the cut",
        },
    )
    assert believed == [new]
    assert not lost
    assert not [at for at in alone["on"] if at > moment + 0.5]
    assert max(alone["local"]) < first
    assert attempts.outage_s() < 30


def test_an_operator_moves_the_primary(engines: Engines) -> None:
    """A switchover takes a few seconds and loses nothing: what is done before a host is restarted."""
    engines.whole()
    old = engines.primary()
    members = engines.members(old)
    new = next(name for name, member in members.items() if member["Role"] == "Sync Standby")
    with engines.traffic("postgres") as notes:
        moment = time.time()
        patronictl = ["patronictl", "-c", "/etc/patroni/config.yml", "switchover", "musicconnect"]
        engines.stage.on(old, *patronictl, "--master", old, "--candidate", new, "--force")
        engines.again(notes, moment + 1)
    attempts = Attempts.of(notes)
    engines.whole()
    lost = attempts.acknowledged() - rows(engines, new)
    tell("switchover", attempts, len(lost))
    assert engines.primary() == new
    assert not lost
    assert attempts.outage_s() < 15


def test_etcd_loses_one_member(engines: Engines) -> None:
    """Two of three are a majority: nobody notices."""
    engines.whole()
    primary = engines.primary()
    other = next(name for name in engines.stage.groups["etcd"] if name != primary)
    with engines.traffic("postgres") as notes:
        moment = time.time()
        engines.stage.on(other, "systemctl", "stop", "etcd")
        engines.again(notes, moment + 15)
        engines.stage.on(other, "systemctl", "start", "etcd")
    attempts = Attempts.of(notes)
    tell("one etcd away", attempts, len(attempts.acknowledged() - rows(engines, primary)))
    assert engines.primary() == primary
    assert attempts.failed() == 0
    assert json.dumps(engines.members(primary))
