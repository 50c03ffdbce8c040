"""What the collective features, as its admins arrange it: found, added, ordered, given a note and taken out, each with a trace."""

from datetime import datetime

from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.database import transaction
from appliance.discovery import featured
from appliance.errors import Conflict
from appliance.search.index import IndexedRelease
from appliance.search.index import SearchIndex

FOUND = 20


def search(words: str) -> list[Release]:
    """Public releases that have these words, best first, their artists joined."""
    ids = SearchIndex(IndexedRelease).find(words, limit=FOUND)
    query = Release.select(Release, Artist).join(Artist)
    rows = {row.id: row for row in query.where(Release.id.in_(ids), openness.PUBLIC)} if ids else {}
    return [rows[release_id] for release_id in ids if release_id in rows]


def add(release_id: str, *, actor: str | None, now: datetime) -> None:
    """Feature this release, before the others; nothing happens when it is featured already."""
    with transaction():
        order, notes = _now()
        if release_id not in order:
            featured.put([release_id, *order], notes=notes, now=now)
            _record(Action.FEATURED_ADDED, release_id, actor, now)
    featured.forget()


def note(release_id: str, text: str, *, actor: str | None, now: datetime) -> None:
    """Put a word on why beside a featured release."""
    with transaction():
        order, notes = _now()
        _require(release_id, order)
        featured.put(order, notes={**notes, release_id: text}, now=now)
        _record(Action.FEATURED_CHANGED, release_id, actor, now)
    featured.forget()


def move(release_id: str, step: int, *, actor: str | None, now: datetime) -> None:
    """Move a featured release by so many places, as far as there are any."""
    with transaction():
        order, notes = _now()
        _require(release_id, order)
        here = order.index(release_id)
        there = min(max(here + step, 0), len(order) - 1)
        if here != there:
            order.insert(there, order.pop(here))
            featured.put(order, notes=notes, now=now)
            _record(Action.FEATURED_CHANGED, release_id, actor, now)
    featured.forget()


def remove(release_id: str, *, actor: str | None, now: datetime) -> None:
    """Feature it no more; nothing happens when it is not featured."""
    with transaction():
        order, notes = _now()
        if release_id in order:
            featured.put([other for other in order if other != release_id], notes=notes, now=now)
            _record(Action.FEATURED_REMOVED, release_id, actor, now)
    featured.forget()


def _now() -> tuple[list[str], dict[str, str]]:
    picks = featured.list()
    return [pick.release.id for pick in picks], {pick.release.id: pick.note for pick in picks}


def _require(release_id: str, order: list[str]) -> None:
    if release_id not in order:
        raise Conflict("This release is not featured any more.")


def _record(action: Action, release_id: str, actor: str | None, now: datetime) -> None:
    audit.record(action, actor=actor, subject=f"release:{release_id}", now=now)
