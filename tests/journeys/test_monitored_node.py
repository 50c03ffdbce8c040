"""Monitors of real nodes: the embedded server, gunicorn with several workers, and workers with a door of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import yaml

from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.servers.postgresql import Cluster

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "deploy" / "monitoring"
PATIENCE_S = 180
ELSEWHERE = {
    "musicconnect_backup_age_seconds": "a node that makes backups",
    "musicconnect_backup_every_seconds": "a node that makes backups",
    "musicconnect_cache_requests_total": "a node that has asked its cache",
    "musicconnect_certificate_ends_timestamp_seconds": "a node with https: tests/appliance/test_machine.py",
    "musicconnect_database_connections": "a node on PostgreSQL: below, with gunicorn",
    "patroni_postgres_running": "Patroni",
    "patroni_replica": "Patroni",
    "patroni_xlog_location": "Patroni",
    "patroni_xlog_replayed_location": "Patroni",
}
"""What alerts and dashboard ask for that a node with the demo does not tell, and who does."""


def read(url: str, headers: dict[str, str] | None = None) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=30) as answer:
        return str(answer.read().decode())


def series(text: str, name: str) -> dict[str, float]:
    """All values of a name, by their labels as they are written."""
    found = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.M)
    return {labels: float(value) for labels, value in found}


def until(ask: Callable[[], object], *, otherwise: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            if ask():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.1)


def sign_in(node: Node, password: str) -> None:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(f"{node.url}/sign-in", timeout=30).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    fields = {"email": "fan@demo.com", "password": password, "csrf_token": token[1]}
    try:
        browser.open(f"{node.url}/sign-in", urllib.parse.urlencode(fields).encode(), timeout=30).read()
    except urllib.error.HTTPError as error:
        error.close()


def asked_for() -> set[str]:
    """The metrics that alerts and dashboard ask for."""
    groups = yaml.safe_load((PLACE / "prometheus-rules.yml").read_text("utf-8"))["groups"]
    asked = [rule["expr"] for group in groups for rule in group["rules"]]
    panels = json.loads((PLACE / "grafana-dashboard.json").read_text("utf-8"))["panels"]
    asked += [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return {name for one in asked for name in re.findall(r"\b(?:musicconnect|flask|patroni)_\w+", one)}


def test_a_node_with_the_demo_tells_all_that_alerts_and_dashboard_ask_for(
    demo_node: Node,
) -> None:
    sign_in(demo_node, "password123")
    sign_in(demo_node, "not the password")
    demo_node.run("ledger", "check")
    wanted = asked_for() - set(ELSEWHERE)

    def missing() -> set[str]:
        text = read(f"{demo_node.url}/metrics")
        told = set(re.findall(r"^# TYPE (\w+) \w+$", text, re.M))
        return {name for name in wanted if re.sub(r"_(bucket|count|sum)$", "", name) not in told}

    # Chores come within a minute, and music takes its time.
    until(lambda: not missing(), otherwise=missing)
    # As the chore does by night.
    count = (
        "from appliance import clock, settings, startup;"
        "from appliance.collective import storage_use;"
        "made = startup.start(settings.load());"
        "storage_use.count(made.store, now=clock.now())"
    )
    subprocess.run([sys.executable, "-c", count], env=demo_node.environ, cwd=ROOT, check=True, timeout=60)
    until(
        lambda: series(read(f"{demo_node.url}/metrics"), "musicconnect_storage_bytes").get(
            'folder="originals"'
        )
    )
    text = read(f"{demo_node.url}/metrics")
    audio = series(text, "musicconnect_transcoded_audio_seconds_total")
    assert audio['kind="transcode"'] > 0, "counted by the worker, told by the web server"
    signed_in = series(text, "musicconnect_sign_ins_total")
    assert signed_in['outcome="let_in",way="password"'] >= 1
    assert signed_in['outcome="refused",way="password"'] >= 1
    for labels in re.findall(r"^\w+\{(.*)\} ", text, re.M):
        for value in re.findall(r'="((?:[^"\\]|\\.)*)"', labels):
            # No id, no address, no word of anybody's.
            assert re.fullmatch(r"[a-z_.+A-Z0-9-]{1,50}", value), labels
            assert not re.search(r"[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{16}|demo\.com", value), labels


def test_behind_a_proxy_that_nobody_told_of_the_embedded_server_tells_strangers_nothing(
    demo_node: Node,
) -> None:
    """The server takes such headers away, and yet knows that there was one."""
    try:
        read(f"{demo_node.url}/metrics", {"X-Forwarded-For": "203.0.113.9"})
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == 403
    else:
        raise AssertionError("a stranger was told")


@contextmanager
def running(argv: list[str], environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as file:
        process = subprocess.Popen(
            argv, env=environ, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def children_of(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_whichever_worker_of_gunicorn_is_asked_tells_of_all(
    postgresql: Cluster, postgresql_tables: str, tmp_path: Path
) -> None:
    url = postgresql.new_database(like=postgresql_tables)
    port, door = free_port(), free_port()
    data = tmp_path / "data"
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MUSICCONNECT_DATA": str(data),
        "MUSICCONNECT_DATABASE_URL": url,
        "MUSICCONNECT_QUEUE_URL": f"sqlite:///{tmp_path / 'queue.sqlite3'}",
        "MUSICCONNECT_METRICS_PORT": str(door),
        "MUSICCONNECT_WEB_SERVER": "gunicorn",
        "MUSICCONNECT_WEB_WORKERS": "3",
        "MUSICCONNECT_WEB_THREADS": "2",
    }
    gunicorn = [sys.executable, "-m", "appliance", "web", "--port", str(port)]
    here = f"http://127.0.0.1:{port}"
    home = 'endpoint="api.list_releases",method="GET",status="200"'
    counted = "flask_http_request_duration_seconds_count"
    try:
        with running(gunicorn, environ, tmp_path / "log") as master:
            until(lambda: read(f"{here}/health") and len(children_of(master.pid)) == 3)
            for _ in range(60):
                read(f"{here}/api/v1/releases")
            for _ in range(12):
                assert series(read(f"{here}/metrics"), counted)[home] == 60
            held = "musicconnect_database_connections"
            until(lambda: series(read(f"{here}/metrics"), held).get('state="most"', 0) > 0)
            lost = children_of(master.pid)[0]
            os.kill(lost, signal.SIGKILL)
            until(lambda: lost not in children_of(master.pid) and len(children_of(master.pid)) == 3)
            until(lambda: series(read(f"{here}/metrics"), counted)[home] == 60)
            files = {path.name for path in (data / "run" / "metrics").rglob("*.db")}
            assert "counter_gone.db" in files
            assert not [name for name in files if f"_{lost}-" in name]
            # One of the workers has the door, and tells of all as well.
            until(lambda: series(read(f"http://127.0.0.1:{door}/metrics"), counted)[home] == 60)
    finally:
        postgresql.drop(url)


def test_of_several_workers_one_has_the_door_and_another_takes_it_over(tmp_path: Path) -> None:
    door = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MUSICCONNECT_DATA": str(tmp_path / "data"),
        "MUSICCONNECT_METRICS_PORT": str(door),
        "MUSICCONNECT_METRICS_NETWORKS": "192.0.2.0/24",
        "MUSICCONNECT_METRICS_TOKEN": "a-token-of-a-monitor",
    }
    musicconnect = [sys.executable, "-m", "appliance"]
    subprocess.run([*musicconnect, "migrate"], env=environ, cwd=ROOT, check=True, timeout=60)
    here, token = f"http://127.0.0.1:{door}/metrics", {"Authorization": "Bearer a-token-of-a-monitor"}
    log = tmp_path / "log"
    with running([*musicconnect, "worker"], environ, log) as first:
        until(lambda: "musicconnect_database_up 1.0" in read(here, token))
        with running([*musicconnect, "worker"], environ, log):
            until(lambda: log.read_text().count("worker ready") == 2)
            first.kill()
            first.wait()
            until(lambda: "musicconnect_build_info" in read(here, token))
            for headers in ({}, {"Authorization": "Bearer another"}):
                try:
                    read(here, headers)
                except urllib.error.HTTPError as error:
                    with error:
                        assert error.code == 403
                else:
                    raise AssertionError("a stranger was told")
