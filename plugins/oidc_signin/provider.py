"""What a provider says of itself (OpenID Connect Discovery 1.0) and its keys, asked for by the guard and remembered for an hour."""

import threading
import time
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from appliance import outgoing
from appliance.errors import Invalid
from appliance.errors import Unavailable

KEPT_S = 3600.0
NOT_AGAIN_FOR_S = 60.0
"""Whoever sends forged tokens with unknown keys must not make us ask the provider each time."""
FAILS_FOR_S = 5.0
"""So long nobody else waits for a provider that just did not answer."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(slots=True)
class Provider:
    """The provider at *issuer*; every address it names is checked like one that a person typed."""

    issuer: str
    timeout_s: int
    allow_private: bool
    _described: dict[str, Any] = field(default_factory=dict)
    _keys: dict[str, Any] = field(default_factory=dict)
    _described_at_s: float = 0.0
    _keys_at_s: float = 0.0
    _failure: Unavailable | None = None
    _failed_at_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def described(self) -> dict[str, Any]:
        """Its description; ``Unavailable`` when it does not answer, or speaks for somebody else."""
        with self._lock:
            if not self._described or time.monotonic() - self._described_at_s > KEPT_S:
                if self._failure and time.monotonic() - self._failed_at_s < FAILS_FOR_S:
                    raise Unavailable(self._failure.sentence, **self._failure.facts)
                try:
                    self._described, self._described_at_s = self._asked(), time.monotonic()
                except Unavailable as error:
                    self._failure, self._failed_at_s = error, time.monotonic()
                    raise
            return self._described

    def _asked(self) -> dict[str, Any]:
        found = self.get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise Unavailable("{issuer} says that it is another issuer.", issuer=self.issuer)
        for name in ENDPOINTS:
            self.checked(str(found.get(name, "")))
        return found

    def keys(self, *, anew: bool = False) -> dict[str, Any]:
        """Its public keys as a JWK Set (RFC 7517); *anew* when a token names one that is not among them."""
        address = str(self.described()["jwks_uri"])
        with self._lock:
            age_s = time.monotonic() - self._keys_at_s if self._keys else float("inf")
            if age_s > (NOT_AGAIN_FOR_S if anew else KEPT_S):
                self._keys, self._keys_at_s = self.get(address), time.monotonic()
            return self._keys

    def get(self, url: str, *, bearer: str = "") -> dict[str, Any]:
        """The JSON object at *url*."""
        headers = {"Accept": "application/json"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        answer = outgoing.get(
            self.checked(url), timeout_s=self.timeout_s, allow_private=self.allow_private, headers=headers
        )
        if answer.status != 200:
            raise Unavailable("{host} answered {status}.", host=answer.host, status=answer.status)
        return answer.json()

    def post(self, url: str, form: dict[str, str], *, headers: dict[str, str]) -> outgoing.Answer:
        """What the provider answers to *form*."""
        return outgoing.post(
            self.checked(url),
            form,
            timeout_s=self.timeout_s,
            allow_private=self.allow_private,
            headers={"Accept": "application/json", **headers},
        )

    def checked(self, url: str) -> Any:
        """*url* taken apart; ``Unavailable`` for one that the provider must not send us to."""
        try:
            place = outgoing.checked(url, allow_private=self.allow_private)
        except Invalid as error:
            raise Unavailable("{issuer} names an address that is none.", issuer=self.issuer) from error
        if place.scheme != "https" and not self.allow_private:
            raise Unavailable("{issuer} names an address without TLS.", issuer=self.issuer)
        return place
