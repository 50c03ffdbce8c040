"""A server that speaks Sentry's protocol, in a process of its own: it takes envelopes and tells a test what was in them.

Run as ``python -m tests.servers.sentry``: it prints its port. It is written from the description of the protocol (develop.sentry.dev/sdk/data-model/envelopes)
and refuses what does not follow it: a request without the key of the project, an envelope that does not hold what its header says.
"""

from __future__ import annotations

import gzip
import http.server
import json
import re
import threading
from typing import Any

import brotli

from tests.servers.observer import Observer
from tests.servers.observer import serve

KEY, PROJECT = "0123456789abcdef0123456789abcdef", "7"
_AUTH = re.compile(r"Sentry (.+)")


def dsn(server: Observer) -> str:
    return f"http://{KEY}@127.0.0.1:{server.port}/{PROJECT}"


class Wrong(Exception):
    """A request that no server would take: a status and a sentence."""


def events_of(path: str, headers: Any, body: bytes) -> list[dict[str, Any]]:
    """The events in one request, with the header of their envelope; ``Wrong`` for what no server would take."""
    if path != f"/api/{PROJECT}/envelope/":
        raise Wrong(404, f"nothing at {path}")
    found = _AUTH.fullmatch(headers.get("X-Sentry-Auth", ""))
    given = dict(part.strip().split("=", 1) for part in found[1].split(",")) if found else {}
    if given.get("sentry_key") != KEY or given.get("sentry_version") != "7":
        raise Wrong(403, f"not authorised by {given}")
    if headers.get("Content-Type") != "application/x-sentry-envelope":
        raise Wrong(415, "no envelope")
    unpack = {"gzip": gzip.decompress, "br": brotli.decompress}.get(headers.get("Content-Encoding", ""))
    if unpack:
        body = unpack(body)
    head, _, rest = body.partition(b"\n")
    envelope = json.loads(head)
    events = []
    while rest:
        described, _, rest = rest.partition(b"\n")
        item = json.loads(described)
        length = item.get("length", rest.find(b"\n") if b"\n" in rest else len(rest))
        payload, rest = rest[:length], rest[length:]
        if len(payload) != length or (rest and not rest.startswith(b"\n")):
            raise Wrong(400, "an item of another length")
        rest = rest[1:]
        events.append({"type": item["type"], "envelope": envelope, "event": json.loads(payload)})
    return events


class Handler(http.server.BaseHTTPRequestHandler):
    """Takes envelopes; ``GET /seen`` tells them."""

    seen: list[dict[str, Any]] = []
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            events = events_of(self.path, self.headers, body)
            answer, status = {"id": events[0]["envelope"].get("event_id", "")}, 200
        except Wrong as wrong:
            events = [{"type": "wrong", "why": wrong.args[1]}]
            answer, status = {"detail": wrong.args[1]}, wrong.args[0]
        with self.lock:
            self.seen.extend(events)
        self.tell(status, answer)

    def do_GET(self) -> None:
        with self.lock:
            self.tell(200, self.seen)

    def tell(self, status: int, said: object) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    serve(Handler)
