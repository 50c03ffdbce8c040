"""Artists: made by a person, found by slug."""

import re
from datetime import datetime

from appliance.accounts import people
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog.member_models import ArtistMember
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.catalog.wording import slugify
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
MOST_ARTISTS_OF_ONE_PERSON = 50


def create(owner: User, *, name: str, slug: str = "", about: str = "", now: datetime) -> Artist:
    """A new artist run by *owner*, who gets the artist role; without *slug* one is made of the name.

    ``Invalid`` for a name or slug that cannot be, ``Conflict`` for a slug that is taken.
    """
    name = clean_line(name, field="name", longest=200)
    if slug and not SLUG.fullmatch(slug):
        raise Invalid("A slug has 1 to 60 letters a-z, digits and inner hyphens.", field="slug")
    with transaction():
        slug = slug or _free_slug(slugify(name, fallback="artist"))
        if Artist.select().where(Artist.slug == slug).exists():
            raise Conflict(f"The address @{slug} is taken.")
        if Artist.select().where(Artist.owner == owner.id).count() >= MOST_ARTISTS_OF_ONE_PERSON:
            raise Conflict(f"One person runs at most {MOST_ARTISTS_OF_ONE_PERSON} artists.")
        artist = Artist.create(
            slug=slug, name=name, about=clean_text(about, field="about"), owner=owner.id, created_at=now
        )
        ArtistMember.create(artist=artist.id, user=owner.id, role=MemberRole.OWNER, since=now)
        people.give_role(owner.id, RoleName.ARTIST)
    return artist


def find(slug: str) -> Artist:
    """The artist at this slug, or ``NotFound``."""
    artist = Artist.get_or_none(Artist.slug == slug)
    if artist is None:
        raise NotFound("There is no such artist.")
    return artist


def run_by(user: User) -> list[Artist]:
    """The artists this person works on, in whatever role, by name."""
    query = Artist.select().join(ArtistMember).where(ArtistMember.user == user.id)
    return list(query.order_by(Artist.name, Artist.id))


def _free_slug(wanted: str) -> str:
    """*wanted*, or with a number where it is taken: names in other scripts all come out alike."""
    taken = {row.slug for row in Artist.select(Artist.slug).where(Artist.slug.startswith(wanted[:50]))}
    numbered = (f"{wanted[:50].rstrip('-')}-{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(slug for slug in numbered if slug not in taken)
