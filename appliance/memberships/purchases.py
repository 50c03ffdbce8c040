"""What was bought, and what becomes of it."""

from datetime import datetime
from typing import Any

import peewee

from appliance import revocations
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.memberships.models import Purchase


def releases_of(user: User, *, limit: int) -> list[Release]:
    """The releases that this person bought last, or bought a track of, artists joined; those whose money went back are not in it."""
    release = peewee.fn.COALESCE(Purchase.release, Track.release)
    last = peewee.fn.MAX(Purchase.bought_at)
    bought: Any = (
        Purchase.select(release.alias("release_id"), last.alias("at"))
        .join(Track, peewee.JOIN.LEFT_OUTER)
        .where(Purchase.user == user.id, Purchase.refunded_at.is_null())
        .group_by(release)
        .order_by(last.desc(), release)
        .limit(limit)
    )
    keys = [key for key, _at in bought.tuples()]
    rows = {row.id: row for row in Release.select(Release, Artist).join(Artist).where(Release.id.in_(keys))}
    return [rows[key] for key in keys if key in rows]


def refund(purchase: Purchase, *, now: datetime) -> None:
    """Take back what a purchase opened, whose money goes back: it is shut at once. Nothing happens the second time."""
    with transaction():
        standing = (Purchase.id == purchase.id) & Purchase.refunded_at.is_null()
        if Purchase.update(refunded_at=now).where(standing).execute():
            revocations.revoke(f"member:{purchase.user_id}:{purchase.artist_id}", now=now)


def restore(purchase: Purchase) -> None:
    """Open again what a refund shut that did not come to be. Nothing happens when it is open."""
    standing = (Purchase.id == purchase.id) & Purchase.refunded_at.is_null(False)
    Purchase.update(refunded_at=None).where(standing).execute()
