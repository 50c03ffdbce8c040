"""Bundles: put together, changed and stopped by an artist's people."""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance import database
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import openness
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.versions import Stale
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import prices
from appliance.shop.bundle_models import Bundle
from appliance.shop.bundle_models import BundlePart
from appliance.shop.models import Price

LEAST_PARTS, MOST_PARTS = 2, 20
MOST_BUNDLES = 50
"""How many bundles an artist has, the stopped ones too."""
LONGEST_TITLE, LONGEST_ABOUT = 200, 5_000


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle is said to be: *parts* are ids of releases, the one with the picture first."""

    title: str
    about: str
    price_minor: int
    pay_more: bool
    parts: Sequence[str]


def make(artist: Artist, contents: Contents, *, actor: User, now: datetime) -> Bundle:
    """A new bundle, for sale at once."""
    with transaction():
        database.locked(Artist.select(Artist.id).where(Artist.id == artist.id)).get()
        if Bundle.select().where(Bundle.artist == artist.id).count() >= MOST_BUNDLES:
            raise Conflict("An artist has at most {most} bundles.", most=MOST_BUNDLES)
        values = _checked(artist, contents, already=frozenset())
        made: Bundle = Bundle.create(artist=artist.id, created_at=now, updated_at=now, **values)
        _put(made, contents.parts)
        _note(Action.BUNDLE_MADE, made, actor=actor, now=now, parts=len(contents.parts))
    return find(artist, made.id)


def change(bundle: Bundle, contents: Contents, *, actor: User, now: datetime, made_from: int | None = None) -> None:  # fmt: skip
    """Make the bundle what *contents* say; what was bought stays as it was. ``Stale`` unless it still is the version they were *made_from*."""
    with transaction():
        held = database.locked(Bundle.select().where(Bundle.id == bundle.id)).get()
        if made_from is not None and held.version != made_from:
            raise Stale
        already = frozenset(row.id for row in releases_of([held])[held.id])
        values = _checked(bundle.artist, contents, already=already)
        Bundle.update(version=Bundle.version + 1, updated_at=now, **values).where(
            Bundle.id == held.id
        ).execute()
        _put(held, contents.parts)
        _note(Action.BUNDLE_CHANGED, held, actor=actor, now=now, parts=len(contents.parts))


def stop(bundle: Bundle, *, actor: User, now: datetime) -> None:
    """Sell it no more; what was bought stays. Nothing happens the second time."""
    with transaction():
        here = (Bundle.id == bundle.id) & Bundle.stopped_at.is_null()
        if Bundle.update(stopped_at=now, updated_at=now).where(here).execute():
            _note(Action.BUNDLE_STOPPED, bundle, actor=actor, now=now)


def resume(bundle: Bundle, *, actor: User, now: datetime) -> None:
    """Sell it again. Nothing happens when it is sold."""
    with transaction():
        here = (Bundle.id == bundle.id) & Bundle.stopped_at.is_null(False)
        if Bundle.update(stopped_at=None, updated_at=now).where(here).execute():
            _note(Action.BUNDLE_CHANGED, bundle, actor=actor, now=now)


def find(artist: Artist, bundle_id: str) -> Bundle:
    """The bundle of this artist with this id, or ``NotFound``."""
    bundle = by_id(bundle_id)
    if bundle.artist_id != artist.id:
        raise NotFound("There is no such bundle.")
    return bundle


def by_id(bundle_id: str) -> Bundle:
    """The bundle with this id, artist joined, or ``NotFound``."""
    query = Bundle.select(Bundle, Artist).join(Artist).where(Bundle.id == bundle_id)
    bundle: Bundle | None = query.first()
    if bundle is None:
        raise NotFound("There is no such bundle.")
    return bundle


def of_artist(artist: Artist, *, stopped: bool = False) -> list[Bundle]:
    """The bundles of the artist, artist joined, newest first; with *stopped* also those that are sold no more."""
    query = Bundle.select(Bundle, Artist).join(Artist).where(Bundle.artist == artist.id)
    if not stopped:
        query = query.where(Bundle.stopped_at.is_null())
    return list(query.order_by(Bundle.id.desc()))


def with_release(release: Release) -> list[Bundle]:
    """The bundles that this release is in and that are not stopped, artist joined, newest first."""
    query = Bundle.select(Bundle, Artist).join(Artist).switch(Bundle).join(BundlePart)
    here = (BundlePart.release == release.id) & Bundle.stopped_at.is_null()
    return list(query.where(here).order_by(Bundle.id.desc()))


def releases_of(rows: Iterable[Bundle]) -> dict[str, list[Release]]:
    """The releases in each bundle in their order, artists joined, by the bundle's id; by one query."""
    found: dict[str, list[Release]] = {row.id: [] for row in rows}
    query = BundlePart.select(BundlePart, Release, Artist).join(Release).join(Artist)
    here = BundlePart.bundle.in_(list(found))
    for part in query.where(here).order_by(BundlePart.position, BundlePart.id) if found else ():
        found[part.bundle_id].append(part.release)
    return found


def choosable(artist: Artist) -> list[Release]:
    """What can be in a bundle: releases that are out, and those that can be ordered before their day; newest first."""
    known = prices.of_artist(artist)
    return [row for row in releases.of_artist(artist) if is_had(row, known.get(row.id))]


def is_had(release: Release, price: Price | None) -> bool:
    """Whether a release is out, or can be ordered before it is."""
    return openness.is_public(release) or (price is not None and prices.is_ahead(release, price))


def _checked(artist: Artist, contents: Contents, *, already: frozenset[str]) -> dict[str, object]:
    """What is stored; ``Invalid`` tells what is wrong. What is in the bundle *already* may stay, even while nobody can have it."""
    parts = list(contents.parts)
    if not LEAST_PARTS <= len(parts) <= MOST_PARTS or len(set(parts)) != len(parts):
        raise Invalid(
            "Choose {least} to {most} releases.", least=LEAST_PARTS, most=MOST_PARTS, field="releases"
        )
    if set(parts) - already - {row.id for row in choosable(artist)}:
        raise Invalid(
            "Only what is out, or can be ordered before its day, can be in a bundle.", field="releases"
        )
    return {
        "title": clean_line(contents.title, field="title", longest=LONGEST_TITLE),
        "about": clean_text(contents.about, field="about", longest=LONGEST_ABOUT),
        "price_minor": prices.checked(contents.price_minor, prices.currency_of(artist.id)),
        "pay_more": contents.pay_more,
    }


def _put(bundle: Bundle, parts: Sequence[str]) -> None:
    BundlePart.delete().where(BundlePart.bundle == bundle.id).execute()
    BundlePart.insert_many(
        [
            {"id": new_id(), "bundle": bundle.id, "release": release_id, "position": position}
            for position, release_id in enumerate(parts)
        ]
    ).execute()


def _note(action: Action, bundle: Bundle, *, actor: User, now: datetime, **detail: object) -> None:
    audit.record(
        action,
        actor=actor.id,
        subject=f"artist:{bundle.artist_id}",
        now=now,
        detail={"bundle": bundle.id, **detail},
    )
