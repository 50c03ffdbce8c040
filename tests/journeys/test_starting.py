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


@pytest.mark.parametrize(
    ("name", "value", "package"),
    [
        ("database_url", "postgresql://127.0.0.1:1/music", "psycopg"),
        ("queue_url", "redis://127.0.0.1:1/0", "redis"),
        ("queue_url", "postgresql://127.0.0.1:1/music", "psycopg"),
        ("cache_url", "redis://127.0.0.1:1/0", "redis"),
        ("rate_limit_url", "rediss://127.0.0.1:1/0", "redis"),
    ],
)
def test_an_engine_that_nothing_installed_speaks_to_is_told_with_what_to_install(
    tmp_path, name, value, package
):
    without = f"import sys; sys.modules[{package!r}] = None; from appliance.cli import main; main()"
    environ = {**Node(tmp_path).environ, f"MUSICCONNECT_{name.upper()}": value}
    argv = [sys.executable, "-c", without, "migrate"]
    done = subprocess.run(argv, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert done.returncode == 2
    assert (
        f"'{name}' needs the package {package}, which is not installed; run: pip install 'musicconnect[cluster]'."
        in done.stderr
    )
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


@pytest.mark.parametrize("command", ["serve", "web"])
def test_a_node_with_demo_accounts_listens_on_this_machine_only(tmp_path, command):
    node = Node(tmp_path)
    node.run("migrate")
    node.run("demo")
    environ = {**node.environ, "MUSICCONNECT_HOST": "0.0.0.0", "MUSICCONNECT_PORT": "0"}
    argv = [sys.executable, "-m", "appliance", command]
    done = subprocess.run(argv, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert done.returncode == 2
    assert "must not listen on 0.0.0.0" in done.stderr


def test_a_taken_port_is_told_and_a_running_node_stops_in_order(tmp_path):
    with Node(tmp_path / "one") as node:
        argv = [sys.executable, "-m", "appliance", "serve", "--port", str(node.port)]
        environ = Node(tmp_path / "two").environ
        done = subprocess.run(argv, capture_output=True, text=True, env=environ, timeout=60, check=False)
        assert done.returncode == 3
        assert f"Cannot listen on 127.0.0.1 port {node.port}" in done.stderr
        process = node.process
        assert node.stop() < 10
        assert process.returncode == 0
