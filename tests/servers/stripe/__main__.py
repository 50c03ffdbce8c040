"""The server: ``python -m tests.servers.stripe [PORT [ADDRESS]]`` prints its port and serves until it is killed."""

from __future__ import annotations

import json
import secrets
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.servers.stripe import api
from tests.servers.stripe import control
from tests.servers.stripe import deliveries
from tests.servers.stripe import pages
from tests.servers.stripe.wire import Fault
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import digest
from tests.servers.stripe.wire import form
from tests.servers.stripe.wire import stripped
from tests.servers.stripe.world import API_VERSION
from tests.servers.stripe.world import World

WORLD = World()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "stripe"
    # Headers and body leave together: else each answer waits for the acknowledgement of its first half.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """API, or a page."""
        self._any("")

    def do_DELETE(self) -> None:
        """API."""
        self._any("")

    def do_POST(self) -> None:
        """API, a form, or a word of the test."""
        self._any(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())

    def _any(self, body: str) -> None:
        place = urlsplit(self.path)
        try:
            if place.path.startswith("/_control/"):
                said = json.loads(body or "{}")
                with WORLD.lock:
                    if place.path == "/_control/deliver":
                        found = None
                    else:
                        found = control.act(WORLD, place.path.removeprefix("/_control/"), said)
                # Without the lock: whoever is told may ask at once.
                self._json(200, deliveries.deliver(WORLD) if found is None else stripped(found))
            elif place.path.startswith("/v1/"):
                self._api(place.path, body or place.query)
            else:
                with WORLD.lock:
                    status, page = (
                        pages.post(WORLD, place.path, form(body))
                        if self.command == "POST"
                        else pages.get(WORLD, place.path)
                    )
                self._page(status, page)
        except Fault as fault:
            self._json(fault.status, fault.body)

    def _api(self, path: str, body: str) -> None:
        if not self.headers.get("Authorization", "").startswith(("Bearer sk_test_", "Bearer rk_test_")):
            raise Fault(401, "invalid_request_error", "Invalid API Key provided: sk_*****")
        if self.headers.get("Stripe-Version") != API_VERSION:
            raise Fault(400, "invalid_request_error", "The fake has one version only")
        key = self.headers.get("Idempotency-Key", "")
        name = f"{self.command} {path}"
        with WORLD.lock:
            WORLD.requests.append({"name": name, "key": key, "body": body})
            kind, seconds = self._fault(name)
        if kind == "hang":
            time.sleep(seconds)
        if kind in {"drop_before", "hang"}:
            self._drop()
            return
        if kind == "429":
            raise Fault(429, "invalid_request_error", "Too many requests", code="rate_limit")
        if kind == "500":
            raise Fault(500, "api_error", "Something went wrong on Stripe's end")
        if kind == "declined":
            raise Fault(402, "card_error", "Declined.", code="card_declined", decline="generic_decline")
        status, found = self._once(key, name, path, body)
        if kind == "drop_after":
            self._drop()
            return
        self._json(status, found)

    def _once(self, key: str, name: str, path: str, body: str) -> tuple[int, Thing]:
        """The answer; the same one as before to the same key."""
        with WORLD.lock:
            stands_for = digest(name, body)
            if self.command == "POST" and key in WORLD.answers:
                former, status, found = WORLD.answers[key]
                if former != stands_for:
                    raise Fault(
                        400,
                        "idempotency_error",
                        "Keys for idempotent requests can only be used with the same parameters.",
                    )
                return status, found
            try:
                status, found = 200, api.answer(WORLD, self.command, path, form(body))
            except Fault as fault:
                if fault.status != 402:
                    raise
                status, found = fault.status, fault.body
            if self.command == "POST" and key:
                WORLD.answers[key] = (stands_for, status, found)
            return status, found

    def _fault(self, name: str) -> tuple[str, float]:
        for fault in WORLD.faults:
            if fault["match"] in name and fault["times"] > 0:
                fault["times"] -= 1
                return str(fault["kind"]), float(fault["seconds"])
        return "", 0.0

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _json(self, status: int, found: Any) -> None:
        self._send(status, "application/json", json.dumps(found))

    def _page(self, status: int, page: str) -> None:
        if status == 303:
            self._send(status, "text/html; charset=utf-8", "", Location=page)
        else:
            self._send(status, "text/html; charset=utf-8", page)

    def _send(self, status: int, kind: str, text: str, **headers: str) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
            "Request-Id": f"req_{secrets.token_hex(7)}",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    """Threads, since a request may hang while others go on."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """A client that went away is none of our business."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*_)


def main() -> None:
    """Serve until killed."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
    server = Server((address, port), Handler)
    WORLD.url = f"http://{address}:{server.server_port}"
    deliveries.postman(WORLD)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
