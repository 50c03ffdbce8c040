"""The artists of the house, for its admins: listed, searched, and handed over when their owner is gone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from appliance.accounts import people
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog import openness
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.database import transaction
from appliance.errors import Conflict


@dataclass(frozen=True, slots=True)
class Entry:
    """One artist, its owner joined, and how many of its releases are public."""

    artist: Artist
    published: int


def page(*, words: str = "", before: str | None = None, limit: int = 50) -> list[Entry]:
    """Artists, newest first; only those whose name or address begins with *words*. Two queries, however many there are."""
    query = Artist.select(Artist, User).join(User).order_by(Artist.id.desc()).limit(limit)
    if words.strip():
        start = words.strip().removeprefix("@")
        query = query.where(Artist.name.startswith(start) | Artist.slug.startswith(start))
    if before:
        query = query.where(Artist.id < before)
    rows = list(query)
    published = _published([row.id for row in rows])
    return [Entry(row, published.get(row.id, 0)) for row in rows]


def hand_over(artist: Artist, address: str, *, actor: User, now: datetime) -> User:
    """Make the person with this e-mail address the owner; who owned it stays as a manager. A note stands in the audit trail."""
    person = people.find(address)
    if not person.active:
        raise Conflict("This account is deactivated; activate it first.")
    with transaction():
        members.hold(artist)
        members.join(artist, person, MemberRole.MANAGER, now=now)
        members.transfer(artist, person.id, actor=actor, now=now)
    return person


def _published(ids: list[str]) -> dict[str, int]:
    if not ids:
        return {}
    public = Release.artist.in_(ids) & openness.PUBLIC
    query: Any = (
        Release.select(Release.artist, peewee.fn.COUNT(Release.id)).where(public).group_by(Release.artist)
    )
    return dict(query.tuples())
