"""The image and both compose files, built and run by a real Docker engine: ``make drills``.

Prints a line with figures for each; skipped, with the reason, where no engine can run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.docker.engine import KEPT
from tests.deploy.docker.engine import Engine
from tests.deploy.docker.engine import Impossible
from tests.deploy.docker.engine import client
from tests.deploy.docker.engine import engine
from tests.deploy.docker.project import Project
from tests.servers import listener
from tests.servers.node import Refused
from tests.sounds import tone

IMAGE = "musicconnect:drill"
MOST_BYTES = 450 * 10**6
STAND_INS = ("postgres", "redis", "nginx", "s3")
OURS = ("web1", "web2", "worker1", "worker2")

pytestmark = [pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    """An engine with the image of this checkout."""
    try:
        with engine() as running:
            took_s = running.build("deploy/docker/Dockerfile", IMAGE)
            say(f"the image was built in {took_s:.0f} s")
            yield running
    except Impossible as why:
        pytest.skip(f"no Docker engine can run here: {why}")


def say(line: str) -> None:
    """A figure for who runs the drills; pytest swallows what is printed, so it goes into a file as well."""
    print(f"DRILL docker: {line}", flush=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "figures").open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


def publish(project: Project) -> tuple[str, float]:
    """An artist signs up, uploads a track and publishes it; returns the track and the seconds until all of it could be heard."""
    project.sign_up()
    release = project.make_release()
    began = time.monotonic()
    track = project.upload(release, "01 Song.flac", tone(7.0, 220))
    project.wait_for(track, patience_s=180)
    took_s = time.monotonic() - began
    project.post(f"/api/v1/releases/{release}/publish")
    return track, took_s


def heard(project: Project, track: str) -> list[str]:
    """The qualities in which all seven seconds of the track are heard."""
    played = project.post(f"/api/v1/tracks/{track}/play")
    found = listener.variants(played["hls_url"])
    assert all(abs(listener.heard_s(one.url) - 7.0) < 0.05 for one in found)
    return [one.quality for one in found]


# ---- the image


def test_the_image_is_small_and_nobody_in_it_is_root(docker: Engine) -> None:
    [image] = docker.look(IMAGE)
    said = {
        "user": image["Config"]["User"],
        "stop": image["Config"]["StopSignal"],
        "words": image["Config"]["Entrypoint"],
    }
    assert said == {"user": "10001:10001", "stop": "SIGTERM", "words": ["musicconnect"]}
    assert image["Config"]["Labels"]["org.opencontainers.image.licenses"] == "AGPL-3.0-or-later"
    say(f"the image has {image['Size'] / 10**6:.0f} MB (at most {MOST_BYTES / 10**6:.0f})")
    assert image["Size"] <= MOST_BYTES


def test_nothing_is_in_the_image_that_builds_or_that_told_how_to_build(docker: Engine) -> None:
    inside = shell(
        docker,
        "command -v gcc cc make pip pip3 git curl; ls /opt/venv/bin | grep -x 'pip.*'; ls /root/.cache /src /tmp/* 2>/dev/null; "
        "find / -xdev -perm /6000 -type f; find /opt/venv -name '*.opt-*.pyc'; find / -xdev -user 10001 ! -path '/data*'; "
        "cat /etc/pip.conf /run/secrets/* 2>/dev/null; true",
    )
    assert inside == ""
    history = docker.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE)
    assert "index-url" not in history and "proxy=" not in history and "BEGIN CERTIFICATE" not in history


def shell(docker: Engine, script: str) -> str:
    """A script in a container of the image, as root, so that nothing hides."""
    words = [
        "run",
        "--rm",
        "--user",
        "0",
        "--ulimit",
        "nofile=4096:4096",
        "--entrypoint",
        "/bin/sh",
        IMAGE,
        "-c",
        script,
    ]
    return docker.docker(*words)


# ---- one node


def test_one_node_comes_up_plays_and_comes_back(docker: Engine, tmp_path: Path) -> None:
    with Project(
        docker, "compose.yml", name="drill-one", port=18000, runs="musicconnect", MUSICCONNECT_IMAGE=IMAGE
    ) as node:
        up_s = node.up()
        node.wait_until_well()
        track, took_s = publish(node)
        assert heard(node, track) == ["low", "medium", "high", "lossless"]
        assert "landlock stands around the decoders" in node.run("doctor") or "bubblewrap" in node.run(
            "doctor"
        )
        memory = node.stats()
        assert node.written("musicconnect") == []

        began = time.monotonic()
        node.kill()
        while node.restarts("musicconnect") == 0:
            assert time.monotonic() - began < 60, node.log()
            time.sleep(0.1)
        node.wait_until_ready()
        back_s = time.monotonic() - began
        node.wait_until_well()
        assert heard(node, track) == ["low", "medium", "high", "lossless"]

        began = time.monotonic()
        node.compose("stop")
        stop_s = time.monotonic() - began
        assert node.containers()["musicconnect"]["State"]["ExitCode"] == 0, node.log()

        node.compose("start")
        node.wait_until_ready()
        assert heard(node, track) == ["low", "medium", "high", "lossless"]
        restored(docker, node, track, tmp_path)
        say(
            f"one node: ready in {up_s:.1f} s, a track of 7 s in all qualities {took_s:.1f} s after its upload, killed and ready again in "
            f"{back_s:.1f} s, stopped in order in {stop_s:.1f} s, memory {', '.join(memory.values())}, nothing written outside /data"
        )


def restored(docker: Engine, node: Project, track: str, folder: Path) -> None:
    """The volume is saved as the manual says, and a node on the copy plays the same."""
    saved = folder / "saved.tar"
    node.compose("stop")
    packed = [
        client(),
        "run",
        "--rm",
        "--network",
        "none",
        "--volume",
        f"{node.name}:/data:ro",
        "--volume",
        f"{folder}:/saved",
    ]
    packed += ["--ulimit", "nofile=4096:4096", "--user", "0", "--entrypoint", "tar", IMAGE]
    docker.run(*packed, "--create", "--xattrs", "--file", "/saved/saved.tar", "--directory", "/data", ".")
    node.compose("down", "--volumes")
    docker.docker("volume", "create", node.name)
    packed[packed.index(f"{node.name}:/data:ro")] = f"{node.name}:/data"
    docker.run(*packed, "--extract", "--xattrs", "--file", "/saved/saved.tar", "--directory", "/data")
    node.up()
    assert heard(node, track) == ["low", "medium", "high", "lossless"]
    assert saved.stat().st_size > 0


# ---- a cluster


@pytest.fixture(scope="module")
def cluster(docker: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The cluster of compose.cluster.yml, up, with Debian's programs in place of images that no registry gives us."""
    images = {}
    for name in STAND_INS:
        docker.build("tests/deploy/docker/stand_ins/Dockerfile", f"stand-in-{name}", target=name)
        images[f"{name.upper()}_IMAGE"] = f"stand-in-{name}"
    folder = tmp_path_factory.mktemp("cluster")
    docker.run("sh", "deploy/docker/secrets.sh", str(folder / "secrets"))
    port = 18080
    with Project(
        docker,
        "compose.cluster.yml",
        name="drill-many",
        port=port,
        runs="web1",
        MUSICCONNECT_IMAGE=IMAGE,
        MUSICCONNECT_PUBLIC_URL=f"http://localhost:{port}",
        MUSICCONNECT_SECRETS=str(folder / "secrets"),
        MUSICCONNECT_CERTIFICATES=str(folder),
        **images,
    ) as running:
        up_s = running.up()
        running.wait_until_well()
        say(f"cluster: ready in {up_s:.1f} s, memory {memory(running)}")
        yield running


def memory(project: Project) -> str:
    """What each container takes."""
    used = {
        name.removeprefix(project.name)[1:].rpartition("_")[0]: told for name, told in project.stats().items()
    }
    return ", ".join(f"{name} {told}" for name, told in sorted(used.items()))


def test_a_cluster_plays_and_writes_nothing_but_what_it_should(cluster: Project, docker: Engine) -> None:
    assert sorted(cluster.containers()) == sorted(
        [*OURS, "migrate", "nginx-site", "nginx", "postgres", "redis", "s3"]
    )
    track, took_s = publish(cluster)
    assert heard(cluster, track) == ["low", "medium", "high", "lossless"]
    say(f"cluster: a track of 7 s in all qualities {took_s:.1f} s after its upload")
    for service in (*OURS, "nginx", "postgres", "redis", "s3"):
        assert cluster.written(service) == [], service
    # What lies in files is told nowhere else.
    told = docker.docker("inspect", *(str(one["Id"]) for one in cluster.containers().values()))
    told += cluster.compose("logs")
    for path in Path(cluster.environ["MUSICCONNECT_SECRETS"]).iterdir():
        assert path.name == "redis_conf" or path.read_text().strip() not in told, path.name


def test_a_web_server_that_dies_costs_no_request(cluster: Project) -> None:
    sign_in(cluster)
    cluster.make_release("Light")
    failed, asked, back_s = outlived(cluster, "web1")
    say(
        f"cluster: a web server killed: {failed} of {asked} requests failed, back and healthy in {back_s:.1f} s"
    )
    assert failed == 0, f"{failed} of {asked} requests failed although each was tried again once"


def test_a_job_outlives_its_worker(cluster: Project) -> None:
    sign_in(cluster)
    release = cluster.make_release("Second Light")
    # Long enough that it is still at work when it is found and killed.
    track = cluster.upload(release, "02 Song.flac", tone(120.0, 330))
    worker = cluster.holder(track)
    assert worker in {"worker1", "worker2"}
    before = cluster.restarts(worker)
    began = time.monotonic()
    cluster.kill(worker)
    cluster.wait_for(track, patience_s=240)
    assert cluster.restarts(worker) == before + 1
    say(
        f"cluster: the worker with the job killed: a track of 120 s was made {time.monotonic() - began:.1f} s later"
    )


@pytest.mark.parametrize("service", ["redis", "s3", "postgres"])
def test_music_is_made_again_when_an_engine_is_back(cluster: Project, service: str) -> None:
    sign_in(cluster)
    began = time.monotonic()
    cluster.kill(service)
    cluster.wait_until_well()
    cluster.wait_until_ready()
    release = cluster.make_release(f"Light after {service}")
    track = cluster.upload(release, "03 Song.flac", tone(7.0, 440))
    cluster.wait_for(track, patience_s=180)
    took_s = time.monotonic() - began
    assert heard(cluster, track) == ["low", "medium", "high", "lossless"]
    say(f"cluster: {service} killed: the next track was ready {took_s:.1f} s later")


def test_a_cluster_stops_in_order(cluster: Project) -> None:
    began = time.monotonic()
    cluster.compose("stop")
    say(f"cluster: stopped in {time.monotonic() - began:.1f} s")
    codes = {name: cluster.containers()[name]["State"]["ExitCode"] for name in OURS}
    assert codes == dict.fromkeys(OURS, 0)


def sign_in(project: Project) -> None:
    """The artist of this cluster, who may have signed up before."""
    if not project.token:
        project.sign_up()


def outlived(cluster: Project, service: str) -> tuple[int, int, float]:
    """Kill one and ask on until it is back: how many requests failed also when tried again, of how many, and the seconds it took."""
    before, failed, asked = cluster.restarts(service), 0, 0
    began = time.monotonic()
    cluster.kill(service)
    while True:
        asked += 1
        try:
            cluster.get("/api/v1/artists/trio")
        except (OSError, Refused):
            try:
                cluster.get("/api/v1/artists/trio")
            except (OSError, Refused):
                failed += 1
        if asked % 20 == 0 and cluster.restarts(service) > before and service not in cluster.unwell():
            return failed, asked, time.monotonic() - began
        assert time.monotonic() - began < 120, cluster.log()
