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


@pytest.fixture
def cluster(docker: Engine, tmp_path: Path) -> Iterator[Project]:
    """The cluster of compose.cluster.yml, with Debian's programs in place of images that no registry gives us."""
    images = {}
    for name in STAND_INS:
        docker.build("tests/deploy/docker/stand_ins/Dockerfile", f"stand-in-{name}", target=name)
        images[f"{name.upper()}_IMAGE"] = f"stand-in-{name}"
    docker.run("sh", "deploy/docker/secrets.sh", str(tmp_path / "secrets"))
    port = 18080
    with Project(
        docker,
        "compose.cluster.yml",
        name="drill-many",
        port=port,
        runs="web1",
        MUSICCONNECT_IMAGE=IMAGE,
        MUSICCONNECT_PUBLIC_URL=f"http://localhost:{port}",
        MUSICCONNECT_SECRETS=str(tmp_path / "secrets"),
        MUSICCONNECT_CERTIFICATES=str(tmp_path),
        **images,
    ) as running:
        yield running


def test_a_cluster_comes_up_plays_and_outlives_its_parts(
    cluster: Project, docker: Engine, tmp_path: Path
) -> None:
    up_s = cluster.up()
    cluster.wait_until_well()
    assert sorted(cluster.containers()) == sorted(
        [*OURS, "migrate", "nginx-site", "nginx", "postgres", "redis", "s3"]
    )
    track, took_s = publish(cluster)
    assert heard(cluster, track) == ["low", "medium", "high", "lossless"]
    memory = cluster.stats()
    for service in (*OURS, "nginx", "postgres", "redis", "s3"):
        assert cluster.written(service) == [], service

    # What lies in files is told nowhere else.
    told = docker.docker(
        "inspect", *(cluster.container(name) for name in cluster.containers())
    ) + cluster.compose("logs")
    for path in (tmp_path / "secrets").iterdir():
        assert path.name == "redis_conf" or path.read_text().strip() not in told, path.name

    failed, asked, back_s = outlived(cluster, "web1", track)
    assert failed == 0, f"{failed} of {asked} requests failed although each was tried again once"

    # A worker dies with a job in hand: the other one, or itself when it is back, takes it up.
    release = cluster.make_release("Second Light")
    second = cluster.upload(release, "02 Song.flac", tone(7.0, 330))
    cluster.kill("worker1")
    cluster.wait_for(second, patience_s=180)
    for service in ("redis", "postgres", "s3"):
        cluster.kill(service)
        cluster.wait_until_well()
        cluster.wait_until_ready()
    assert heard(cluster, track) == ["low", "medium", "high", "lossless"]
    third = cluster.upload(release, "03 Song.flac", tone(7.0, 440))
    cluster.wait_for(third, patience_s=180)

    began = time.monotonic()
    cluster.compose("stop")
    stop_s = time.monotonic() - began
    badly = {
        name: told["State"]["ExitCode"]
        for name, told in cluster.containers().items()
        if told["State"]["ExitCode"]
    }
    assert not {name for name in badly if name in OURS}, badly
    say(
        f"cluster: ready in {up_s:.1f} s, a track of 7 s in all qualities {took_s:.1f} s after its upload, a web server killed: {failed} of {asked} "
        f"requests failed, back in {back_s:.1f} s, stopped in {stop_s:.1f} s, memory "
        + ", ".join(
            f"{name.removeprefix('drill-many')[1:].rpartition('_')[0]} {used}"
            for name, used in sorted(memory.items())
        )
    )


def outlived(cluster: Project, service: str, track: str) -> tuple[int, int, float]:
    """Kill one and ask on until it is back: how many requests failed also when tried again, of how many, and the seconds it took."""
    before, failed, asked = cluster.restarts(service), 0, 0
    began = time.monotonic()
    cluster.kill(service)
    while True:
        asked += 1
        try:
            cluster.get(f"/api/v1/tracks/{track}")
        except (OSError, Refused):
            try:
                cluster.get(f"/api/v1/tracks/{track}")
            except (OSError, Refused):
                failed += 1
        if asked % 20 == 0 and cluster.restarts(service) > before and service not in cluster.unwell():
            return failed, asked, time.monotonic() - began
        assert time.monotonic() - began < 120, cluster.log()
