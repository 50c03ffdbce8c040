"""Which objects at Stripe are ours: they carry the mark of what they are for and the id of this installation.

Another product, or another MusicConnect, may use the same Stripe account; what it has there is never touched and never told.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.errors import Invalid

MARK = "musicconnect"
SITE = "musicconnect_site"
TAX = "musicconnect_tax"
KEY = "musicconnect_key"
LONGEST = 64


def site_of(secret: str) -> str:
    """Pure: the id of an installation, made from its secret without telling it."""
    return hashlib.sha256(b"stripe_payments site " + secret.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of this installation, whose id is *site*."""

    site: str

    def on(self, mark: str, **more: str) -> dict[str, str]:
        """The metadata that an object of ours gets."""
        if not mark or len(mark) > LONGEST:
            raise Invalid("A mark has 1 to {most} characters.", most=LONGEST)
        return {MARK: mark, SITE: self.site, **{name: value[:500] for name, value in more.items()}}

    def of(self, thing: Mapping[str, Any] | None) -> str:
        """Pure: the mark that *thing* carries, or nothing when it is not ours."""
        metadata = (thing or {}).get("metadata") or {}
        return str(metadata.get(MARK, "")) if metadata.get(SITE) == self.site else ""

    def are_on(self, thing: Mapping[str, Any] | None) -> bool:
        """Pure: whether *thing* is of this installation, whatever it is for."""
        return ((thing or {}).get("metadata") or {}).get(SITE) == self.site

    def foreign(self, thing: Mapping[str, Any]) -> bool:
        """Pure: whether *thing* says itself that it is somebody else's."""
        metadata = thing.get("metadata") or {}
        return SITE in metadata and metadata[SITE] != self.site
