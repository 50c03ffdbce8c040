"""One line for each thing a test depends on; what it does not say is ordinary."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.accounts import people
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import originals
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import new_id
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
    return artists.create(owner or make_user(now=now), name=name, slug=slug, now=now)


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
