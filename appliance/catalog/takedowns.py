"""Takedowns: a moderator shuts a release or a track for everybody, and gives it back; each with a reason, and an entry of the trail."""

from datetime import datetime

import peewee

from appliance import revocations
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import findable
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.wording import clean_line
from appliance.database import Identified
from appliance.database import UtcDateTimeField
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound

LONGEST_REASON = 500


class Takedown(Identified):
    """A release, or one *track*, was taken down, and until it is *lifted* nobody hears it."""

    release = peewee.ForeignKeyField(Release, null=True, on_delete="CASCADE")
    release_id: str | None
    track = peewee.ForeignKeyField(Track, null=True, on_delete="CASCADE")
    track_id: str | None
    reason = peewee.CharField(max_length=LONGEST_REASON)
    taken_by = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL")
    taken_by_id: str | None
    taken_at = UtcDateTimeField()
    lifted_at = UtcDateTimeField(null=True)


def take_down(row: Release | Track, reason: object, *, actor: User, now: datetime) -> Takedown:
    """Shut this for everybody at once: pages, streams, downloads, search and feeds. ``Conflict`` when it is down already."""
    told = clean_line(reason, field="reason", longest=LONGEST_REASON)
    model: type[Release] | type[Track] = type(row)
    with transaction():
        here = (model.id == row.id) & model.taken_down_at.is_null()
        if not model.update(taken_down_at=now).where(here).execute():
            raise Conflict("This is taken down already.")
        made = Takedown.create(**_named(row), reason=told, taken_by=actor.id, taken_at=now)
        _follow(row, Action.TAKEN_DOWN, actor=actor, now=now, reason=told)
        revocations.revoke(subject(row), now=now)
    return made


def restore(row: Release | Track, *, actor: User, now: datetime) -> None:
    """Give it back as it was; nothing happens when it is not down."""
    model: type[Release] | type[Track] = type(row)
    with transaction():
        here = (model.id == row.id) & model.taken_down_at.is_null(False)
        if not model.update(taken_down_at=None).where(here).execute():
            return
        ((name, key),) = _named(row).items()
        Takedown.update(lifted_at=now).where(
            getattr(Takedown, name) == key, Takedown.lifted_at.is_null()
        ).execute()
        _follow(row, Action.TAKEDOWN_LIFTED, actor=actor, now=now)


def find(kind: str, key: str) -> Release | Track:
    """The release or track with this id, or ``NotFound``."""
    if kind == "release":
        return releases.find(key)
    if kind == "track":
        return tracks.find(key)
    raise NotFound("There is nothing at this address.")


def named(text: str) -> Release | Track:
    """What somebody means who writes an id or the address of a page; ``Invalid`` when it is neither."""
    parts = text.strip().partition("?")[0].rstrip("/").rpartition("/@")[2].split("/")
    finders = {
        1: (lambda: releases.find(parts[0]), lambda: tracks.find(parts[0])),
        2: (lambda: releases.find_by_address(*parts),),
        3: (lambda: tracks.find_by_address(*parts),),
    }
    for find_one in finders.get(len(parts), ()):
        try:
            return find_one()
        except NotFound:
            continue
    raise Invalid("No release and no track has this address.", field="what")


def standing(*, limit: int, before: str | None = None) -> list[Takedown]:
    """What is down now, last first, with what it is about joined; *before* is the id of the last one seen (keyset)."""
    of_track, artist_of_track = Release.alias(), Artist.alias()
    query = (
        Takedown.select(Takedown, Release, Artist, Track, of_track, artist_of_track)
        .join(Release, peewee.JOIN.LEFT_OUTER)
        .join(Artist, peewee.JOIN.LEFT_OUTER)
        .switch(Takedown)
        .join(Track, peewee.JOIN.LEFT_OUTER)
        .join(of_track, peewee.JOIN.LEFT_OUTER, on=(Track.release == of_track.id), attr="release")
        .join(
            artist_of_track, peewee.JOIN.LEFT_OUTER, on=(of_track.artist == artist_of_track.id), attr="artist"
        )
        .where(Takedown.lifted_at.is_null())
    )
    if before is not None:
        query = query.where(Takedown.id < before)
    return list(query.order_by(Takedown.id.desc()).limit(limit))


def reason_of(row: Release | Track) -> str:
    """Why this is down; empty when it is not."""
    ((name, key),) = _named(row).items()
    here = (getattr(Takedown, name) == key) & Takedown.lifted_at.is_null()
    found = Takedown.select().where(here).order_by(Takedown.id.desc()).first()
    return str(found.reason) if found else ""


def subject(row: Release | Track) -> str:
    """By what the trail and the permissions know this."""
    return f"release:{row.id}" if isinstance(row, Release) else f"track:{row.id}"


def _named(row: Release | Track) -> dict[str, str]:
    return {"release" if isinstance(row, Release) else "track": row.id}


def _follow(row: Release | Track, action: Action, *, actor: User, now: datetime, **detail: object) -> None:
    """Have the search know it, and the trail."""
    if isinstance(row, Release):
        findable.release(row.id)
    else:
        findable.track(row.id)
    audit.record(action, actor=actor.id, subject=subject(row), now=now, detail={"title": row.title, **detail})
