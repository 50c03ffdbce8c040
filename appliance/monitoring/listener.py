"""A door of its own for monitors, for machines whose web server is not for them or that have none: the setting ``metrics_port``.

Several processes of a machine share their counts, so any of them can answer for all. Whoever comes first has the door; the others wait
behind it and open it when that one is gone.
"""

import errno
import logging
import socket
import threading
from collections.abc import Callable
from collections.abc import Iterable
from socketserver import TCPServer
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.simple_server import WSGIServer
from wsgiref.simple_server import make_server

from appliance.errors import Unavailable
from appliance.monitoring import readers
from appliance.monitoring.exposition import Exposition
from appliance.monitoring.readers import FORWARDED
from appliance.settings import Settings

log = logging.getLogger(__name__)

TRIED_EVERY_S = 5.0
PATIENCE_S = 10
Start = Callable[[str, list[tuple[str, str]]], object]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True

    def server_bind(self) -> None:
        # Without asking the network for a name of this address, which may take as long as the network likes.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_S

    def address_string(self) -> str:
        return str(self.client_address[0])

    def log_message(self, format: str, *arguments: Any) -> None:
        # Without what was asked for: a stranger may ask for anything.
        log.debug("monitor answered")


def start(settings: Settings) -> None:
    """Open the door when the settings want one, as soon as nobody of this machine has it; ``Unavailable`` for an address that cannot be."""
    if not settings.metrics_port:
        return
    application = answering(settings)
    if not _open(settings, application):
        threading.Thread(target=_wait, args=(settings, application), name="metrics-door", daemon=True).start()


def answering(settings: Settings) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The WSGI application behind the door."""
    exposition, allowed = Exposition(settings), readers.of(settings)

    def answer(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        may = allowed.may_read(
            str(environ.get("REMOTE_ADDR", "")),
            authorization=str(environ.get("HTTP_AUTHORIZATION", "")),
            # Nothing stands in front of this door, whatever 'trusted_proxies' says of the other one.
            forwarded=any(f"HTTP_{name.upper().replace('-', '_')}" in environ for name in FORWARDED),
        )
        if environ.get("PATH_INFO") != "/metrics" or environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
            status, body, kind = "404 Not Found", b"Only /metrics is here.\n", "text/plain"
        elif not may:
            status, body, kind = "403 Forbidden", b"This is for the monitors of this node.\n", "text/plain"
        else:
            status = "200 OK"
            body, kind = exposition.text(str(environ.get("HTTP_ACCEPT", "")))
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else body]

    return answer


def _open(settings: Settings, application: Any) -> bool:
    host, port = settings.metrics_host, settings.metrics_port
    try:
        server = make_server(
            host, port, application, _Server6 if ":" in host else _Server, handler_class=_Handler
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise Unavailable(
            f"Cannot listen on {host} port {port} for monitors: {error.strerror or error}."
        ) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("monitors are answered", extra={"host": host, "port": port})
    return True


def _wait(settings: Settings, application: Any) -> None:
    pause = threading.Event()
    while not pause.wait(TRIED_EVERY_S):
        try:
            if _open(settings, application):
                return
        except Unavailable:
            log.warning("monitors are not answered", exc_info=True)
