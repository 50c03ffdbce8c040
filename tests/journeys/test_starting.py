"""What stops a node before it starts: a wrong setting is told once, and nothing is left running."""

import subprocess
import sys

import pytest

from tests.servers.node import Node


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("port", "99999", "The setting 'port' is '99999' in MUSICCONNECT_PORT"),
        (
            "store_url",
            "s3://KEY:hunter2@127.0.0.1/x",
            "The setting 'store_url' is 's3://***:***@127.0.0.1/x'",
        ),
        ("ffmpeg", "/nowhere/ffmpeg", "The setting 'ffmpeg' is '/nowhere/ffmpeg'; allowed is a program"),
    ],
)
def test_a_wrong_setting_stops_the_start(tmp_path, name, value, told):
    environ = {**Node(tmp_path).environ, "MUSICCONNECT_PORT": "0", f"MUSICCONNECT_{name.upper()}": value}
    serve = [sys.executable, "-m", "appliance", "serve"]
    done = subprocess.run(serve, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["musicconnect.sqlite3", "queue.sqlite3"])
def test_a_damaged_file_is_told_with_its_mend_by_every_command(tmp_path, name):
    node = Node(tmp_path)
    node.run("migrate")
    (tmp_path / name).write_bytes(b"no database" * 1000)
    for command in (["doctor"], ["jobs"], ["worker"], ["web", "--port", "0"]):
        argv = [sys.executable, "-m", "appliance", *command]
        done = subprocess.run(argv, capture_output=True, text=True, env=node.environ, timeout=60, check=False)
        assert done.returncode == (1 if command == ["doctor"] else 3), done.stderr
        assert "does not answer" in done.stdout + done.stderr
        assert ("put a backup" if name.startswith("music") else "move ") in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_a_worker_waits_for_nobody_to_migrate(tmp_path):
    argv = [sys.executable, "-m", "appliance", "worker"]
    environ = Node(tmp_path).environ
    done = subprocess.run(argv, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert done.returncode == 3
    assert "run 'musicconnect migrate'" in done.stderr
