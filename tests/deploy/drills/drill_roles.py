"""The roles of the engines on a bare host: dry run, install, install again, dry run again, uninstall. Run by ``make drills``."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.deploy.drills.conftest import PASSWORDS
from tests.deploy.drills.conftest import certificates
from tests.deploy.drills.stage import PLACE
from tests.deploy.drills.stage import Stage
from tests.deploy.drills.stage import there

ROLES = ("etcd", "postgres", "redis", "objectstore", "haproxy", "monitoring")
UNITS = (
    "etcd",
    "patroni",
    "pgbouncer",
    "redis-server",
    "redis-sentinel",
    "objectstore",
    "haproxy",
    "prometheus",
)
PORT = 8099
# A binary that answers as a MinIO-compatible one does when it is asked how it is. The real ones cannot be fetched everywhere.
STAND_IN = """#!/usr/bin/python3
import http.server, sys
host, port = sys.argv[sys.argv.index("--address") + 1].split(":")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/minio/health/live" else 403)
        self.end_headers()
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


def test_a_bare_host_takes_the_roles_and_gives_them_back() -> None:
    if not there():
        pytest.skip("Drills need root, systemd-nspawn and tests/deploy/hosts.sh.")
    folder = Path(PLACE["TH_DIR"], "drill-roles")
    (folder / "files").mkdir(parents=True, exist_ok=True)
    (folder / "files" / "objectstore").write_text(STAND_IN, "utf-8")
    group = ["bare1"]
    groups = dict.fromkeys(
        ("etcd", "postgres", "redis", "objectstore", "engine_clients", "monitoring"), group
    )
    told = {
        "musicconnect_container": True,
        **PASSWORDS,
        **certificates(folder / "tls"),
        "redis_down_after_ms": 4000,
        "objectstore_binary_sha256": hashlib.sha256(STAND_IN.encode()).hexdigest(),
        "objectstore_root_user": "root-of-the-drill",
        "objectstore_root_password": "password-of-the-drill",
    }
    stage = Stage(folder, groups, told)
    stage.up()
    files = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "http.server",
            str(PORT),
            "--bind",
            stage.gateway,
            "--directory",
            str(folder / "files"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told["objectstore_binary_url"] = f"http://{stage.gateway}:{PORT}/objectstore"
        began = time.monotonic()
        dry = stage.play("services.yml", "--check")
        took = [time.monotonic() - began]
        for _ in range(2):
            began = time.monotonic()
            changed = stage.play("services.yml")
            took.append(time.monotonic() - began)
        checked = stage.play("services.yml", "--check")
        running = {unit for unit in UNITS if active(stage, unit)}
        away = {f"{role}_state": "absent" for role in ROLES} | {
            f"{role}_remove_data": True for role in ROLES if role != "haproxy"
        }
        removed = stage.play("services.yml", **away)
        left = {unit for unit in UNITS if active(stage, unit)}
        again = stage.play("services.yml", **away)
        dry_after = stage.play("services.yml", "--check")
    finally:
        files.terminate()
        files.wait()
        stage.hosts("wipe", "bare1")
    print(
        f"\nDRILL roles on a bare host: dry run {took[0]:.0f} s · install {took[1]:.0f} s · second run {took[2]:.0f} s, changed"
        f" {changed['bare1']} · dry run then {checked['bare1']} · uninstall changed {removed['bare1']}, again {again['bare1']}"
    )
    assert dry["bare1"] > 0
    assert changed == checked == again == {"bare1": 0}
    assert running == set(UNITS)
    assert not left
    assert dry_after["bare1"] > 0


def active(stage: Stage, unit: str) -> bool:
    try:
        return stage.on("bare1", "systemctl", "is-active", unit).strip() == "active"
    except AssertionError:
        return False
