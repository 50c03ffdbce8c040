"""Requests as bytes: what no well-behaved client would send."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

PATIENCE_S = 20.0
QUIET_S = 2.0


@dataclass(frozen=True)
class Answer:
    """What came back to one request; status 0 when the server hung up without a word."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    port: int, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, host: str = ""
) -> Answer:
    """One request on a connection of its own, with *path* sent as it is."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    raw = exchange(port, "\r\n".join([*lines, "", ""]).encode("latin-1"))
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    status = int(first.split()[1]) if first.startswith("HTTP/") else 0
    told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    return Answer(status, told, body)


def exchange(port: int, sent: bytes, *, quiet_s: float = PATIENCE_S) -> bytes:
    """Send these bytes, and read until the server hangs up or says nothing for a while."""
    received = b""
    # Not half closed: nginx takes that for a client who left.
    with socket.create_connection(("127.0.0.1", port), timeout=quiet_s) as line, contextlib.suppress(OSError):
        line.sendall(sent)
        while block := line.recv(65536):
            received += block
    return received


def statuses(raw: bytes) -> list[int]:
    """The status of each answer in *raw*, in order; bodies of ours hold no status line."""
    return [int(part.split()[0]) for part in raw.split(b"HTTP/1.1 ")[1:]]
