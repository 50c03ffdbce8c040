"""Music as files: asking for them, seeing how far they are, fetching them."""

from web.downloads import asking
from web.downloads import fetching
from web.downloads import shelf
from web.downloads.routing import blueprint

__all__ = ["asking", "blueprint", "fetching", "shelf"]
