"""Releases: made, edited, found and listed."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import date
from datetime import datetime
from typing import Any

import peewee

from appliance import revocations
from appliance.catalog import codes
from appliance.catalog import credits
from appliance.catalog import findable
from appliance.catalog import licences
from appliance.catalog import openness
from appliance.catalog import tracks
from appliance.catalog import versions
from appliance.catalog.models import Artist
from appliance.catalog.models import Audience
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseKind
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.catalog.wording import slugify
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.prepared import Prepared

MOST_TAGS = 20
_by_id = Prepared(
    lambda release_id: Release.select(Release, Artist).join(Artist).where(Release.id == release_id),
    Release.artist,
)


def _published(limit: Any) -> peewee.ModelSelect[Release]:
    return (
        Release.select(Release, Artist)
        .join(Artist)
        .where(openness.PUBLIC)
        .order_by(Release.published_at.desc(), Release.id.desc())
        .limit(limit)
    )


_newest = Prepared(_published, Release.artist)
_newest_of = Prepared(
    lambda artist_id, limit: _published(limit).where(Release.artist == artist_id), Release.artist
)
_by_address = Prepared(
    lambda artist_slug, slug: (
        Release.select(Release, Artist).join(Artist).where(Artist.slug == artist_slug, Release.slug == slug)
    ),
    Release.artist,
)


def create(artist: Artist, fields: Mapping[str, object], *, now: datetime) -> Release:
    """A new draft; *fields* as in ``edit``, of which ``title`` must be there."""
    values = _checked({"kind": ReleaseKind.ALBUM, "title": "", **fields})
    people = values.pop("contributors", ())
    with transaction():
        slug = _free_slug(artist, slugify(str(values["title"])))
        release = Release.create(artist=artist, slug=slug, created_at=now, updated_at=now, **values)
        credits.store(release.id, None, people)
    return release


def edit(
    release: Release, fields: Mapping[str, object], *, now: datetime, made_from: int | None = None
) -> Release:
    """Change what *fields* names and nothing else; with ``track_order``, a list of track ids, also the order of the tracks.

    All of it happens or nothing. ``Invalid`` names the field that cannot be taken, ``Conflict`` tells that the order is not of the
    tracks there are, ``Stale`` that the release is no longer the version the change was *made_from*. The address of a release stays
    when its title changes: people have shared it.
    """
    values = _checked({name: value for name, value in fields.items() if name != "track_order"})
    with transaction():
        if values or made_from is not None:
            people = values.pop("contributors", None)
            # Whoever the change shuts out must not go on by the permission they were given before.
            if "audience" in values and Release.get_by_id(release.id).audience != values["audience"]:
                revocations.revoke(f"release:{release.id}", now=now)
            versions.change(release, {"updated_at": now, **values}, made_from=made_from)
            if people is not None:
                credits.store(release.id, None, people)
        if "track_order" in fields:
            tracks.reorder(release, _track_order(fields["track_order"]), now=now)
        if values.keys() & {"title", "genre", "tags"}:
            findable.release(release.id)
    return find(release.id)


def find(release_id: str) -> Release:
    """The release with this id, its artist joined, or ``NotFound``."""
    rows = _by_id(release_id)
    if not rows:
        raise NotFound("There is no such release.")
    return rows[0]


def find_by_address(artist_slug: str, slug: str) -> Release:
    """The release at ``/@artist/slug``, or ``NotFound``."""
    rows = _by_address(artist_slug, slug)
    if not rows:
        raise NotFound("There is no such release.")
    return rows[0]


def published(
    *, limit: int, before: tuple[datetime, str] | None = None, artist: Artist | None = None
) -> list[Release]:
    """Public releases, newest first; *before* is the (published_at, id) of the last one seen (keyset)."""
    if before is None:
        return _newest(limit) if artist is None else _newest_of(artist.id, limit)
    query = _published(limit)
    if artist is not None:
        query = query.where(Release.artist == artist.id)
    if before is not None:
        instant, release_id = before
        # In the form it is stored in: a pair of columns does not tell its values what they are.
        last = peewee.Tuple(Release.published_at.db_value(instant), release_id)
        query = query.where(peewee.Tuple(Release.published_at, Release.id) < last)
    return list(query)


def scheduled(artist: Artist, *, until: datetime) -> list[Release]:
    """Releases of the artist that go public by themselves until then, the next one first."""
    query = Release.select(Release, Artist).join(Artist)
    query = query.where(
        Release.artist == artist.id,
        Release.state == ReleaseState.SCHEDULED,
        Release.publish_at <= until,
        Release.taken_down_at.is_null(),
    )
    return list(query.order_by(Release.publish_at, Release.id))


def of_artist(artist: Artist) -> list[Release]:
    """Every release of the artist, drafts too, newest first."""
    query = Release.select(Release, Artist).join(Artist).where(Release.artist == artist.id)
    return list(query.order_by(Release.id.desc()))


def of_artists(rows: Iterable[Artist]) -> list[Release]:
    """Every release of these artists, drafts too, newest first, by one query."""
    query = Release.select(Release, Artist).join(Artist).where(Release.artist.in_([row.id for row in rows]))
    return list(query.order_by(Release.id.desc()))


def of_artists_in(
    rows: Iterable[Artist], state: ReleaseState, *, limit: int, before: str | None = None
) -> list[Release]:
    """The releases of these artists in this state, newest first; *before* is the id of the last one seen (keyset)."""
    query = (
        Release.select(Release, Artist)
        .join(Artist)
        .where(Release.artist.in_([row.id for row in rows]), Release.state == state)
    )
    if before is not None:
        query = query.where(Release.id < before)
    return list(query.order_by(Release.id.desc()).limit(limit))


def delete_draft(release: Release) -> None:
    """Remove a draft that holds no track; ``Conflict`` otherwise."""
    with transaction():
        if release.state != ReleaseState.DRAFT or Track.select().where(Track.release == release.id).exists():
            raise Conflict("Only a draft without tracks can be removed.")
        Release.delete().where(Release.id == release.id).execute()


def tags_of(release: Release) -> list[str]:
    """The tags as a list."""
    return [tag for tag in release.tags.split("\n") if tag]


def _free_slug(artist: Artist, wanted: str) -> str:
    taken = {r.slug for r in Release.select(Release.slug).where(Release.artist == artist.id)}
    number, slug = 1, wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _track_order(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Invalid("'track_order' must be a list of track ids.", field="track_order")
    return value


def _kind(value: object) -> str:
    if not isinstance(value, str) or value not in set(ReleaseKind):
        raise Invalid("'kind' is one of {kinds}.", kinds=", ".join(ReleaseKind), field="kind")
    return ReleaseKind(value)


def _audience(value: object) -> str:
    if not isinstance(value, str) or value not in set(Audience):
        raise Invalid("The audience is 'everyone', 'listeners' or 'members'.", field="audience")
    return Audience(value)


def _tags(value: object) -> str:
    names = value.replace("\n", ",").split(",") if isinstance(value, str) else value
    if not isinstance(names, list):
        raise Invalid("'tags' must be a list of texts.", field="tags")
    if len(names) > 10 * MOST_TAGS:
        raise Invalid("A release has at most {most} tags.", most=MOST_TAGS, field="tags")
    tags = [clean_line(name, field="tags", longest=40, required=False).lower() for name in names]
    unique = list(dict.fromkeys(tag for tag in tags if tag))
    if len(unique) > MOST_TAGS:
        raise Invalid(
            "A release has at most {most} tags; these are {count}.",
            most=MOST_TAGS,
            count=len(unique),
            field="tags",
        )
    return "\n".join(unique)


def _release_date(value: object) -> date | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise Invalid(
            "'release_date' must be a date such as 2026-05-01 (ISO 8601).", field="release_date"
        ) from error


_READERS: Mapping[str, Callable[[object], object]] = {
    "title": lambda v: clean_line(v, field="title", longest=300),
    "kind": _kind,
    "about": lambda v: clean_text(v, field="about"),
    "genre": lambda v: clean_line(v, field="genre", longest=60, required=False),
    "tags": _tags,
    "credits": lambda v: clean_text(v, field="credits"),
    "licence": licences.read,
    "catalogue_number": codes.catalogue_number,
    "release_date": _release_date,
    "audience": _audience,
    "contributors": credits.read,
}


def _checked(fields: Mapping[str, object]) -> dict[str, Any]:
    for name in fields:
        if name not in _READERS:
            raise Invalid(
                "A release has no field '{name}' that can be set; it has {known}.",
                name=name[:60],
                known=", ".join(_READERS),
                field=name[:60],
            )
    return {name: _READERS[name](value) for name, value in fields.items()}
