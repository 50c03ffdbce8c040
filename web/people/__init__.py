"""Pages about people: who works on an artist, what the artist says of themselves, invitations, and one's own account."""

from web.people import account
from web.people import artist_page
from web.people import devices
from web.people import identities
from web.people import invitations
from web.people import members
from web.people import passkeys
from web.people import second_factors
from web.people import tokens
from web.people.routing import blueprint

__all__ = [
    "account",
    "artist_page",
    "blueprint",
    "devices",
    "identities",
    "invitations",
    "members",
    "passkeys",
    "second_factors",
    "tokens",
]
