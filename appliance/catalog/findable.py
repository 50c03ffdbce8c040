"""What of the catalogue the search may find: kept in step with it, in the same transaction.

Each function looks at what is there now and makes the index say the same; to call one too often costs a little time and changes
nothing.
"""

import peewee

from appliance import search
from appliance.catalog import openness
from appliance.catalog import topics
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.topics import TopicKind
from appliance.database import transaction
from appliance.search import Entry


def release(release_id: str) -> None:
    """A release was published, taken back, edited, or its tracks changed."""
    row = Release.select(Release, Artist).join(Artist).where(Release.id == release_id).first()
    if row is None:
        search.RELEASES.remove([release_id])
        return
    _artist(row.artist)
    tracks = list(Track.select().where(Track.release == release_id).order_by(Track.position, Track.id))
    if not openness.is_public(row):
        search.RELEASES.remove([row.id])
        search.TRACKS.remove([track.id for track in tracks])
        topics.assign(row, {})
        return
    tags = [tag for tag in row.tags.split("\n") if tag]
    topics.assign(row, {TopicKind.GENRE: [row.genre], TopicKind.TAG: tags})
    search.RELEASES.put([Entry(row.id, row.title, row.artist.name, _about(row))])
    search.TRACKS.put(_entry(track, row) for track in tracks if openness.is_heard(track))
    search.TRACKS.remove(track.id for track in tracks if not openness.is_heard(track))


def track(track_id: str) -> None:
    """A track became ready, was edited, or is gone."""
    query = Track.select(Track, Release, Artist).join(Release).join(Artist)
    row = query.where(Track.id == track_id).first()
    if row is None or not (openness.is_heard(row) and openness.is_public(row.release)):
        search.TRACKS.remove([track_id])
        return
    search.TRACKS.put([_entry(row, row.release)])


def artist(artist_id: str) -> None:
    """An artist was named anew: so all is found that is theirs."""
    for row in list(Release.select(Release.id).where(Release.artist == artist_id)):
        release(row.id)
    found = Artist.get_or_none(Artist.id == artist_id)
    if found is None:
        search.ARTISTS.remove([artist_id])
    else:
        _artist(found)


def rebuild() -> int:
    """Make the whole index anew, oldest first, and return how many releases are in it. Searches find the former state until it is done."""
    with transaction():
        for index in search.INDEXES:
            index.clear()
        topics.clear()
        public = Release.select(Release.id).where(openness.PUBLIC)
        ids = [row.id for row in public.order_by(Release.published_at, Release.id)]
        for release_id in ids:
            release(release_id)
    return len(ids)


def _artist(row: Artist) -> None:
    """An artist is found as soon as something of theirs is public."""
    public = (Release.artist == row.id) & openness.PUBLIC
    if Release.select(peewee.Value(1)).where(public).exists():
        search.ARTISTS.put([Entry(row.id, row.name)])
    else:
        search.ARTISTS.remove([row.id])


def _entry(row: Track, of: Release) -> Entry:
    return Entry(row.id, row.title, f"{of.artist.name} {of.title}", _about(of))


def _about(row: Release) -> str:
    return " ".join([row.genre, *row.tags.split("\n")])
