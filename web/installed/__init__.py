"""The app on a phone or a desktop: manifest, icons, service worker, and the pages that stand without a connection."""

from web.installed import icons
from web.installed import listener
from web.installed import manifest
from web.installed import pages
from web.installed import worker
from web.installed.routing import blueprint

__all__ = ["blueprint", "icons", "listener", "manifest", "pages", "worker"]
