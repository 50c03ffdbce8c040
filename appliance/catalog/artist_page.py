"""What an artist says of themselves: name, address, texts, links, colour and picture; changed by those who care for the page."""

import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from urllib.parse import urlsplit

from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import artwork
from appliance.catalog import findable
from appliance.catalog import members
from appliance.catalog import versions
from appliance.catalog.artwork import Crop
from appliance.catalog.member_models import ArtistAddress
from appliance.catalog.models import Artist
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.storage import ObjectStore

MOST_LINKS = 12
LONGEST_LINK = 500
MOST_ADDRESSES = 10
"""So many addresses an artist may have had: each of them is kept from all others."""
_ACCENT = re.compile(r"#[0-9a-f]{6}")
_MAIL = re.compile(r"[^@\s/:?]+@[^@\s/:?]+\.[^@\s/:?]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """One link of an artist, as it is shown."""

    label: str
    url: str


def edit(
    artist: Artist, fields: Mapping[str, object], *, actor: User, now: datetime, made_from: int | None = None
) -> Artist:
    """Change what *fields* names and nothing else; a new ``slug`` keeps the old one as an address that leads here.

    ``Invalid`` names the field that cannot be taken, ``Conflict`` an address that is another's, ``Stale`` says that somebody else was
    faster than this change, which was *made_from* an older version.
    """
    values = _checked(fields)
    with transaction():
        members.hold(artist)
        before = artists.by_id(artist.id)
        if "slug" in values:
            _move(before, str(values["slug"]), now=now)
        versions.change(artist, values, made_from=made_from)
        if "name" in values:
            findable.artist(artist.id)
        if values:
            _note(artist, sorted(values), actor=actor, now=now)
    changed = artists.by_id(artist.id)
    for slug in {before.slug, changed.slug}:
        artists.forget(slug)
    return changed


def set_picture(
    artist: Artist,
    picture: BinaryIO,
    *,
    store: ObjectStore,
    actor: User,
    now: datetime,
    crop: Crop | None = None,
) -> Artist:
    """Give the artist the square *crop* of a picture, or its middle; ``Invalid`` tells what is wrong with it."""
    key, colour = artwork.put_sizes(picture, folder=f"artwork/{artist.id}", store=store, crop=crop)
    return _pictured(artist, key, colour, actor=actor, now=now)


def remove_picture(artist: Artist, *, actor: User, now: datetime) -> Artist:
    """Take the picture away; its bytes go with the next clean-up."""
    return _pictured(artist, "", "", actor=actor, now=now)


def links_of(artist: Artist) -> list[Link]:
    """The links of the artist in their order."""
    pairs = [line.partition(" ") for line in artist.links.split("\n") if line]
    return [Link(label=label, url=url) for url, _, label in pairs]


def checked_link(url: object, label: object) -> Link:
    """A link whose address a page may carry: to the web or to a mailbox; ``Invalid`` for any other.

    ``example.com`` and ``me@example.com`` become what was meant.
    """
    text = clean_line(url, field="links", longest=LONGEST_LINK)
    if _MAIL.fullmatch(text):
        text = f"mailto:{text}"
    elif not _SCHEME.match(text):
        text = f"https://{text.lstrip('/')}"
    try:
        parts = urlsplit(text)
        named = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise _no_link(text) from error
    # Whoever reads https://bank.example@evil.example looks at the wrong half.
    web = parts.scheme in {"http", "https"} and "." in named and "@" not in parts.netloc
    mail = parts.scheme == "mailto" and _MAIL.fullmatch(parts.path) is not None
    if not (web or mail) or " " in text or "\\" in text:
        raise _no_link(text)
    shown = clean_line(label, field="links", longest=60, required=False)
    return Link(label=shown or named.removeprefix("www.") or parts.path, url=text)


def _no_link(text: str) -> Invalid:
    return Invalid(
        "“{link}” is no link: it begins with https://, http:// or mailto:.", link=text[:80], field="links"
    )


def _move(artist: Artist, slug: str, *, now: datetime) -> None:
    """Keep the old address and see to it that the new one is nobody else's."""
    if slug == artist.slug:
        return
    artists.require_free(slug, besides=artist.id)
    ArtistAddress.delete().where(ArtistAddress.slug == slug, ArtistAddress.artist == artist.id).execute()
    if ArtistAddress.select().where(ArtistAddress.artist == artist.id).count() >= MOST_ADDRESSES:
        raise Conflict(
            "An artist has at most {most} former addresses; go back to one of them.", most=MOST_ADDRESSES
        )
    ArtistAddress.create(slug=artist.slug, artist=artist.id, left_at=now)


def _pictured(artist: Artist, key: str, colour: str, *, actor: User, now: datetime) -> Artist:
    with transaction():
        versions.change(artist, {"picture_key": key, "colour": colour})
        _note(artist, ["picture"], actor=actor, now=now)
    changed = artists.by_id(artist.id)
    artists.forget(changed.slug)
    return changed


def _note(artist: Artist, fields: Sequence[str], *, actor: User, now: datetime) -> None:
    audit.record(
        Action.ARTIST_CHANGED,
        actor=actor.id,
        subject=f"artist:{artist.id}",
        now=now,
        detail={"fields": list(fields)},
    )


def _accent(value: object) -> str:
    text = clean_line(value, field="accent", longest=20, required=False).lower()
    if text and not _ACCENT.fullmatch(text):
        raise Invalid("A colour is written as #rrggbb, such as #1f6f6b.", field="accent")
    return text


def _links(value: object) -> str:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise Invalid("'links' must be a list of objects with 'url' and 'label'.", field="links")
    if len(value) > MOST_LINKS:
        raise Invalid("An artist has at most {most} links.", most=MOST_LINKS, field="links")
    rows = [checked_link(item.get("url", ""), item.get("label", "")) for item in value]
    return "\n".join(f"{row.url} {row.label}" for row in rows)


_READERS: Mapping[str, Callable[[object], object]] = {
    "name": lambda v: clean_line(v, field="name", longest=200),
    "slug": lambda v: artists.checked_slug(v),
    "about": lambda v: clean_text(v, field="about"),
    "location": lambda v: clean_line(v, field="location", longest=100, required=False),
    "links": _links,
    "accent": _accent,
}


def _checked(fields: Mapping[str, object]) -> dict[str, object]:
    for name in fields:
        if name not in _READERS:
            raise Invalid(
                "An artist has no field '{name}' that can be set; it has {fields}.",
                name=name[:60],
                fields=", ".join(_READERS),
                field=name[:60],
            )
    return {name: _READERS[name](value) for name, value in fields.items()}
