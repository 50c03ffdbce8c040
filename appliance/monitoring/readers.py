"""Who may read the figures: monitors of trusted networks, and whoever has the token.

An address is believed where no proxy stands between that nobody told us of: else all of the world would come from this machine.
"""

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.errors import Invalid
from appliance.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
"""Headers of which proxies set at least one."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Who may, by the settings."""

    networks: Sequence[Network]
    token: str

    def may_read(self, address: str, *, authorization: str = "", forwarded: bool = False) -> bool:
        """Whether who asks from *address* may; *forwarded* by a proxy that the settings know nothing of."""
        kind, _, token = authorization.partition(" ")
        if self.token and kind.lower() == "bearer":
            # Equal in time whatever is wrong, and bytes: a text that is not ASCII cannot be compared so.
            return hmac.compare_digest(token.strip().encode(), self.token.encode())
        if forwarded:
            return False
        try:
            here = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(here, ipaddress.IPv6Address) and here.ipv4_mapped:
            here = here.ipv4_mapped
        return any(here in network for network in self.networks)


def of(settings: Settings) -> Readers:
    """By these settings; ``Invalid`` for a network that is none."""
    try:
        networks = [ipaddress.ip_network(text) for text in settings.metrics_networks]
    except ValueError as error:
        raise Invalid(
            f"The setting 'metrics_networks' holds what is no network: {error}.", field="metrics_networks"
        ) from error
    return Readers(networks, settings.metrics_token)
