"""Pictures in the sizes a browser may choose from."""

from dataclasses import dataclass

from appliance.catalog import artwork
from appliance.catalog.models import Release
from web import addresses


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture in the sizes a browser may choose from."""

    src: str
    srcset: str
    jpeg: str


def cover(row: Release) -> Cover | None:
    """The cover of a release that has one."""
    return picture(row.artwork_key)


def picture(key: str) -> Cover | None:
    """The square picture whose sizes lie in the folder *key*, if there is one."""
    if not key:
        return None
    # Size by size: a plugin that signs addresses signs each of its own.
    sizes = {px: addresses.public(f"{key}/{px}.webp") for px in sorted(artwork.SIZES_PX)}
    srcset = ", ".join(f"{address} {px}w" for px, address in sizes.items())
    return Cover(src=sizes[600], srcset=srcset, jpeg=addresses.public(f"{key}/600.jpg"))
