"""Requests to addresses that a person typed or a stranger's document names: bounded, never redirected, never into our own network.

A name is resolved once, every address it has is checked, and the connection goes to a checked address; otherwise a name
that answers differently the second time would lead inside (DNS rebinding). Proxies of the environment are not used. A
redirect is an answer like any other: who wants to follow it checks the new address first.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from urllib3.connection import HTTPConnection
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import LocationParseError
from urllib3.exceptions import NewConnectionError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Url
from urllib3.util import parse_url

from appliance import traces
from appliance.errors import Invalid
from appliance.errors import Unavailable

MOST_READ_BYTES = 1024 * 1024
MOST_ADDRESSES = 4
# Networks whose addresses carry an IPv4 address in their last 32 bits (RFC 6052 and 8215).
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_AGENT = "MusicConnect"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; *headers* by their names in lower case, *whole* unless the body was cut off."""

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; ``Unavailable`` when it is none."""
        try:
            found = json.loads(self.body) if self.whole else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Unavailable("{host} did not send what was asked for.", host=self.host)
        return found


def checked(url: str, *, allow_private: bool) -> Url:
    """*url* taken apart; ``Invalid`` when nothing may be sent there, without asking the network."""
    try:
        place = parse_url(url)
    except LocationParseError as error:
        raise Invalid("This address cannot be read.") from error
    if place.scheme not in {"http", "https"} or not place.host or place.auth or place.fragment:
        raise Invalid("An address must be http:// or https:// and a host, without a name, password or #.")
    with contextlib.suppress(ValueError):
        if not allow_private and not is_public(place.host.strip("[]")):
            raise Invalid(
                "{host} is a private address, which must be allowed in the settings first.", host=place.host
            )
    return place


def is_public(address: str) -> bool:
    """True for an address of the internet at large; ``ValueError`` when *address* is a name."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # Addresses that carry an IPv4 address lead there (RFC 4291, 3056, 6052).
        inner = ip.ipv4_mapped or ip.sixtofour
        if any(ip in network for network in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def get(
    place: Url,
    *,
    timeout_s: float,
    allow_private: bool,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_READ_BYTES,
) -> Answer:
    """GET a checked *place*; ``Unavailable`` says who did not answer."""
    return _send("GET", place, None, headers or {}, timeout_s, allow_private, most_bytes)


def post(
    place: Url,
    body: bytes | Mapping[str, str],
    *,
    timeout_s: float,
    allow_private: bool,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_READ_BYTES,
) -> Answer:
    """POST JSON (bytes) or a form (a mapping) to a checked *place*; ``Unavailable`` says who did not answer."""
    if isinstance(body, bytes):
        kind, data = "application/json", body
    else:
        kind, data = "application/x-www-form-urlencoded", urlencode(body).encode()
    sent = {"Content-Type": kind, **(headers or {})}
    return _send("POST", place, data, sent, timeout_s, allow_private, most_bytes)


def patch(
    place: Url,
    body: bytes,
    *,
    timeout_s: float,
    allow_private: bool,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_READ_BYTES,
) -> Answer:
    """PATCH a checked *place* with JSON; ``Unavailable`` says who did not answer."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    return _send("PATCH", place, body, sent, timeout_s, allow_private, most_bytes)


def _send(
    method: str,
    place: Url,
    body: bytes | None,
    headers: Mapping[str, str],
    timeout_s: float,
    allow_private: bool,
    most_bytes: int,
) -> Answer:
    # A trace goes on where the other side looks on, too.
    step = {"traceparent": traces.parent()} if traces.is_kept() else {}
    sent = {**headers, **step, "Host": place.netloc or "", "User-Agent": _AGENT}
    for address in _addresses(place, allow_private=allow_private):
        connection = _connection(place, address, timeout_s)
        late = threading.Event()
        # A socket's timeout begins anew with each byte; this one ends the whole exchange.
        watchdog = threading.Timer(timeout_s, _cut, (connection, late))
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.request(method, place.request_uri, body=body, headers=sent, preload_content=False)
            response = connection.getresponse()
            if late.is_set():
                # A header that was cut short reads like the last one.
                raise TimeoutError
            told, whole = _read(response, most_bytes)
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(str(place.host), int(response.status), names, told, whole and not late.is_set())
        except (NewConnectionError, ConnectTimeoutError):
            continue
        except (HTTPError, HTTPException, OSError) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                raise Unavailable(
                    "{host} did not answer within {seconds} s.", host=place.host, seconds=timeout_s
                ) from error
            raise Unavailable(
                "{host} broke off: {why}.", host=place.host, why=type(error).__name__
            ) from error
        finally:
            watchdog.cancel()
            connection.close()
    raise Unavailable("{host} cannot be reached.", host=place.host)


def _read(response: BaseHTTPResponse, most_bytes: int) -> tuple[bytes, bool]:
    """The body up to *most_bytes* and whether that is all of it; the status stands, whatever happens to the rest."""
    body = b""
    try:
        # The last read, which finds nothing, is the one that notices a body that broke off.
        while len(body) <= most_bytes and (
            block := response.read(most_bytes + 1 - len(body), decode_content=False)
        ):
            body += block
    except (HTTPError, HTTPException, OSError):
        return body, False
    return body[:most_bytes], len(body) <= most_bytes


def _addresses(place: Url, *, allow_private: bool) -> list[str]:
    assert place.host
    try:
        found = socket.getaddrinfo(place.host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable("{host} has no address.", host=place.host) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    # One private address among public ones is no accident, so all are refused.
    if not allow_private and not all(is_public(address) for address in addresses):
        raise Unavailable(
            "{host} has a private address, which must be allowed in the settings first.", host=place.host
        )
    return addresses[:MOST_ADDRESSES]


def _connection(place: Url, address: str, timeout_s: float) -> HTTPConnection:
    if place.scheme == "http":
        return HTTPConnection(address, place.port or 80, timeout=timeout_s)
    assert place.host
    return HTTPSConnection(
        address,
        place.port or 443,
        timeout=timeout_s,
        # The address is connected to, the name is what the certificate must be for.
        server_hostname=place.host.strip("[]"),
        ssl_context=ssl.create_default_context(),
    )


def _cut(connection: HTTPConnection, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError, TypeError):
        # The plain socket's method: the one of TLS would drop its state under the feet of the reading thread.
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
