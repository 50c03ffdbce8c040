"""Follows: the artists a person wants to hear from."""

from collections.abc import Iterable
from datetime import datetime

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.library.models import Follow


def follow(user: User, artist: Artist, *, now: datetime) -> None:
    """Follow the artist; doing it twice changes nothing."""
    with transaction():
        Follow.insert(user=user.id, artist=artist.id, added_at=now).on_conflict_ignore().execute()


def unfollow(user: User, artist: Artist) -> None:
    """Follow the artist no longer; nothing happens for who did not."""
    with transaction():
        Follow.delete().where(Follow.user == user.id, Follow.artist == artist.id).execute()


def has(user: User | None, artist: Artist) -> bool:
    """Whether this person follows the artist."""
    return bool(of(user, [artist.id]))


def of(user: User | None, artist_ids: Iterable[str]) -> set[str]:
    """Which of these artists this person follows; nobody follows none."""
    keys = list(artist_ids)
    if user is None or not keys:
        return set()
    query = Follow.select(Follow.artist)
    return {row.artist_id for row in query.where(Follow.user == user.id, Follow.artist.in_(keys))}


def count(artist: Artist) -> int:
    """How many people follow the artist."""
    return int(Follow.select().where(Follow.artist == artist.id).count())


def artists(user: User, *, before: tuple[datetime, str] | None = None, limit: int = 50) -> list[Follow]:
    """The artists this person follows, last one first, artist joined; *before* is the (added_at, artist id) of the last one seen."""
    query = (
        Follow.select(Follow, Artist)
        .join(Artist)
        .where(Follow.user == user.id)
        .order_by(Follow.added_at.desc(), Follow.artist.desc())
        .limit(limit)
    )
    if before is not None:
        last = peewee.Tuple(Follow.added_at.db_value(before[0]), before[1])
        query = query.where(peewee.Tuple(Follow.added_at, Follow.artist) < last)
    return list(query)
