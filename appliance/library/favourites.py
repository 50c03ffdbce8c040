"""Favourites: tracks and releases that a person keeps, last kept first."""

from collections.abc import Iterable
from datetime import datetime

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.library.models import FavouriteRelease
from appliance.library.models import FavouriteTrack

Cursor = tuple[datetime, str]
"""When the last one seen was kept, and its id (keyset)."""


def keep_track(user: User, track: Track, *, now: datetime) -> None:
    """Make the track a favourite; one that is stays where it is."""
    with transaction():
        FavouriteTrack.insert(user=user.id, track=track.id, added_at=now).on_conflict_ignore().execute()


def drop_track(user: User, track_id: str) -> None:
    """Keep the track no longer; nothing happens when it was none."""
    with transaction():
        FavouriteTrack.delete().where(
            FavouriteTrack.user == user.id, FavouriteTrack.track == track_id
        ).execute()


def keep_release(user: User, release: Release, *, now: datetime) -> None:
    """Make the release a favourite; one that is stays where it is."""
    with transaction():
        FavouriteRelease.insert(user=user.id, release=release.id, added_at=now).on_conflict_ignore().execute()


def drop_release(user: User, release_id: str) -> None:
    """Keep the release no longer; nothing happens when it was none."""
    with transaction():
        FavouriteRelease.delete().where(
            FavouriteRelease.user == user.id, FavouriteRelease.release == release_id
        ).execute()


def of(user: User | None, track_ids: Iterable[str]) -> set[str]:
    """Which of these tracks are this person's favourites; nobody has none."""
    keys = list(track_ids)
    if user is None or not keys:
        return set()
    query = FavouriteTrack.select(FavouriteTrack.track)
    return {
        row.track_id for row in query.where(FavouriteTrack.user == user.id, FavouriteTrack.track.in_(keys))
    }


def of_releases(user: User | None, release_ids: Iterable[str]) -> set[str]:
    """Which of these releases are this person's favourites; nobody has none."""
    keys = list(release_ids)
    if user is None or not keys:
        return set()
    query = FavouriteRelease.select(FavouriteRelease.release)
    return {
        row.release_id
        for row in query.where(FavouriteRelease.user == user.id, FavouriteRelease.release.in_(keys))
    }


def tracks(user: User, *, before: Cursor | None = None, limit: int = 50) -> list[FavouriteTrack]:
    """The tracks this person keeps, last kept first, each with track, release and artist joined."""
    query = (
        FavouriteTrack.select(FavouriteTrack, Track, Release, Artist)
        .join(Track)
        .join(Release)
        .join(Artist)
        .where(FavouriteTrack.user == user.id)
        .order_by(FavouriteTrack.added_at.desc(), FavouriteTrack.track.desc())
        .limit(limit)
    )
    if before is not None:
        last = peewee.Tuple(FavouriteTrack.added_at.db_value(before[0]), before[1])
        query = query.where(peewee.Tuple(FavouriteTrack.added_at, FavouriteTrack.track) < last)
    return list(query)


def releases(user: User, *, before: Cursor | None = None, limit: int = 50) -> list[FavouriteRelease]:
    """The releases this person keeps, last kept first, each with release and artist joined."""
    query = (
        FavouriteRelease.select(FavouriteRelease, Release, Artist)
        .join(Release)
        .join(Artist)
        .where(FavouriteRelease.user == user.id)
        .order_by(FavouriteRelease.added_at.desc(), FavouriteRelease.release.desc())
        .limit(limit)
    )
    if before is not None:
        last = peewee.Tuple(FavouriteRelease.added_at.db_value(before[0]), before[1])
        query = query.where(peewee.Tuple(FavouriteRelease.added_at, FavouriteRelease.release) < last)
    return list(query)
