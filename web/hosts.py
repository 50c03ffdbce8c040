"""By which names this server lets itself be called: its address goes into links, and a stranger's name into none.

A name of a stranger reaches a server on this machine or in this network also by DNS rebinding, and a cache or a mail would carry it on.
Numbers are taken: they cannot be rebound.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

from flask import Flask
from flask import request

from appliance.errors import NotAllowed
from appliance.settings import Settings

ASKED_BY_NUMBER_OR_NAME = frozenset({"health.health", "health.ready", "prometheus_metrics"})
"""For load balancers and monitors, which call a node as they like; no link is in these answers."""


class WrongHost(NotAllowed):
    """The request calls this server by a name that is not its own."""

    def __init__(self) -> None:
        super().__init__(
            "This server is not known by that name; its operator can add it to the setting 'trusted_hosts'."
        )


def register(app: Flask, settings: Settings) -> None:
    """Refuse every request that calls this server by another's name."""
    names = own_names(settings)

    @app.before_request
    def known() -> None:
        if not is_ours(request.host, names) and request.endpoint not in ASKED_BY_NUMBER_OR_NAME:
            raise WrongHost


def own_names(settings: Settings) -> frozenset[str]:
    """The names of this server: of its public address, of this machine, and what the operator added."""
    machine = socket.gethostname().lower()
    public = urlsplit(settings.public_url).hostname or ""
    own = {"localhost", settings.host.lower(), public, *(name.lower() for name in settings.trusted_hosts)}
    if not public:
        own |= {machine, f"{machine}.local"}
    return frozenset(own - {""})


def is_ours(host: str, names: frozenset[str]) -> bool:
    """Pure: whether *host*, as a request says it, is a number or one of *names*; the port does not count."""
    name = host.lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    name = name.removesuffix(".")
    if name in names or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
