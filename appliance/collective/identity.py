"""What the collective says of itself on every page, and changing it.

Name and registration begin as the settings say. What an admin writes is kept in the database and beats them, unless the operator
gave the setting itself: then it is fixed. Every page asks, so the row is remembered for a few seconds in each process.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from typing import BinaryIO

import peewee

from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.catalog import artwork
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.collective.models import CollectiveRow
from appliance.database import proxy
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.settings import Settings
from appliance.storage import ObjectStore

KEPT_S = 5.0
"""How long another process may still show what was changed here."""
LOGO_FOLDER = "artwork/collective"
MOST_LINKS = 12
TEXTS = ("about", "imprint", "privacy")
_ONLY = 1
_ACCENT = re.compile(r"#[0-9a-f]{6}")
_LINK = re.compile(r"(https?://[^\s]+|mailto:[^\s]+|/[^\s/\\][^\s]*|/)")


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the footer."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Collective:
    """The collective as pages show it; *fixed* names what the operator decided in the settings."""

    name: str
    tagline: str = ""
    about: str = ""
    imprint: str = ""
    privacy: str = ""
    accent: str = ""
    logo_key: str = ""
    registration: bool = True
    footer_links: tuple[Link, ...] = ()
    version: int = 0
    fixed: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.name


# The database it was read from, the row, and until when it counts.
_known: tuple[object, CollectiveRow | None, float] = (None, None, 0.0)


def current(settings: Settings) -> Collective:
    """The collective now; when the database is away, as it was last seen or as the settings say."""
    global _known
    database, row, until_s = _known
    if database is not proxy.obj or time.monotonic() >= until_s:
        try:
            row = CollectiveRow.get_or_none(CollectiveRow.id == _ONLY)
        except peewee.PeeweeException:
            # The frame of an error's page stands without the database; whoever needs more is told by their own query.
            row = row if database is proxy.obj else None
        _known = (proxy.obj, row, time.monotonic() + KEPT_S)
    return _shown(row, settings)


def change(
    fields: Mapping[str, object], *, version: int, settings: Settings, actor: str | None, now: datetime
) -> Collective:
    """Change what *fields* name, and leave a note in the audit trail.

    ``Invalid`` names the field that cannot be, ``Conflict`` says that another admin was faster or that the operator fixed it.
    """
    values = _checked(fields, settings)
    with transaction():
        before = CollectiveRow.get_or_none(CollectiveRow.id == _ONLY)
        if before and before.version == version:
            values = {name: value for name, value in values.items() if getattr(before, name) != value}
        if values or not before or before.version != version:
            _write(values, version=version, now=now)
            audit.record(
                Action.SETTINGS_CHANGED,
                actor=actor,
                subject="collective",
                detail={"fields": sorted(values)},
                now=now,
            )
    forget()
    return current(settings)


def checked(fields: Mapping[str, object], *, settings: Settings) -> Collective:
    """What the collective would be with *fields*, kept nowhere: for a look before it is said. Raises as ``change`` does."""
    known = current(settings)
    unsaid = {"name": known.name, "registration": known.registration, "logo_key": known.logo_key}
    row = CollectiveRow(version=known.version, **{**unsaid, **_checked(fields, settings)})
    return _shown(row, settings)


def set_logo(
    picture: BinaryIO | None, *, settings: Settings, store: ObjectStore, actor: str | None, now: datetime
) -> Collective:
    """Make *picture* the logo, or take it away; ``Invalid`` for a picture that cannot be read."""
    key = artwork.put_sizes(picture, folder=LOGO_FOLDER, store=store)[0] if picture else ""
    return change({"logo_key": key}, version=stored_version(), settings=settings, actor=actor, now=now)


def kept_folders(settings: Settings) -> tuple[str, ...]:
    """Folders of the store that the cleaning must leave: the logo's."""
    forget()
    key = current(settings).logo_key
    return (f"{key}/",) if key else ()


def stored_version() -> int:
    """The version of what is written down now, not of what this process remembers; 0 for nothing."""
    row = CollectiveRow.get_or_none(CollectiveRow.id == _ONLY)
    return row.version if row else 0


def forget() -> None:
    """Read it anew at the next page of this process."""
    global _known
    _known = (None, None, 0.0)


def _shown(row: CollectiveRow | None, settings: Settings) -> Collective:
    fixed = frozenset(
        {"collective_name": "name", "registration": "registration"}[name]
        for name in settings.given & {"collective_name", "registration"}
    )
    if row is None:
        return Collective(settings.collective_name, registration=settings.registration, fixed=fixed)
    own_name = None if "name" in fixed else row.name
    own_registration = None if "registration" in fixed else row.registration
    return Collective(
        name=own_name or settings.collective_name,
        tagline=row.tagline,
        about=row.about,
        imprint=row.imprint,
        privacy=row.privacy,
        accent=row.accent,
        logo_key=row.logo_key,
        registration=settings.registration if own_registration is None else own_registration,
        footer_links=tuple(Link(*line.split("\t", 1)) for line in row.footer_links.splitlines()),
        version=row.version,
        fixed=fixed,
    )


def _write(values: Mapping[str, object], *, version: int, now: datetime) -> None:
    if version == 0:
        # Of two who write first, the second finds the row there and is told so.
        made = (
            CollectiveRow.insert(id=_ONLY, updated_at=now, **values)
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )
    else:
        made = (
            CollectiveRow.update(version=CollectiveRow.version + 1, updated_at=now, **values)
            .where(CollectiveRow.id == _ONLY, CollectiveRow.version == version)
            .execute()
        )
    if not made:
        raise Conflict("Somebody else changed this in the meantime; look at what it says now.")


def _checked(fields: Mapping[str, object], settings: Settings) -> dict[str, Any]:
    """What *fields* become in the row."""
    fixed = _shown(None, settings).fixed
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if name in fixed:
            raise Conflict("This is set by the operator's settings and cannot be changed here.")
        if name == "registration":
            values[name] = bool(value)
        elif name in TEXTS:
            values[name] = clean_text(str(value), field=name)
        elif name == "name":
            values[name] = clean_line(str(value), field=name, longest=100)
        elif name == "tagline":
            values[name] = clean_line(str(value), field=name, longest=200) if str(value).strip() else ""
        elif name == "accent":
            values[name] = _colour(str(value))
        elif name == "footer_links":
            values[name] = "\n".join(f"{link.text}\t{link.href}" for link in links(str(value)))
        elif name == "logo_key":
            values[name] = str(value)
        else:
            raise Invalid("There is nothing of this name to change.", field=name)
    return values


def _colour(text: str) -> str:
    colour = text.strip().lower()
    if colour and not _ACCENT.fullmatch(colour):
        raise Invalid("A colour is written like #1f6f6b.", field="accent")
    return colour


def links(text: str) -> list[Link]:
    """Pure: one link a line, its text and its address with a blank between; ``Invalid`` for a line that is none."""
    found: list[Link] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        words, _, href = line.replace("\t", " ").rpartition(" ")
        if not words.strip() or not _LINK.fullmatch(href):
            raise Invalid(
                "Write each link as its text, a blank and its address: “Our shop https://shop.example”.",
                field="footer_links",
            )
        found.append(Link(clean_line(words, field="footer_links", longest=60), href))
    if len(found) > MOST_LINKS:
        raise Invalid("The footer has room for {most} links.", field="footer_links", most=MOST_LINKS)
    return found
