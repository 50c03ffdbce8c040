"""What the collective features on its first page: releases in an order, each with a word on why."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from appliance import cache
from appliance import replica
from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.wording import clean_line
from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.database import transaction
from appliance.errors import Invalid

MOST = 24
LONGEST_NOTE = 300
ALL = "all"


class Featured(Base):
    """A release that is featured, its place in the order, and the note beside it."""

    release = peewee.ForeignKeyField(Release, primary_key=True, on_delete="CASCADE")
    release_id: str
    position = peewee.IntegerField()
    note = peewee.CharField(max_length=LONGEST_NOTE, default="")
    since = UtcDateTimeField()


@dataclass(frozen=True, slots=True)
class Pick:
    """A featured release, its artist joined, with the note of the collective."""

    release: Release
    note: str


def list(*, limit: int = MOST) -> Sequence[Pick]:
    """What is featured, in its order; a release that was taken back is left out until it is public again."""
    query = (
        Featured.select(Featured, Release, Artist)
        .join(Release)
        .join(Artist)
        .where(openness.PUBLIC)
        .order_by(Featured.position, Featured.release)
        .limit(limit)
    )
    return [Pick(row.release, row.note) for row in query]


def shown(*, limit: int) -> Sequence[Pick]:
    """The same for the first page, as it was a moment ago; whether a release is public is asked anew."""
    kept: Sequence[tuple[str, str]] = cache.get(
        cache.FEATURED,
        ALL,
        lambda: [(pick.release.id, pick.note) for pick in list()],
        behind=replica.is_read(),
    )
    wanted = [release_id for release_id, _ in kept]
    query = Release.select(Release, Artist).join(Artist).where(Release.id.in_(wanted), openness.PUBLIC)
    rows = {row.id: row for row in query} if wanted else {}
    return [Pick(rows[release_id], note) for release_id, note in kept if release_id in rows][:limit]


def forget() -> None:
    """Something else is featured now; to be called after the commit of that."""
    cache.forget(cache.FEATURED, ALL)


def put(release_ids: Sequence[str], *, notes: Mapping[str, str] | None = None, now: datetime) -> None:
    """Feature these releases in this order, each with its note (*notes*, by the release's id), and no others.

    ``Invalid`` for one that is not public, named twice, or one too many.
    """
    if len(release_ids) > MOST:
        raise Invalid("At most {most} releases are featured at once.", most=MOST, field="release_ids")
    if len(set(release_ids)) != len(release_ids):
        raise Invalid("A release can be featured only once.", field="release_ids")
    told = {
        release_id: clean_line(
            (notes or {}).get(release_id, ""), field="note", longest=LONGEST_NOTE, required=False
        )
        for release_id in release_ids
    }
    with transaction():
        public = Release.select(Release.id).where(Release.id.in_([*release_ids]), openness.PUBLIC)
        if public.count() != len(release_ids):
            raise Invalid("Only a release that is public can be featured.", field="release_ids")
        since = {row.release_id: row.since for row in Featured.select()}
        Featured.delete().execute()
        for position, (release_id, note) in enumerate(told.items(), start=1):
            Featured.create(
                release=release_id, position=position, note=note, since=since.get(release_id, now)
            )
