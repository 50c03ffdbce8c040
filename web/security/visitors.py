"""Who visits, roughly: a browser by name and an address without its end, enough to know one's own devices by."""

import ipaddress
import re

from flask import request

SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
BROWSERS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Safari/", "Safari"),
)
"""The order matters: most of them claim to be the ones below, too."""


def browser() -> str:
    """The browser of this request by name, such as ``Firefox, Linux``; empty when it does not say."""
    return named(request.headers.get("User-Agent", ""))


def rough_address() -> str:
    """From which network this request comes: enough to know it again, too little to know a household by."""
    return roughly(request.remote_addr or "")


def named(agent: str) -> str:
    """Pure: what people call the browser that says *agent*."""
    name = next((name for pattern, name in BROWSERS if re.search(pattern, agent)), "")
    system = next((name for word, name in SYSTEMS if word in agent), "")
    return ", ".join(part for part in (name, system) if part)


def roughly(address: str) -> str:
    """Pure: the network of *address*: 24 bits of IPv4, 48 of IPv6."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    if known.is_loopback:
        return str(known)
    return str(ipaddress.ip_network((known, 24 if known.version == 4 else 48), strict=False))
