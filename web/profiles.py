"""Whose page is looked at: as it is kept for visitors, and anew for people with an account, who may have changed it this moment."""

from appliance.catalog import artists
from appliance.catalog.models import Artist
from web.request_cycle import person


def artist(slug: str) -> Artist:
    """The artist at this address, for pages that show and change nothing; ``NotFound`` when there is none."""
    return artists.shown(slug) if person() is None else artists.find(slug)
