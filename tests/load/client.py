"""A browser or a program of the load: keeps its cookies, follows nobody by itself, and tries once more what may be repeated."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin
from urllib.parse import urlsplit

import urllib3

from tests.load.journal import Asked
from tests.load.journal import Journal

TIMEOUT_S = 15
PAUSE_S = 0.5
"""How long it waits before it asks once more."""
LONGEST_WAIT_S = 60
OVERLOADED = frozenset({429, 500, 502, 503, 504})


class Failed(Exception):
    """A request was not answered as it should be, also not the second time."""


class Client:
    """One of the many."""

    def __init__(
        self, base: str, journal: Journal, *, token: str = "", ca: str = "", timeout_s: float = TIMEOUT_S
    ) -> None:
        self.base, self.journal, self.token = base.rstrip("/"), journal, token
        self.cookies: dict[str, str] = {}
        told: dict[str, Any] = {"ca_certs": ca} if ca else {}
        self._pool = urllib3.PoolManager(timeout=timeout_s, retries=False, **told)

    def ask(
        self,
        act: str,
        method: str,
        path: str,
        *,
        expected: Collection[int] = (200,),
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """One request, noted in the journal as *act*; ``Failed`` when it was not answered with one of the *expected* statuses.

        What is *repeatable* (by RFC 9110, section 9.2.2: GET, HEAD and PUT; others where the caller says so) is asked once more.
        """
        once_more = method in {"GET", "HEAD", "PUT"} if repeatable is None else repeatable
        began, at_s, status, tries, told_to_wait = time.monotonic(), time.time(), 0, 0, False
        while True:
            tries += 1
            answer = self._send(method, path, body, headers or {})
            status = answer.status if answer is not None else 0
            # What was begun under the same key and died with its server is done anew, but not at once.
            if answer is not None and status == 409 and once_more and not told_to_wait and "Retry-After" in answer.headers:  # fmt: skip
                told_to_wait = True
                time.sleep(min(int(answer.headers["Retry-After"]), LONGEST_WAIT_S))
                continue
            again = answer is None or status in OVERLOADED
            if not (again and once_more and tries == 1):
                break
            time.sleep(PAUSE_S)
        answered = answer is not None and status in expected
        self.journal.write(Asked(act, at_s, time.monotonic() - began, status, tries, answered, once_more))
        if answer is None or not answered:
            raise Failed(f"{act}: {status} {answer.data[:200] if answer is not None else ''!r}")
        return answer

    def get(self, act: str, path: str) -> Any:
        """JSON from there."""
        return json.loads(self.ask(act, "GET", path).data)

    def post(self, act: str, path: str, sent: object, *, key: str = "") -> Any:
        """Send JSON, get JSON; with an idempotency *key* it may be repeated."""
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        answer = self.ask(
            act,
            "POST",
            path,
            expected=(200, 201),
            body=json.dumps(sent).encode(),
            headers=headers,
            repeatable=bool(key),
        )
        return json.loads(answer.data)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse | None:
        address = urljoin(f"{self.base}/", path)
        sent = dict(headers)
        if urlsplit(address).netloc == urlsplit(self.base).netloc:
            if self.token and "/api/" in address:
                sent["Authorization"] = f"Bearer {self.token}"
            if self.cookies:
                sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            answer = self._pool.request(method, address, body=body, headers=sent, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError):
            return None
        for told in answer.headers.getlist("Set-Cookie"):
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(told).items()})
        return answer
