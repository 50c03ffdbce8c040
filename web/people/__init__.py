"""Pages about people: who works on an artist, what the artist says of themselves, invitations, and one's own account."""

from web.people import account
from web.people import artist_page
from web.people import invitations
from web.people import members
from web.people.routing import blueprint

__all__ = ["account", "artist_page", "blueprint", "invitations", "members"]
