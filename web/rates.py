"""How often one may ask: by account and by address, tighter where guessing or work is what is asked for.

Counted in the memory of the process, or in Redis with the setting ``rate_limit_url``; while Redis is away, in memory. An address of IPv6
counts as its /64, which is what one customer has. The bytes of music, static files and health are not counted.
"""

import ipaddress
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from typing import TypeVar

from flask import request

from appliance import clock
from appliance.accounts.models import User
from appliance.errors import MusicConnectError
from appliance.memberships import relations
from appliance.memberships.models import TierKind
from web import known_devices
from web.counts import Limit
from web.request_cycle import person

V = TypeVar("V", bound=Callable[..., Any])
SAME_FOR_ALL = frozenset({"sharing", "installed", "frame", "webhooks"})
"""Families whose answers do not depend on who asks, so they are counted by address alone."""
GENERAL = 1200
"""Requests a minute, of one account and of one address: a page with all that it loads is some ten. The same for all: to look up who is a
member would cost a request more than counting it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How many of a kind in how many minutes: from one address, of one account, for one name that is typed; 0 for any number."""

    minutes: int
    address: int
    account: int = 0
    name: int = 0


FACTORS = {TierKind.SUPPORTER: 2, TierKind.SUPERFAN: 4}
"""How many times as much who is in such a tier may ask; in one that the artist added, twice as much."""
FACTOR_KEPT_S = 60.0
MOST_KNOWN = 10_000
_factors: dict[str, tuple[int, float]] = {}

RULES = {
    # Many share an address, at a school say; one name is typed by one person, and by who guesses it from many addresses.
    "sign-in": Rule(15, address=150, account=30, name=20),
    "registration": Rule(60, address=30),
    "recovery": Rule(60, address=30, name=5),
    "tokens": Rule(60, address=60, account=20),
    "uploads": Rule(60, address=3000, account=1000),
    "downloads": Rule(60, address=600, account=120),
    # Only what is refused: a provider sends as much as there is to tell; who has no signature that holds is stopped.
    "webhooks": Rule(1, address=300),
    # A membership given to an address tells whether it has an account: enough for a guest list, too few to try a list of strangers.
    "grants": Rule(60, address=120, account=60),
    # Each asks a payment provider, which counts as well.
    "payments": Rule(60, address=600, account=60),
    "orders": Rule(60, address=600, account=120),
    # A code is sixty bits: who types a wrong letter a few times is let go on, who tries them one after the other is not.
    "codes": Rule(15, address=60, account=30),
}
OF_SECURITY = {
    "login": "sign-in",
    "verify": "sign-in",
    "two_factor_token_validation": "sign-in",
    "two_factor_rescue": "sign-in",
    "mf_recovery": "sign-in",
    "wan_signin": "sign-in",
    "wan_signin_response": "sign-in",
    "wan_verify_response": "sign-in",
    "confirm_email": "sign-in",
    "reset_password": "sign-in",
    "change_password": "sign-in",
    "register": "registration",
    "forgot_password": "recovery",
    "send_confirmation": "recovery",
    "change_email": "recovery",
}
"""What Flask-Security's views are counted as."""


def limited(kind: str) -> Callable[[V], V]:
    """A view that is counted as *kind* of ``RULES``, beside the general count."""

    def mark(view: V) -> V:
        view.rate = kind  # type: ignore[attr-defined]
        return view

    return mark


def tier_factor(who: User) -> int:
    """How many times as much as a free account *who* may ask; looked up once a minute."""
    known = _factors.get(who.id)
    if known is not None and known[1] > time.monotonic():
        return known[0]
    kinds = relations.kinds_of(who, now=clock.now())
    found = max((FACTORS.get(kind, 2) for kind in kinds), default=1)
    if len(_factors) >= MOST_KNOWN:
        _factors.clear()
    _factors[who.id] = (found, time.monotonic() + FACTOR_KEPT_S)
    return found


def kinds(views: Mapping[str, Callable[..., Any]]) -> dict[str, str]:
    """As which kind each view is counted beside the general count, of those that are."""
    told = {
        endpoint: getattr(view, "rate", "") or OF_SECURITY.get(endpoint.removeprefix("security."), "")
        for endpoint, view in views.items()
    }
    return {endpoint: kind for endpoint, kind in told.items() if kind}


def general(share: float) -> Limit:
    """What every request counts against, by who asks."""
    return Limit(f"general:{who()}", _amount(GENERAL * share), 60)


def limits(kind: str, share: float) -> list[Limit]:
    """What a request of this kind counts against beside it; nobody to be counted is no limit."""
    rule, times = RULES[kind], share * factor()
    return [
        Limit(f"{kind}:{key}", _amount(most * times), 60 * rule.minutes)
        for most, asker in ((rule.address, address), (rule.account, account), (rule.name, typed_name))
        if most and (key := asker())
    ]


def _amount(number: float) -> int:
    return max(1, round(number))


def who() -> str:
    """The account that asks, else the address."""
    return account() or address()


def account() -> str:
    """The account that asks; empty when nobody is signed in."""
    found = _person()
    return f"account:{found.id}" if found else ""


def address() -> str:
    """Where the request comes from: an IPv4 address, or the /64 of an IPv6 one."""
    return _network(request.remote_addr or "")


@lru_cache(MOST_KNOWN)
def _network(told: str) -> str:
    try:
        ip = ipaddress.ip_address(told.partition("%")[0])
    except ValueError:
        return "address:unknown"  # a socket of this machine, say
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return f"address:{ipaddress.ip_network((ip, 64), strict=False).network_address}"
        ip = ip.ipv4_mapped
    return f"address:{ip}"


def typed_name() -> str:
    """The name somebody signs in by or recovers, hashed; empty when none was sent.

    Who signed in with it on this device before has a count of their own, so that a stranger's guesses do not lock them out.
    """
    sent = request.get_json(silent=True) if request.is_json else request.form
    name = ""
    if hasattr(sent, "get"):
        name = str(sent.get("email") or sent.get("username") or sent.get("identity") or "").strip().lower()
    if not name:
        return ""
    hashed = known_devices.hashed(name)
    device = known_devices.device_of(hashed)
    return f"name:{hashed}:{device}" if device else f"name:{hashed}"


def factor() -> int:
    """How many times as much who asks may ask."""
    found = _person()
    return tier_factor(found) if found else 1


def _person() -> User | None:
    if request.blueprint in SAME_FOR_ALL:
        return None
    try:
        return person()
    except MusicConnectError:
        return None  # a token that is none: the view says so
