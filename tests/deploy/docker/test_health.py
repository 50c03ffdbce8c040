"""What Docker is told when it asks a container whether it is well."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from tests.waiting import until

HEALTH = Path(__file__).resolve().parents[3] / "deploy" / "docker" / "health.py"


@pytest.fixture
def health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program of the image, which sees no process but those that a test shows to it."""
    spec = importlib.util.spec_from_file_location("health", HEALTH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PROCESSES", tmp_path)
    return module


@contextmanager
def server(status: int) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/health"
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield running.server_port
        finally:
            running.shutdown()
            thread.join()


def words_of(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


@contextmanager
def worker(tmp_path: Path, script: str = "import time\nwhile True: time.sleep(0.05)") -> Iterator[int]:
    """A process with the words of a worker, behind an init with the same words."""
    process = subprocess.Popen([sys.executable, "-c", script, "worker"], stdin=subprocess.DEVNULL)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "cmdline").write_bytes(b"/sbin/docker-init\0--\0musicconnect\0worker\0")
    (tmp_path / str(process.pid)).symlink_to(f"/proc/{process.pid}")
    # Popen goes on a moment before the process has its new words.
    until(lambda: b"worker" in words_of(process.pid))
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def test_a_web_server_that_answers_is_well(health: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(200) as port:
        monkeypatch.setenv("MUSICCONNECT_PORT", str(port))
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert health.main() == ""


def test_a_web_server_that_answers_with_an_error_is_not_well(health: ModuleType) -> None:
    with server(500) as port:
        assert "500" in health.web(str(port))


def test_a_web_server_that_is_not_there_is_not_well(health: ModuleType) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert "does not answer" in health.web(str(probe.getsockname()[1]))


def test_a_worker_that_wakes_is_well(health: ModuleType, tmp_path: Path) -> None:
    with worker(tmp_path):
        assert health.main() == ""


def test_a_worker_that_hangs_is_not_well(
    health: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "WATCHED_S", 0.5)
    with worker(tmp_path) as pid:
        os.kill(pid, signal.SIGSTOP)
        # WUNTRACED: the signal is on its way until the process has stopped.
        os.waitpid(pid, os.WUNTRACED)
        assert "has not moved" in health.main()


def test_a_worker_that_is_gone_is_not_well(health: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "cmdline").write_bytes(b"/sbin/docker-init\0--\0musicconnect\0worker\0")
    assert health.main() == "no worker runs"


def test_the_answer_is_an_exit_code_and_a_sentence() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(HEALTH)],
            env={"MUSICCONNECT_PORT": port},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert port in done.stdout
