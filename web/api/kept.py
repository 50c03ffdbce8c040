"""What a listener keeps, as JSON."""

from collections.abc import Sequence
from typing import Any

from flask import url_for

from appliance import clock
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.library.models import Playlist
from appliance.library.models import PlaylistEntry
from appliance.memberships import access
from appliance.memberships.access import Access
from web import addresses
from web.request_cycle import person
from web.request_cycle import roles


def seen_tracks(rows: Sequence[Track]) -> dict[str, dict[str, Any]]:
    """Those of the tracks that the caller may know of, by their ids; by five queries whatever their number."""
    rights = access.to_tracks(person(), rows, roles=roles(), now=clock.now())
    made = tracks.renditions_of({row.id: row for row in rows}.values())
    found = {}
    for row in rows:
        right = rights[row.id]
        if right.may_see and (row.state == TrackState.READY or right.may_edit):
            qualities = access.playable(row, right, [rung.quality for rung in made.get(row.id, [])])
            found[row.id] = {**_track(row, right), "qualities": list(qualities)}
    return found


def seen_releases(rows: Sequence[Release]) -> set[str]:
    """The ids of those of the releases that the caller may know of."""
    rights = access.to_releases(person(), rows, roles=roles(), now=clock.now())
    return {row.id for row in rows if rights[row.id].may_see}


def playlist(row: Playlist, length: int) -> dict[str, Any]:
    """A playlist of so many tracks, its owner joined, as it stands in lists."""
    who = person()
    return {
        "id": row.id,
        "title": row.title,
        "about": row.about,
        "visibility": row.visibility,
        "owner": row.owner.display_name or None,
        "yours": who is not None and row.owner_id == who.id,
        "length": length,
        "version": row.version,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "url": addresses.root() + url_for("library.show_playlist", playlist_id=row.id),
    }


def whole_playlist(row: Playlist, rows: Sequence[PlaylistEntry]) -> dict[str, Any]:
    """A playlist with its entries; one whose track the caller may not see stands there without it, and for its owner alone."""
    seen = seen_tracks([one.track for one in rows])
    shown = playlist(row, len(rows))
    places = [entry(one, seen.get(one.track_id)) for one in rows if shown["yours"] or one.track_id in seen]
    return {**shown, "length": len(places), "entries": places}


def entry(row: PlaylistEntry, track: dict[str, Any] | None) -> dict[str, Any]:
    """A place in a playlist."""
    shown: dict[str, Any] = {"id": row.id, "added_at": row.added_at.isoformat()}
    return {**shown, "track": track} if track else shown


def _track(row: Track, right: Access) -> dict[str, Any]:
    release, artist = row.release, row.release.artist
    sizes = addresses.pictures(release.artwork_key) if release.artwork_key else None
    return {
        "id": row.id,
        "title": row.title,
        "duration_ms": row.duration_ms,
        "artist": {"slug": artist.slug, "name": artist.name},
        "release": {"id": release.id, "slug": release.slug, "title": release.title},
        "artwork": sizes,
        "preview_url": addresses.public(row.preview_key) if row.preview_key and right.may_preview else None,
        "url": addresses.root() + addresses.release_page(release) + f"/{row.slug}",
    }
