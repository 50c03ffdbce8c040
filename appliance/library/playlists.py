"""Playlists: made, found by those who may, changed by their owner alone."""

from collections.abc import Callable
from collections.abc import Mapping
from datetime import datetime

import peewee

from appliance import database
from appliance.accounts.models import User
from appliance.catalog.versions import Stale
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.library.models import Playlist
from appliance.library.models import Visibility

MOST_PLAYLISTS = 500
LONGEST_TITLE = 200
LONGEST_ABOUT = 5_000


def create(owner: User, fields: Mapping[str, object], *, now: datetime) -> Playlist:
    """A new playlist; *fields* as in ``edit``, of which ``title`` must be there. It is private unless they say otherwise."""
    values = _checked({"title": "", **fields})
    with transaction():
        if Playlist.select().where(Playlist.owner == owner.id).count() >= MOST_PLAYLISTS:
            raise Conflict("One person has at most {most} playlists.", most=MOST_PLAYLISTS)
        return Playlist.create(owner=owner.id, created_at=now, updated_at=now, **values)


def seen(user: User | None, playlist_id: str) -> Playlist:
    """The playlist, its owner joined; ``NotFound`` where this person must not know of it."""
    query = Playlist.select(Playlist, User).join(User).where(Playlist.id == playlist_id)
    playlist: Playlist | None = query.first()
    if playlist is None or (playlist.visibility == Visibility.PRIVATE and not is_owner(user, playlist)):
        raise NotFound("There is no such playlist.")
    return playlist


def own(user: User, playlist_id: str) -> Playlist:
    """As ``seen``; ``NotAllowed`` for a playlist of somebody else."""
    playlist = seen(user, playlist_id)
    if not is_owner(user, playlist):
        raise NotAllowed("Only who made a playlist may change it.")
    return playlist


def is_owner(user: User | None, playlist: Playlist) -> bool:
    """Whether this person made the playlist."""
    return user is not None and playlist.owner_id == user.id


def edit(
    playlist: Playlist, fields: Mapping[str, object], *, made_from: int | None = None, now: datetime
) -> Playlist:
    """Change what *fields* names (title, about, visibility); ``Stale`` unless it still is the version they were *made_from*."""
    values = _checked(fields)
    with transaction():
        held = hold(playlist, made_from=made_from)
        if values:
            Playlist.update(**values).where(Playlist.id == held.id).execute()
            touch(held, now=now)
    return Playlist.get_by_id(playlist.id)


def delete(playlist: Playlist) -> None:
    """Remove the playlist and its entries; the tracks are not touched."""
    with transaction():
        Playlist.delete().where(Playlist.id == playlist.id).execute()


def of(user: User, *, before: tuple[datetime, str] | None = None, limit: int = 50) -> list[Playlist]:
    """This person's playlists, last changed first; *before* is the (updated_at, id) of the last one seen."""
    return _page(Playlist.owner == user.id, before, limit)


def public(*, before: tuple[datetime, str] | None = None, limit: int = 50) -> list[Playlist]:
    """What everyone may find, last changed first; as ``of``."""
    return _page(Playlist.visibility == Visibility.PUBLIC, before, limit)


def hold(playlist: Playlist, *, made_from: int | None = None) -> Playlist:
    """The playlist as it is now, held until the transaction ends, so that changes come one after the other.

    ``NotFound`` when it is gone, ``Stale`` unless it still is the version that a change was *made_from*.
    """
    held: Playlist | None = database.locked(Playlist.select().where(Playlist.id == playlist.id)).first()
    if held is None:
        raise NotFound("There is no such playlist.")
    if made_from is not None and held.version != made_from:
        raise Stale
    return held


def touch(playlist: Playlist, *, now: datetime) -> None:
    """Note within a transaction that the playlist was changed."""
    Playlist.update(version=Playlist.version + 1, updated_at=now).where(Playlist.id == playlist.id).execute()


def _page(which: object, before: tuple[datetime, str] | None, limit: int) -> list[Playlist]:
    query = (
        Playlist.select(Playlist, User)
        .join(User)
        .where(which)
        .order_by(Playlist.updated_at.desc(), Playlist.id.desc())
        .limit(limit)
    )
    if before is not None:
        last = peewee.Tuple(Playlist.updated_at.db_value(before[0]), before[1])
        query = query.where(peewee.Tuple(Playlist.updated_at, Playlist.id) < last)
    return list(query)


def _checked(fields: Mapping[str, object]) -> dict[str, object]:
    for name in fields:
        if name not in _READERS:
            raise Invalid(
                "A playlist has no field '{name}'; it has {known}.",
                name=name[:60],
                known=", ".join(_READERS),
                field=name[:60],
            )
    return {name: _READERS[name](value) for name, value in fields.items()}


def _visibility(value: object) -> str:
    if not isinstance(value, str) or value not in set(Visibility):
        raise Invalid("A playlist is private, unlisted or public.", field="visibility")
    return value


_READERS: Mapping[str, Callable[[object], object]] = {
    "title": lambda value: clean_line(value, field="title", longest=LONGEST_TITLE),
    "about": lambda value: clean_text(value, field="about", longest=LONGEST_ABOUT),
    "visibility": _visibility,
}
