"""Genres and tags: which there are, how many public releases each has, and which these are."""

import functools
import operator
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import peewee

from appliance import search
from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField
from appliance.database import new_id
from appliance.errors import NotFound
from appliance.prepared import Prepared

LONGEST_SLUG = 80


class TopicKind(StrEnum):
    """A release has one genre and several tags."""

    GENRE = "genre"
    TAG = "tag"


class Topic(Identified):
    """A genre or a tag as it was first written; *count* is the number of public releases that have it."""

    kind = peewee.CharField(max_length=10)
    slug = peewee.CharField(max_length=LONGEST_SLUG)
    name = peewee.CharField(max_length=60)
    count = peewee.IntegerField(default=0)

    class Meta:
        indexes = ((("kind", "slug"), True), (("kind", "count", "slug"), False))


class TopicRelease(Base):
    """A public release has this genre or tag; *published_at* is that of the release, so that a list needs no sorting."""

    id = peewee.BigAutoField()
    topic = peewee.ForeignKeyField(Topic, on_delete="CASCADE", index=False)
    topic_id: str
    release = peewee.ForeignKeyField(Release, on_delete="CASCADE")
    release_id: str
    published_at = UtcDateTimeField()

    class Meta:
        indexes = ((("topic", "release"), True), (("topic", "published_at", "release"), False))


_largest = Prepared(
    lambda kind, limit: (
        Topic.select()
        .where(Topic.kind == kind, Topic.count > 0)
        .order_by(Topic.count.desc(), Topic.slug.desc())
        .limit(limit)
    )
)


def slug_of(name: str) -> str:
    """The part of an address that spellings of one genre or tag share: ``Hip Hop`` and ``hip-hop`` are one; empty where nothing is left."""
    return "-".join(search.words(name))[:LONGEST_SLUG].strip("-")


def largest(kind: TopicKind, *, limit: int) -> list[Topic]:
    """The genres or tags with the most public releases."""
    return _largest(str(kind), limit)


def find(kind: TopicKind, name: str) -> Topic:
    """The genre or tag by its slug or by any spelling of it; ``NotFound`` when no public release has it."""
    topic: Topic | None = Topic.get_or_none(Topic.kind == kind, Topic.slug == slug_of(name), Topic.count > 0)
    if topic is None:
        if kind is TopicKind.GENRE:
            raise NotFound("No release has this genre.")
        raise NotFound("No release has this tag.")
    return topic


def named(subjects: Sequence[str]) -> list[Topic]:
    """The topics that the search calls so (``genre:ambient``), in this order."""
    pairs = [tuple(subject.split(":", 1)) for subject in subjects]
    if not pairs:
        return []
    either = functools.reduce(
        operator.or_, ((Topic.kind == kind) & (Topic.slug == slug) for kind, slug in pairs)
    )
    found = {(row.kind, row.slug): row for row in Topic.select().where(either)}
    return [found[pair] for pair in pairs if pair in found]


def releases_of(topic: Topic, *, limit: int, before: tuple[datetime, str] | None = None) -> list[Release]:
    """Public releases of this genre or tag, newest first; *before* is the (published_at, id) of the last one seen (keyset)."""
    query = (
        Release.select(Release, Artist)
        .join(Artist)
        .switch(Release)
        .join(TopicRelease, on=TopicRelease.release == Release.id)
        .where(TopicRelease.topic == topic.id, openness.PUBLIC)
        .order_by(TopicRelease.published_at.desc(), TopicRelease.release.desc())
        .limit(limit)
    )
    if before is not None:
        last = peewee.Tuple(Release.published_at.db_value(before[0]), before[1])
        query = query.where(peewee.Tuple(TopicRelease.published_at, TopicRelease.release) < last)
    return list(query)


def assign(release: Release, names: Mapping[TopicKind, Iterable[str]]) -> None:
    """Make these the genre and tags of a public release; without any it is found under none. In the transaction of the caller."""
    wanted = {
        (str(kind), slug_of(name)): name for kind, texts in names.items() for name in texts if slug_of(name)
    }
    held = {
        (row.topic.kind, row.topic.slug): row
        for row in TopicRelease.select(TopicRelease, Topic)
        .join(Topic)
        .where(TopicRelease.release == release.id)
    }
    # In one order everywhere: two that publish at once wait for each other instead of blocking each other.
    for key in sorted(wanted.keys() | held.keys()):
        if key not in wanted:
            TopicRelease.delete().where(TopicRelease.id == held[key].id).execute()
            _count(held[key].topic, -1)
        elif key not in held:
            topic = _made(*key, name=wanted[key])
            TopicRelease.create(topic=topic.id, release=release.id, published_at=release.published_at)
            _count(topic, 1)
        elif held[key].published_at != release.published_at:
            TopicRelease.update(published_at=release.published_at).where(
                TopicRelease.id == held[key].id
            ).execute()


def clear() -> None:
    """Forget which releases have which genres and tags, to put them in anew."""
    TopicRelease.delete().execute()
    Topic.delete().execute()


def _made(kind: str, slug: str, *, name: str) -> Topic:
    Topic.insert(id=new_id(), kind=kind, slug=slug, name=name[:60]).on_conflict_ignore().execute()
    found: Topic = Topic.get(Topic.kind == kind, Topic.slug == slug)
    return found


def _count(topic: Topic, change: int) -> None:
    """Count one release more or less. A topic that none has stays, unseen: another that is just being published may want it."""
    Topic.update(count=Topic.count + change).where(Topic.id == topic.id).execute()
    count = Topic.select(Topic.count).where(Topic.id == topic.id).scalar()
    subject = f"{topic.kind}:{topic.slug}"
    if count > 0:
        search.TAGS.put([search.Entry(subject, topic.name)])
    else:
        search.TAGS.remove([subject])
