"""One POST to an address that an operator typed: bounded in time and size, never redirected, never into our own network.

A name is resolved once, every address it has is checked, and the connection goes to a checked address; otherwise a name
that answers differently the second time would lead inside (DNS rebinding). Proxies of the environment are not used.
"""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPException

from urllib3.connection import HTTPConnection
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import LocationParseError
from urllib3.exceptions import NewConnectionError
from urllib3.util import Url
from urllib3.util import parse_url

from appliance import __version__
from appliance.errors import Invalid
from appliance.errors import Unavailable

MOST_READ_BYTES = 64 * 1024
MOST_ADDRESSES = 4
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def checked(url: str, *, allow_private: bool) -> Url:
    """*url* taken apart; ``Invalid`` when nothing may be sent there, without asking the network."""
    try:
        place = parse_url(url)
    except LocationParseError as error:
        raise Invalid("The setting 'urls' holds an address that cannot be read.", field="urls") from error
    if place.scheme not in {"http", "https"} or not place.host or place.auth or place.fragment:
        raise Invalid(
            "Each address in the setting 'urls' must be http:// or https:// and a host, without a name, password or #.",
            field="urls",
        )
    with contextlib.suppress(ValueError):
        if not allow_private and not is_public(place.host.strip("[]")):
            raise Invalid(f"{place.host} is a private address; {_ALLOW}", field="urls")
    return place


def is_public(address: str) -> bool:
    """True for an address of the internet at large; ``ValueError`` when *address* is a name."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # Addresses that carry an IPv4 address lead there (RFC 4291, 3056, 6052).
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def post(
    place: Url, body: bytes, *, headers: Mapping[str, str], timeout_s: float, allow_private: bool
) -> int:
    """POST *body* and return the status; ``Unavailable`` says who did not answer."""
    sent = {**headers, "Host": place.netloc or "", "Content-Type": "application/json", "User-Agent": _AGENT}
    for address in _addresses(place, allow_private=allow_private):
        connection = _connection(place, address, timeout_s)
        late = threading.Event()
        # A socket's timeout begins anew with each byte; this one ends the whole exchange.
        watchdog = threading.Timer(timeout_s, _cut, (connection, late))
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.request("POST", place.request_uri, body=body, headers=sent, preload_content=False)
            response = connection.getresponse()
            if late.is_set():
                # A header that was cut short reads like the last one.
                raise TimeoutError
            with contextlib.suppress(HTTPError, HTTPException, OSError):
                # The status says it all; the rest is read only so that the receiver can finish its sentence.
                response.read(MOST_READ_BYTES, decode_content=False)
            return int(response.status)
        except (NewConnectionError, ConnectTimeoutError):
            continue
        except (HTTPError, HTTPException, OSError) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                raise Unavailable(
                    f"The receiver {place.host} did not answer within {timeout_s} s."
                ) from error
            raise Unavailable(f"The receiver {place.host} broke off: {type(error).__name__}.") from error
        finally:
            watchdog.cancel()
            connection.close()
    raise Unavailable(f"The receiver {place.host} cannot be reached.")


def _addresses(place: Url, *, allow_private: bool) -> list[str]:
    assert place.host
    try:
        found = socket.getaddrinfo(place.host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"The receiver {place.host} has no address.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    # One private address among public ones is no accident, so all are refused.
    if not allow_private and not all(is_public(address) for address in addresses):
        raise Unavailable(f"The receiver {place.host} has a private address; {_ALLOW}")
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


_ALLOW = "set 'allow_private_addresses' if it is meant."
_AGENT = f"MusicConnect/{__version__}"
