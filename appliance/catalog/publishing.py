"""Publishing: a draft goes public, now or at its hour, and may be taken back; plugins learn of its tracks by a durable job."""

import logging
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from appliance import hooks
from appliance import jobs
from appliance import revocations
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.catalog import findable
from appliance.catalog import openness
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import RELEASE_MOVES
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import Word
from appliance.hookspecs import PublishedTrack

log = logging.getLogger(__name__)

ANNOUNCE = jobs.kind("announce_track", jobs.Lane.PLUGINS)
"""The kind of job that tells plugins of a track that went public; its subject is a track id."""
FURTHEST = timedelta(days=20 * 365)
"""How far ahead a release may be scheduled; what is further is a slip of the pen."""


def publish(release: Release, *, now: datetime, actor: str | None = None) -> tuple[Release, list[str]]:
    """Make the release public and return it with the ids of jobs to ``send``; publishing twice changes nothing.

    ``Conflict`` when nothing can be heard yet or a track failed: the artist would publish a gap unaware. A track still in the
    making does not hinder: it appears when it is ready. A private link ends, since everybody may come now.
    """
    with transaction():
        release = releases.find(release.id)
        if release.state == ReleaseState.PUBLISHED:
            return release, []
        if release.taken_down_at is not None:
            raise Conflict("The collective took this down; it cannot go out until it is given back.")
        rows = tracks.of_release(release)
        _require_none(hindrance(rows))
        _move(release, ReleaseState.PUBLISHED, now=now, published_at=now, publish_at=None, private_key="")
        if release.private_key:
            # It opened more than being public does: who came by it asks anew.
            revocations.revoke(f"release:{release.id}", now=now)
        _note(Action.RELEASE_PUBLISHED, release, actor=actor, now=now)
        findable.release(release.id)
        ready = [row for row in rows if row.state == TrackState.READY]
        queued = [jobs.add(ANNOUNCE, row.id, now=now).id for row in ready]
    return releases.find(release.id), queued


def schedule(release: Release, at: datetime, *, now: datetime, actor: str | None = None) -> Release:
    """Let the release go public by itself at *at*; once more to choose another hour.

    ``Invalid`` for an hour that has passed or is years away, ``Conflict`` when it could never go out as it is.
    """
    if at <= now:
        raise Invalid("This hour has passed. Choose a later one, or publish now.", field="publish_at")
    if at > now + FURTHEST:
        raise Invalid("This is more than twenty years away; look at the year.", field="publish_at")
    with transaction():
        release = releases.find(release.id)
        _require_none(hindrance(tracks.of_release(release), later=True))
        _move(release, ReleaseState.SCHEDULED, now=now, publish_at=at)
        if release.publish_at is not None and at > release.publish_at:
            # A later hour is a later one for members too.
            revocations.revoke(f"release:{release.id}", now=now)
        _note(Action.RELEASE_SCHEDULED, release, actor=actor, now=now, at=at.isoformat())
    return releases.find(release.id)


def take_back(release: Release, *, now: datetime, actor: str | None = None) -> Release:
    """Make a draft of a release that is public or on its way there; it keeps its address, its plays and its place in playlists.

    Who bought it while it was public, or ahead of that, goes on hearing it.
    """
    with transaction():
        release = releases.find(release.id)
        was_out = {"withdrawn_at": now} if release.state == ReleaseState.PUBLISHED else {}
        _move(release, ReleaseState.DRAFT, now=now, publish_at=None, **was_out)
        _note(Action.RELEASE_WITHDRAWN, release, actor=actor, now=now)
        revocations.revoke(f"release:{release.id}", now=now)
        findable.release(release.id)
    return releases.find(release.id)


def publish_due(*, now: datetime) -> list[str]:
    """Publish every scheduled release whose hour has come, however long ago; the ids of jobs to ``send``.

    One that cannot go out stays scheduled and is tried again each time; the studio tells why.
    """
    due = Release.select().where(
        Release.state == ReleaseState.SCHEDULED, Release.publish_at <= now, Release.taken_down_at.is_null()
    )
    queued: list[str] = []
    for release in list(due.order_by(Release.publish_at)):
        try:
            queued += publish(release, now=now)[1]
        except Conflict as error:
            log.info("release not published", extra={"release": release.id, "why": str(error)})
    return queued


def hindrance(rows: Sequence[Track], *, later: bool = False) -> Conflict | None:
    """Pure: why a release with these tracks cannot be published, as the error to tell it with, or None when it can.

    With *later*, whether it could be by then: what is in the making now may be ready.
    """
    failed = [row.title for row in rows if row.state == TrackState.FAILED]
    if failed:
        return Conflict(
            "“{title}” could not be prepared; send it again or remove it, then publish.", title=failed[0]
        )
    if later and rows:
        return None
    if not any(row.state == TrackState.READY for row in rows):
        return Conflict("A release needs at least one track that is ready before it can be published.")
    return None


def became_ready(track: Track, *, now: datetime) -> list[str]:
    """Ids of the jobs to ``send`` when a track became ready: one if its release is public and nobody was told yet.

    From now on the search finds it. In the transaction of the caller.
    """
    findable.track(track.id)
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
    if not (openness.is_public(release) and openness.is_heard(track)):
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


def _move(release: Release, state: ReleaseState, *, now: datetime, **values: object) -> None:
    """Change the state by the table of moves, and *values* with it; ``Conflict`` for a move that is not in it."""
    if state != release.state and state not in RELEASE_MOVES[ReleaseState(release.state)]:
        raise Conflict(
            "A release that is {state} cannot become {wanted}.", state=Word(release.state), wanted=Word(state)
        )
    Release.update(state=state, updated_at=now, **values).where(Release.id == release.id).execute()


def _note(action: Action, release: Release, *, actor: str | None, now: datetime, **detail: object) -> None:
    """Tell the audit trail who did it; nobody for a release whose hour came by itself."""
    audit.record(
        action,
        actor=actor,
        subject=f"release:{release.id}",
        detail={"title": release.title, **detail},
        now=now,
    )


def _require_none(found: Conflict | None) -> None:
    if found is not None:
        raise found
