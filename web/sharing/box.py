"""What somebody needs to show a thing of ours to others: its address, and the HTML of a player for their own page."""

from dataclasses import dataclass

from flask import url_for

from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from web.sharing import places
from web.sharing.oembed import HEIGHTS_PX
from web.sharing.oembed import WIDTH_PX
from web.sharing.oembed import frame


@dataclass(frozen=True, slots=True)
class Box:
    """An address to pass on, and a player to embed; without one, an empty text."""

    title: str
    url: str
    embed: str = ""


def of_artist(artist: Artist) -> Box:
    """An artist."""
    return Box(artist.name, places.of_artist(artist))


def of_release(release: Release) -> Box | None:
    """A release, whose artist is joined; nothing for one that others could not open."""
    if not openness.is_public(release):
        return None
    source = places.whole(url_for("sharing.release_player", key=release.id))
    title = f"{release.title} · {release.artist.name}"
    return Box(
        title,
        places.of_release(release),
        frame(source, title, width=WIDTH_PX, height=HEIGHTS_PX["list"]),
    )


def of_track(track: Track) -> Box | None:
    """A track, whose release and artist are joined; nothing for one that others could not open."""
    if not (openness.is_public(track.release) and openness.is_heard(track)):
        return None
    source = places.whole(url_for("sharing.track_player", key=track.id, size="small"))
    title = f"{track.title} · {track.release.artist.name}"
    return Box(
        title, places.of_track(track), frame(source, title, width=WIDTH_PX, height=HEIGHTS_PX["small"])
    )
