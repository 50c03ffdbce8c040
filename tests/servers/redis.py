"""A Redis of our own on a free port, to be killed, frozen and started again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import redis

PATIENCE_S = 20.0


class Redis:
    """A server that keeps its port, and its data where *kept*."""

    def __init__(self, *, kept: bool = False) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed; 'make test' says which package it comes in"
        self.folder = Path(tempfile.mkdtemp(prefix="redis-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        keeping = ["--appendonly", "yes"] if kept else ["--save", ""]
        address = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        self.argv = [program, *address, *keeping]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Redis:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self) -> redis.Redis:
        """Somebody who speaks to it."""
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < deadline, "Redis does not start"
                time.sleep(0.05)

    def kill(self) -> None:
        """By -9, also when it is frozen."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """It takes connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It answers again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
