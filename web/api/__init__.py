"""The REST interface, version 1: one module a noun."""

from web.api import artists
from web.api import documentation
from web.api import releases
from web.api import tracks
from web.api import uploads
from web.api.routing import blueprint

__all__ = ["artists", "blueprint", "documentation", "releases", "tracks", "uploads"]
