"""``cluster.yml`` on eight hosts, for real, and what people notice when they break: listeners, uploads and purchases go on all the while.

Run by ``make hosts``, in this order. Every drill prints a line with figures. The object store and the payment provider are of other houses and stay.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

import pytest

from tests.benchmarks.__main__ import write
from tests.benchmarks.figures import Figure
from tests.deploy import releases
from tests.deploy.drills import cluster as clusters
from tests.deploy.drills.cluster import Cluster
from tests.deploy.drills.stage import there
from tests.deploy.drills.stage import until
from tests.deploy.hosts import Host
from tests.deploy.hosts import script
from tests.deploy.site import way_to
from tests.load import journal
from tests.load import verdict
from tests.load.client import Client
from tests.load.client import Failed
from tests.load.crowd import Crowd
from tests.load.crowd import Stage as Scene
from tests.load.journal import Acknowledged
from tests.load.journal import Journal
from tests.load.people import Listener
from tests.load.people import Uploader
from tests.load.people import song

pytestmark = pytest.mark.timeout(7200)
NEXT = "0.2.0"
DRILLS = 12
"""How many parts the table has."""
BEFORE_S, AFTER_S = 15.0, 20.0
"""How long the load goes on before something breaks, and after it is whole again."""
PATIENCE_S = 600.0
ELSEWHERE = {"till", "pay"}
"""What is asked of the payment provider, and tells nothing of us."""
SECOND_TRY_S = 45.0
"""How long a person waits before they ask once more."""


FOUND: list[Figure] = []
"""What the drills of this run found, for the table in docs/benchmarks.md."""


@dataclass
class Drill:
    """A load on the cluster, what it was told, and what came of that."""

    made: Cluster
    scene: Scene
    name: str
    figures: dict[str, float] = field(default_factory=dict)
    seen: verdict.Trouble | None = None

    @contextmanager
    def load(self, *, before_s: float = BEFORE_S, after_s: float = AFTER_S) -> Iterator[None]:
        """People act while the block runs; then all that was acknowledged must be there, and nothing wrong was heard."""
        path = self.made.folder / f"{self.name.replace(' ', '-')}.jsonl"
        path.unlink(missing_ok=True)
        with Crowd(self.scene, path, seed=len(self.name)) as crowd:
            crowd.start(listeners=3, pause_s=0.5, upload_pause_s=12, longest_s=3000)
            time.sleep(before_s)
            yield
            time.sleep(after_s)
        self.judge(path)

    def judge(self, path: object) -> None:
        lines = list(journal.read(path))  # type: ignore[arg-type]
        asked = [line for line in journal.requests(lines) if line.act not in ELSEWHERE]
        kept = [line for line in lines if isinstance(line, Acknowledged)]
        self.seen = verdict.trouble(asked)
        for act in sorted({line.act for line in asked if not line.answered}):
            failed = [line for line in asked if line.act == act and not line.answered]
            print(f"  failed {act}: {[(line.status, round(line.took_s, 1)) for line in failed][:12]}")
        assert verdict.wrongs(lines) == []
        assert {line.kind for line in kept} == {"upload", "purchase"}, self.seen
        lost = lost_of(self.made, self.scene, kept)
        uploads = sum(line.kind == "upload" for line in kept)
        self.figures |= {"uploads": uploads, "purchases": len(kept) - uploads, "lost": len(lost)}
        print(self.line(), flush=True)
        assert lost == []

    def none_failed(self) -> None:
        """Nobody was failed who asked once more what may be asked twice."""
        assert self.seen is not None
        self.keep("requests that failed, also when asked once more", self.seen.failed_repeatable, 0, "")

    def few_failed(self) -> None:
        """Less than one of a hundred requests failed."""
        assert self.seen is not None
        self.keep("requests that failed", self.seen.failed_share * 100, 1, "%")

    def short(self) -> None:
        """The same, and none of their kind failed for half a minute."""
        assert self.seen is not None
        self.few_failed()
        self.keep("longest time without an answer", self.seen.outage_s, 30, "s")

    def keep(self, what: str, value: float, bound: float, unit: str) -> None:
        """A row of the table; fails when the bound is not kept."""
        figures = ", ".join(f"{name} {_short(one)}" for name, one in self.figures.items())
        found = Figure(
            f"{self.name[0].upper()}{self.name[1:]}: {what}",
            value,
            bound,
            True,
            unit,
            f"{self.seen}; {figures}",
        )
        FOUND.append(found)
        assert found.kept, found

    def line(self) -> str:
        """What is printed of it."""
        figures = ", ".join(f"{name} {_short(value)}" for name, value in self.figures.items())
        return f"\nDRILL cluster, {self.name}: {figures} · {self.seen}"


def _short(value: float) -> str:
    return f"{value:.4g}"


def lost_of(made: Cluster, scene: Scene, kept: list[Acknowledged]) -> list[str]:
    """What was acknowledged and is not there, or does not come to what it should."""
    with (
        asking(made, scene, scene.artist_token) as uploader,
        asking(made, scene, scene.fan_token) as buyer,
    ):
        return verdict.lost(kept, uploader, buyer, patience_s=PATIENCE_S)


@pytest.fixture(scope="module")
def made() -> Iterator[Cluster]:
    if not there():
        pytest.skip("Drills need root, systemd-nspawn and tests/deploy/hosts.sh.")
    with clusters.cluster() as made:
        yield made


@pytest.fixture(scope="module")
def scene(made: Cluster) -> Scene:
    """Songs that are ready, once for all drills."""
    return replace(clusters.scene(made), timeout_s=SECOND_TRY_S)


def told(name: str, **figures: float) -> None:
    """The line of a drill without a load."""
    print(f"\nDRILL cluster, {name}: " + ", ".join(f"{what} {value:.4g}" for what, value in figures.items()), flush=True)  # fmt: skip


def well(made: Cluster, *names: str) -> None:
    """Wait until every web server answers that it is ready, and all members of PostgreSQL are."""
    for name in names or made.groups["web"]:
        address = f"http://{made.address(name)}:8000/ready"
        until(
            f"Is {name} ready",
            lambda address=address: '"ready"' in made.on(made.groups["proxy"][0], "curl", "--silent", "--max-time", "20", "-H", "Host: music.example", address),
            patience_s=240,
        )  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    """How long *work* takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_01_one_play_makes_a_whole_cluster_and_a_second_run_changes_nothing(made: Cluster) -> None:
    first = made.play("cluster")
    second = made.play("cluster")
    told("cluster.yml", hosts=len(made.names), first_run_s=first.seconds, second_run_s=second.seconds, changed_by_it=len(second.changed))  # fmt: skip
    assert second.changed == []
    made.play("check")


def test_02_a_person_joins_and_a_song_is_sent_made_and_heard(made: Cluster, scene: Scene) -> None:
    took_s = timed(lambda: ready(made, scene, sent(made, scene, seconds=4)))
    heard(made, scene)
    assert made.site.join(way_to(made.site.host, made.certificate), "newcomer@example.org", clusters.PASSWORD)
    told("a song of four seconds, sent and made in all its qualities", seconds=took_s)


def test_03_a_web_server_loses_its_power(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "web server loses its power")
    with drill.load():
        script("kill", "web2")
        time.sleep(30)
        drill.figures["ready again, s"] = timed(lambda: (script("start", "web2"), well(made)))
    drill.none_failed()


def test_04_a_worker_loses_its_power_in_the_middle_of_a_song(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "worker loses its power in mid-transcode")
    with drill.load():
        track = sent(made, scene, seconds=60)
        worker = until("Who makes it", lambda: maker_of(made, track))
        script("kill", worker)
        drill.figures["ready by the other, s"] = timed(lambda: ready(made, scene, track))
        script("start", worker)
    drill.none_failed()


def test_05_the_primary_of_postgresql_loses_its_power(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "primary of PostgreSQL loses its power")
    with drill.load():
        primary = made.engines.primary()
        others = [name for name in made.groups["postgres"] if name != primary]
        script("kill", primary)
        drill.figures["another primary after, s"] = timed(
            lambda: until("Who is the primary", lambda: made.engines.primary(*others) not in {"", primary})
        )
        time.sleep(40)
        script("start", primary)
        drill.figures["whole again, s"] = timed(made.engines.whole)
    drill.short()


def test_06_the_primary_of_redis_loses_its_power(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "primary of Redis loses its power")
    with drill.load():
        primary = made.engines.redis_primary("db1")
        others = [name for name in made.groups["redis"] if name != primary]
        script("kill", primary)
        drill.figures["another primary after, s"] = timed(
            lambda: until("Who is the primary", lambda: made.engines.redis_primary(others[0]) != primary)
        )
        time.sleep(20)
        script("start", primary)
        made.engines.whole()
    drill.short()


def test_07_the_object_store_hangs_for_twenty_seconds(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "object store hangs for 20 s")
    with drill.load(), made.store.frozen():
        time.sleep(20)
    drill.short()


def test_08_a_web_server_is_cut_off_from_the_database(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "web server cut off from the database for 30 s")
    with drill.load(), cut_off(made, "web1", "postgres"):
        time.sleep(30)
    drill.few_failed()


def test_09_a_disk_is_full(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "disk of a web server full for 30 s")
    with small_disk(made, "web1") as room, drill.load():
        made.on("web1", "sh", "-c", f"head -c 64m /dev/zero > {room}/filler || true")
        time.sleep(30)
        made.on("web1", "rm", f"{room}/filler")
    drill.few_failed()


def test_10_the_next_version_comes_while_people_listen(made: Cluster, scene: Scene) -> None:
    following = releases.build(made.folder, version=NEXT)
    drill = Drill(made, scene, "upgrade with a migration")
    with drill.load():
        done = made.play("upgrade", "-e", f"musicconnect_package={following}")
        drill.figures["play, s"] = done.seconds
    for name in (*made.groups["web"], *made.groups["worker"]):
        assert NEXT in made.on(name, "readlink", "/opt/musicconnect/current")
    drill.none_failed()


def test_11_the_version_of_before_comes_back_while_people_listen(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "rollback")
    with drill.load():
        drill.figures["play, s"] = made.play("rollback").seconds
    for name in (*made.groups["web"], *made.groups["worker"]):
        assert NEXT not in made.on(name, "readlink", "/opt/musicconnect/current")
    drill.none_failed()


def test_12_a_web_server_and_a_worker_come_and_go(made: Cluster, scene: Scene) -> None:
    drill = Drill(made, scene, "a web server and a worker added")
    with drill.load():
        made.up("web3", "worker3")
        made.groups["web"].append("web3")
        made.groups["worker"].append("worker3")
        drill.figures["play, s"] = made.play("add_node", "-e", "node=web3,worker3").seconds
        well(made)
    drill.none_failed()
    assert made.address("web3") in made.on("proxy1", "cat", "/etc/nginx/conf.d/musicconnect.conf")
    drill = Drill(made, scene, "a web server and a worker taken away")
    with drill.load():
        drill.figures["play, s"] = made.play("remove_node", "-e", "node=web3,worker3").seconds
    made.groups["web"].remove("web3")
    made.groups["worker"].remove("worker3")
    drill.none_failed()
    assert made.address("web3") not in made.on("proxy1", "cat", "/etc/nginx/conf.d/musicconnect.conf")
    assert made.address("web3") not in made.on("db1", "cat", "/etc/musicconnect-firewall.nft")
    assert "musicconnect" not in made.on("worker3", "ls", "/opt", "/etc/systemd/system")
    for name in ("web3", "worker3"):
        script("wipe", name)


def test_13_all_hosts_are_lost_and_the_cluster_comes_back_from_its_backup(
    made: Cluster, scene: Scene
) -> None:
    """The bucket with the media stays: it is of another house. What was acknowledged longer ago than the log is archived must be there."""
    path = made.folder / "restore.jsonl"
    path.unlink(missing_ok=True)
    with Crowd(scene, path) as crowd:
        crowd.start(listeners=1, upload_pause_s=12, longest_s=600)
        time.sleep(120)
        lost_at_s = time.time()
        for name in made.names:
            script("wipe", name)
    began = time.monotonic()
    made.up(*made.names)
    hosts_s = time.monotonic() - began
    made.play("services", "--skip-tags", "postgres")
    made.play("services_restore", "-e", "restore_postgres_to=latest")
    made.play("application")
    well(made)
    took_s = time.monotonic() - began
    kept = [line for line in journal.read(path) if isinstance(line, Acknowledged) and line.at_s < lost_at_s]
    missing = [line for line in kept if not standing(made, scene, line)]
    point_s = lost_at_s - min((line.at_s for line in missing), default=lost_at_s)
    told("restored on wiped hosts", hosts_s=hosts_s, recovery_time_s=took_s, recovery_point_s=point_s, acknowledged=len(kept), lost_of_the_last_moments=len(missing))  # fmt: skip
    FOUND.append(Figure("Restored on wiped hosts: recovery time", took_s / 60, 60, True, "min"))
    FOUND.append(Figure("Restored on wiped hosts: recovery point", point_s / 60, 15, True, "min", f"{len(kept)} acknowledged, {len(missing)} of the last moments gone"))  # fmt: skip
    assert all(one.kept for one in FOUND[-2:])
    heard(made, scene)


def test_14_the_table_tells_what_was_found() -> None:
    """Written only when all drills have run: a half of it would hide the other."""
    if len({one.name.partition(":")[0] for one in FOUND}) < DRILLS:
        pytest.skip("Not every drill has run.")
    write({"drills": FOUND})


@contextmanager
def asking(made: Cluster, scene: Scene, token: str = "") -> Iterator[Client]:
    """Somebody whose questions are no part of the load."""
    notes = Journal(made.folder / "judged.jsonl")
    try:
        yield Client(scene.base, notes, token=token, ca=scene.ca, timeout_s=SECOND_TRY_S)
    finally:
        notes.close()


def standing(made: Cluster, scene: Scene, line: Acknowledged) -> bool:
    """Whether the row of what was acknowledged is there."""
    token, kind = (scene.artist_token, "tracks") if line.kind == "upload" else (scene.fan_token, "orders")
    with asking(made, scene, token) as client:
        try:
            client.ask("verdict", "GET", f"/api/v1/{kind}/{line.id}")
        except Failed:
            return False
    return True


def heard(made: Cluster, scene: Scene) -> None:
    """Somebody without an account hears a song."""
    with asking(made, scene) as client:
        Listener(client, random.Random(1)).act()


def sent(made: Cluster, scene: Scene, *, seconds: int) -> str:
    """A song that long is sent; its track."""
    with asking(made, scene, scene.artist_token) as client:
        uploader = Uploader(client, random.Random(seconds), scene.artist)
        path, wish = f"/api/v1/artists/{scene.artist}/releases", {"title": "A night", "kind": "ep"}
        uploader.release = str(client.post("release", path, wish)["id"])
        return uploader.send("A song.wav", song(random.Random(seconds), seconds=seconds))


def maker_of(made: Cluster, track: str) -> str:
    """The worker that makes this track just now."""
    query = (
        f"SELECT lease_owner FROM job WHERE subject = '{track}' AND kind = 'transcode' AND state = 'running'"
    )
    found = made.engines.sql(made.engines.primary(), query)
    return re.split(":", found[0])[0] if found and found[0] else ""


def ready(made: Cluster, scene: Scene, track: str) -> None:
    """Wait until it can be heard in all its qualities."""
    with asking(made, scene, scene.artist_token) as client:
        until(
            "Is the song ready",
            lambda: client.get("verdict", f"/api/v1/tracks/{track}")["state"] == "ready",
            patience_s=PATIENCE_S,
        )


@contextmanager
def cut_off(made: Cluster, name: str, group: str) -> Iterator[None]:
    """Nothing goes from this host to those of the group while the block runs."""
    there = ", ".join(made.address(other) for other in made.groups[group])
    rule = f"type filter hook output priority 0; ip daddr {{ {there} }} drop"
    Host(name).run("nft", "-f", "-", given=f"table ip drill {{\nchain output {{\n{rule}\n}}\n}}\n")
    try:
        yield
    finally:
        made.on(name, "nft", "delete", "table", "ip", "drill")


@contextmanager
def small_disk(made: Cluster, name: str) -> Iterator[str]:
    """What arrives at this host lies on a disk of 16 MB while the block runs; yields where that is."""
    room = "/srv/musicconnect/data/uploads"
    owner = "uid=$(id -u musicconnect),gid=$(id -g musicconnect)"
    made.on(name, "sh", "-c", f"mkdir -p {room} && mount -t tmpfs -o size=16m,mode=0700,{owner} tmpfs {room}")
    try:
        yield room
    finally:
        made.on(name, "umount", "--lazy", room)
