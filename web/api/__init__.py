"""The REST interface, version 1: one module a noun."""

from web.api import artists
from web.api import books
from web.api import buying
from web.api import documentation
from web.api import downloads
from web.api import gifts
from web.api import library
from web.api import memberships
from web.api import offline
from web.api import payment_events
from web.api import payouts
from web.api import playlists
from web.api import pricing
from web.api import receipts
from web.api import releases
from web.api import selling
from web.api import splits
from web.api import subscriptions
from web.api import takedowns
from web.api import tiers
from web.api import tracks
from web.api import uploads
from web.api.routing import blueprint

__all__ = [
    "artists",
    "blueprint",
    "books",
    "buying",
    "documentation",
    "downloads",
    "gifts",
    "library",
    "memberships",
    "offline",
    "payment_events",
    "payouts",
    "playlists",
    "pricing",
    "receipts",
    "releases",
    "selling",
    "splits",
    "subscriptions",
    "takedowns",
    "tiers",
    "tracks",
    "uploads",
]
