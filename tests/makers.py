"""One line for each thing a test depends on; what it does not say is ordinary."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.accounts import people
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import originals
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import new_id
from appliance.memberships import founding
from appliance.startup import Appliance

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PASSWORD = "harbour lights at low tide"


def make_user(email: str = "", *, roles: tuple[RoleName, ...] = (), now: datetime = NOW) -> User:
    """Somebody with an account."""
    return people.create(email or f"{new_id().lower()}@example.com", PASSWORD, roles=roles, now=now)


def make_artist(
    owner: User | None = None, *, name: str = "Night Ferry", slug: str = "", now: datetime = NOW
) -> Artist:
    """An artist and, unless given, the person who runs it."""
    return founding.found(owner or make_user(now=now), name=name, slug=slug, now=now)


def make_release(artist: Artist | None = None, *, now: datetime = NOW, **fields: Any) -> Release:
    """A draft."""
    return releases.create(artist or make_artist(now=now), {"title": "Harbour Lights", **fields}, now=now)


def make_track(
    appliance: Appliance, original: Path, *, release: Release | None = None, now: datetime = NOW
) -> tuple[Track, str]:
    """A track with its original in the store and the job that is to be sent; *original* is moved away."""
    return originals.receive(
        release or make_release(now=now),
        original,
        track_id=new_id(),
        filename=original.name,
        store=appliance.store,
        attempts=appliance.settings.job_attempts,
        now=now,
    )


def add_track(
    release: Release, state: TrackState = TrackState.READY, title: str = "Low Tide", *, now: datetime = NOW
) -> Track:
    """A track of this state, two seconds long, without any bytes."""
    track_id = new_id()
    Track.create(
        id=track_id,
        release=release.id,
        position=1 + Track.select().where(Track.release == release.id).count(),
        slug=tracks.free_slug(release.id, title),
        title=title,
        state=state,
        duration_ms=2000,
        original_key=f"originals/{track_id}",
        original_name="x.flac",
        original_type="audio/flac",
        original_size_bytes=1,
        original_sha256="0" * 64,
        created_at=now,
        updated_at=now,
    )
    return tracks.find(track_id)
