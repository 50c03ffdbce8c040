"""A new artist with all that belongs to one: the catalogue's part and the tiers, both or nothing."""

from datetime import datetime

from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.memberships import tiers


def found(owner: User, *, name: str, slug: str = "", about: str = "", now: datetime) -> Artist:
    """A new artist run by *owner*, with the tiers that everyone begins with; as ``catalog.artists.create``."""
    with transaction():
        artist = artists.create(owner, name=name, slug=slug, about=about, now=now)
        tiers.make(artist, now=now)
    return artist
