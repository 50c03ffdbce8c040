"""What a person heard, newest first, and forgetting it."""

from datetime import datetime

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.errors import NotFound
from appliance.listening.models import Play

NOBODY = ""
"""The player of a play whose listener wants it forgotten: no real one, so that a late report cannot bring the listener back."""


def of(user: User, *, before: tuple[datetime, str] | None = None, limit: int = 50) -> list[Play]:
    """This person's plays, newest first, track, release and artist joined; *before* is the (started_at, id) of the last one seen."""
    query = (
        Play.select(Play, Track, Release, Artist)
        .join(Track)
        .join(Release)
        .join(Artist)
        .where(Play.user == user.id)
        .order_by(Play.started_at.desc(), Play.id.desc())
        .limit(limit)
    )
    if before is not None:
        instant, play_id = before
        last = peewee.Tuple(Play.started_at.db_value(instant), play_id)
        query = query.where(peewee.Tuple(Play.started_at, Play.id) < last)
    return list(query)


def forget(user: User, play_id: str) -> None:
    """Take one play out of this person's history; ``NotFound`` when it is not in it. It still counts, for nobody in particular."""
    with transaction():
        if not _forget(Play.user == user.id, Play.id == play_id):
            raise NotFound("This is not in your history.")


def forget_all(user: User) -> int:
    """Empty this person's history; how many plays that were."""
    with transaction():
        return _forget(Play.user == user.id)


def _forget(*which: object) -> int:
    return int(Play.update(user=None, client=NOBODY, context="").where(*which).execute())
