"""Artists: made by a person, found by slug, removed while they are empty."""

import re
from datetime import datetime
from typing import Any

import peewee

from appliance import cache
from appliance import replica
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts.audit import Action
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import findable
from appliance.catalog import members
from appliance.catalog.member_models import ArtistAddress
from appliance.catalog.member_models import ArtistMember
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.catalog.wording import slugify
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.prepared import Prepared

_by_slug = Prepared(lambda slug: Artist.select().where(Artist.slug == slug))
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
MOST_ARTISTS_OF_ONE_PERSON = 50
PROFILE = ("id", "slug", "name", "about", "location", "links", "picture_key", "colour", "accent", "version")


def create(owner: User, *, name: str, slug: str = "", about: str = "", now: datetime) -> Artist:
    """A new artist run by *owner*, who gets the artist role; without *slug* one is made of the name.

    ``Invalid`` for a name or slug that cannot be, ``Conflict`` for a slug that is taken.
    """
    name = clean_line(name, field="name", longest=200)
    if slug:
        slug = checked_slug(slug)
    with transaction():
        slug = slug or _free_slug(slugify(name, fallback="artist"))
        require_free(slug)
        if Artist.select().where(Artist.owner == owner.id).count() >= MOST_ARTISTS_OF_ONE_PERSON:
            raise Conflict("One person runs at most {most} artists.", most=MOST_ARTISTS_OF_ONE_PERSON)
        artist = Artist.create(
            slug=slug, name=name, about=clean_text(about, field="about"), owner=owner.id, created_at=now
        )
        ArtistMember.create(artist=artist.id, user=owner.id, role=MemberRole.OWNER, since=now)
        people.give_role(owner.id, RoleName.ARTIST)
        audit.record(Action.ARTIST_CREATED, actor=owner.id, subject=f"artist:{artist.id}", now=now)
    return artist


def find(slug: str) -> Artist:
    """The artist at this slug, or ``NotFound``."""
    rows = _by_slug(slug)
    if not rows:
        raise NotFound("There is no such artist.")
    return rows[0]


def shown(slug: str) -> Artist:
    """The same for whoever passes by, kept for an hour and forgotten when it changes; without its owner, for rights are never kept."""
    if not SLUG.fullmatch(slug):
        # Anybody can ask for anything, and none of that comes near the cache.
        return find(slug)
    facts = cache.get(cache.PROFILES, slug, lambda: _profile(find(slug)), behind=replica.is_read())
    # Past peewee, which would also make what a new artist begins with.
    artist = Artist(__no_default__=1)
    artist.__data__ = {**facts, "created_at": datetime.fromisoformat(facts["created_at"])}
    return artist


def forget(slug: str) -> None:
    """What is kept of the artist at this address is no longer true; to be called after the commit of that."""
    cache.forget(cache.PROFILES, slug)


def _profile(artist: Artist) -> dict[str, Any]:
    """What of an artist is the same for everybody who looks."""
    return {name: getattr(artist, name) for name in PROFILE} | {"created_at": artist.created_at.isoformat()}


def moved_to(slug: str) -> str:
    """The present address of the artist who was at this one before; empty when nobody was."""
    address = (
        ArtistAddress.select(ArtistAddress, Artist).join(Artist).where(ArtistAddress.slug == slug).first()
    )
    return str(address.artist.slug) if address else ""


def by_id(artist_id: str) -> Artist:
    """The artist with this id, or ``NotFound``."""
    artist = Artist.get_or_none(Artist.id == artist_id)
    if artist is None:
        raise NotFound("There is no such artist.")
    return artist


def run_by(user: User) -> list[Artist]:
    """The artists this person works on, in whatever role, by name."""
    query = Artist.select().join(ArtistMember).where(ArtistMember.user == user.id)
    return list(query.order_by(Artist.name, Artist.id))


def delete(artist: Artist, *, actor: User, now: datetime) -> None:
    """Remove an artist that has no release and that nobody ever paid; ``Conflict`` otherwise."""
    with transaction():
        members.hold(artist)
        # As it is now: the address may be another one than when it was looked up.
        gone = by_id(artist.id)
        if Release.select().where(Release.artist == artist.id).exists():
            raise Conflict("Only an artist without releases can be removed.")
        try:
            Artist.delete().where(Artist.id == artist.id).execute()
        except peewee.IntegrityError as error:
            raise Conflict("Somebody paid for this artist, so the artist stays, as the books do.") from error
        findable.artist(artist.id)
        audit.record(
            Action.ARTIST_REMOVED,
            actor=actor.id,
            subject=f"artist:{artist.id}",
            now=now,
            detail={"name": artist.name},
        )
    forget(gone.slug)


def checked_slug(text: object) -> str:
    """*text* as an address can be; ``Invalid`` for any other."""
    if not isinstance(text, str) or not SLUG.fullmatch(text):
        raise Invalid("A slug has 1 to 60 letters a-z, digits and inner hyphens.", field="slug")
    return text


def require_free(slug: str, *, besides: str = "") -> None:
    """``Conflict`` when the address is, or was, that of another artist than *besides*: shared links stay with whom they were for."""
    now = Artist.select().where(Artist.slug == slug, Artist.id != besides)
    before = ArtistAddress.select().where(ArtistAddress.slug == slug, ArtistAddress.artist != besides)
    if now.exists() or before.exists():
        raise Conflict("The address @{slug} is taken.", slug=slug)


def _free_slug(wanted: str) -> str:
    """*wanted*, or with a number where it is taken: names in other scripts all come out alike."""
    stem = wanted[:50]
    taken = {row.slug for row in Artist.select(Artist.slug).where(Artist.slug.startswith(stem))}
    former = ArtistAddress.select(ArtistAddress.slug).where(ArtistAddress.slug.startswith(stem))
    taken |= {row.slug for row in former}
    numbered = (f"{stem.rstrip('-')}-{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(slug for slug in numbered if slug not in taken)
