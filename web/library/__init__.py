"""The pages of what a listener keeps: favourites, history, artists they follow, playlists."""

from web.library import adding
from web.library import editing
from web.library import history
from web.library import keeping
from web.library import overview
from web.library import playlists
from web.library import queues
from web.library.routing import blueprint

__all__ = ["adding", "blueprint", "editing", "history", "keeping", "overview", "playlists", "queues"]
