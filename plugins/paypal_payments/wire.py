"""Asking PayPal: one token for all requests, each with a key where it does something, and its refusals as our kinds of errors."""

import base64
import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from urllib.parse import quote

from urllib3.util import Url
from urllib3.util import parse_url

from appliance import outgoing
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.outgoing import Answer

log = logging.getLogger(__name__)

TIMEOUT_S = 8.0
LONGEST_KEY = 38
"""What all parts of the interface take as a key."""


class Refused(Conflict):
    """PayPal understood and does not do it; *issue* is its word for why."""

    def __init__(self, issue: str) -> None:
        self.issue = issue
        super().__init__("PayPal does not do this: {issue}.", issue=issue.replace("_", " ").lower())


@dataclass(slots=True)
class Wire:
    """The way to PayPal."""

    api_url: str
    client_id: str
    client_secret: str
    allow_private: bool = False
    _token: str = ""
    _good_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, path: str) -> dict[str, Any]:
        """What is at *path*."""
        return self._ask("GET", path)

    def post(self, path: str, body: object = None, *, key: str = "") -> dict[str, Any]:
        """Do something; asked again with the same *key*, PayPal answers what it answered."""
        return self._ask("POST", path, body, key=key)

    def patch(self, path: str, changes: Sequence[Mapping[str, Any]]) -> None:
        """Change something."""
        self._ask("PATCH", path, changes)

    def fetch(self, url: str) -> bytes:
        """The bytes at an address of PayPal's, without a token."""
        place = outgoing.checked(url, allow_private=self.allow_private)
        answer = outgoing.get(place, timeout_s=TIMEOUT_S, allow_private=self.allow_private)
        if answer.status != 200 or not answer.whole:
            raise Unavailable("PayPal did not send its certificate.")
        return answer.body

    def _ask(self, method: str, path: str, body: object = None, *, key: str = "") -> dict[str, Any]:
        answer = self._send(method, path, body, key)
        if answer.status == 401:
            # It may have been taken back before its time.
            self._good_until = 0.0
            answer = self._send(method, path, body, key)
        if 200 <= answer.status < 300:
            return answer.json() if answer.body else {}
        raise _refusal(answer, method, path)

    def _send(self, method: str, path: str, body: object, key: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._bearer()}", "Prefer": "return=representation"}
        if key:
            headers["PayPal-Request-Id"] = request_id(key)
        place = self._place(path)
        if method == "GET":
            return outgoing.get(place, timeout_s=TIMEOUT_S, allow_private=self.allow_private, headers=headers)
        data = json.dumps({} if body is None else body).encode()
        send = outgoing.post if method == "POST" else outgoing.patch
        return send(place, data, timeout_s=TIMEOUT_S, allow_private=self.allow_private, headers=headers)

    def _bearer(self) -> str:
        with self._lock:
            if time.monotonic() < self._good_until:
                return self._token
            pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
            answer = outgoing.post(
                self._place("/v1/oauth2/token"),
                {"grant_type": "client_credentials"},
                timeout_s=TIMEOUT_S,
                allow_private=self.allow_private,
                headers={"Authorization": f"Basic {pair}"},
            )
            if answer.status != 200:
                log.error("PayPal gives no token", extra={"status": answer.status})
                raise Unavailable("PayPal does not know this server; its operator must look at the keys.")
            told = answer.json()
            self._token = str(told["access_token"])
            # A minute before it ends, so that none ends on the way.
            self._good_until = time.monotonic() + max(0, int(told.get("expires_in", 0)) - 60)
            return self._token

    def _place(self, path: str) -> Url:
        return parse_url(self.api_url + path)


def request_id(key: str) -> str:
    """A key of ours as PayPal takes it: always as long, always the same for the same one."""
    return hashlib.sha256(key.encode()).hexdigest()[:LONGEST_KEY]


def segment(text: str) -> str:
    """A reference as a part of a path."""
    return quote(text, safe="")


def _refusal(answer: Answer, method: str, path: str) -> MusicConnectError:
    try:
        told = answer.json()
    except Unavailable:
        told = {}
    details = told.get("details") or [{}]
    issue = str(details[0].get("issue") or told.get("name") or answer.status)[:60]
    log.warning(
        "PayPal refuses",
        extra={
            "status": answer.status,
            "issue": issue,
            "method": method,
            "debug": str(told.get("debug_id", ""))[:40],
        },
    )
    if answer.status == 404:
        return NotFound("PayPal does not know this.")
    if answer.status == 429 or answer.status >= 500 or answer.status == 401:
        return Unavailable("PayPal does not answer at the moment; try again in a few minutes.")
    if answer.status == 400:
        return Invalid("PayPal cannot take this: {issue}.", issue=issue.replace("_", " ").lower())
    return Refused(issue)
