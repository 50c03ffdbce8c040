"""Whole addresses, as others need them, and names that stay the same for ever (tag URIs, RFC 4151)."""

from datetime import datetime
from urllib.parse import urlsplit

from flask import url_for

from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.collective import identity
from appliance.collective.identity import Collective
from web import addresses
from web.request_cycle import appliance


def whole(path: str) -> str:
    """The canonical address of a page of ours."""
    return path if path.startswith(("https://", "http://")) else addresses.root() + path


def of_artist(artist: Artist) -> str:
    """The page of an artist."""
    return whole(url_for("storefront.artist", artist=artist.slug))


def of_release(release: Release) -> str:
    """The page of a release."""
    return whole(addresses.release_page(release))


def of_track(track: Track) -> str:
    """The page of a track."""
    return whole(addresses.track_page(track))


def tag(kind: str, key: str, since: datetime) -> str:
    """The name of a thing for ever, whatever its title and address become."""
    host = urlsplit(addresses.root()).hostname or "localhost"
    return f"tag:{host},{since:%Y-%m-%d}:{kind}/{key}"


def collective() -> Collective:
    """Whose site this is."""
    return identity.current(appliance().settings)
