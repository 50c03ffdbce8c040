"""Publishing: a draft goes public, and plugins learn of its tracks by a durable job."""

from collections.abc import Sequence
from datetime import datetime

from appliance import hooks
from appliance import jobs
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.hookspecs import PublishedTrack

ANNOUNCE = "announce_track"
"""The kind of job that tells plugins of a track that went public; its subject is a track id."""


def publish(release: Release, *, now: datetime) -> tuple[Release, list[str]]:
    """Make the release public and return it with the ids of jobs to ``send``; publishing twice changes nothing.

    ``Conflict`` when nothing can be heard yet or a track failed: the artist would publish a gap unaware. A track still in the
    making does not hinder: it appears when it is ready.
    """
    with transaction():
        release = releases.find(release.id)
        if release.state == ReleaseState.PUBLISHED:
            return release, []
        rows = tracks.of_release(release)
        reason = hindrance(rows)
        if reason:
            raise Conflict(reason)
        ready = [row for row in rows if row.state == TrackState.READY]
        Release.update(state=ReleaseState.PUBLISHED, published_at=now, updated_at=now).where(
            Release.id == release.id
        ).execute()
        queued = [jobs.add(ANNOUNCE, row.id, now=now).id for row in ready]
    return releases.find(release.id), queued


def hindrance(rows: Sequence[Track]) -> str:
    """Pure: why a release with these tracks cannot be published, as a sentence; empty when it can."""
    failed = [row.title for row in rows if row.state == TrackState.FAILED]
    if failed:
        return f"“{failed[0]}” could not be prepared; send it again or remove it, then publish."
    if not any(row.state == TrackState.READY for row in rows):
        return "A release needs at least one track that is ready before it can be published."
    return ""


def became_ready(track: Track, *, now: datetime) -> list[str]:
    """Ids of the jobs to ``send`` when a track became ready: one if its release is public and nobody was told yet."""
    if track.release.state != ReleaseState.PUBLISHED or track.announced_at is not None:
        return []
    return [jobs.add(ANNOUNCE, track.id, now=now).id]


def announce(track_id: str, *, public_url: str, now: datetime) -> None:
    """Tell every plugin that this track is public; once for each track, unless a worker dies in between."""
    track = Track.get_or_none(Track.id == track_id)
    if track is None or track.announced_at is not None:
        return
    track = tracks.find(track_id)
    release, artist = track.release, track.release.artist
    if release.state != ReleaseState.PUBLISHED:
        return
    hooks.announce(
        "track_published",
        track=PublishedTrack(
            track_id=track.id,
            release_id=release.id,
            title=track.title,
            artist=artist.name,
            release=release.title,
            duration_ms=track.duration_ms or 0,
            published_at=release.published_at.isoformat(),
            url=f"{public_url}/@{artist.slug}/{release.slug}",
        ),
    )
    Track.update(announced_at=now).where(Track.id == track_id).execute()
