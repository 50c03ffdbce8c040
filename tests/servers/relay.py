"""A network between a program and PostgreSQL that can be cut: then nothing comes through, and nobody is told."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import parse_qs
from urllib.parse import urlsplit


class Relay:
    """Passes on what comes to a port of this machine to the socket of a server, and back."""

    def __init__(self, url: str) -> None:
        asked = urlsplit(url)
        self._socket = f"{parse_qs(asked.query)['host'][0]}/.s.PGSQL.5432"
        self._open = threading.Event()
        self._open.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.url = f"postgresql://{asked.username}@127.0.0.1:{port}{asked.path}"

    def __enter__(self) -> Relay:
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.mend()
        self._listening.close()

    def cut(self) -> None:
        """From now on nothing comes through."""
        self._open.clear()

    def mend(self) -> None:
        """What waited goes on."""
        self._open.set()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._socket)
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := source.recv(65536):
                self._open.wait()
                target.sendall(said)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
