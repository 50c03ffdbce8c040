"""A release, for a card in a grid as for the head of its page."""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance.catalog import releases
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from web import addresses
from web import colours
from web.presentation.licensing import licence
from web.presentation.pictures import Cover
from web.presentation.pictures import cover
from web.presentation.subjects import genre_page
from web.presentation.subjects import tag_page
from web.presentation.wording import day
from web.presentation.wording import short_day

KINDS = {"album": lazy_gettext("Album"), "ep": lazy_gettext("EP"), "single": lazy_gettext("Single")}

A_FEW = 6
SHELVES = {"album": lazy_gettext("Albums"), "ep": lazy_gettext("EPs"), "single": lazy_gettext("Singles")}


@dataclass(frozen=True, slots=True)
class ReleaseCard:
    """A release in a grid; *kept* by who bought it before it was withdrawn."""

    id: str
    title: str
    kind: str
    url: str
    artist: str
    artist_slug: str
    artist_url: str
    cover: Cover | None
    colour: str
    draft: bool
    kept: bool
    date: str
    play_source: str


@dataclass(frozen=True, slots=True)
class ReleaseView(ReleaseCard):
    """A release at the head of its page; *accent* is the colour the page takes, an empty text for the collective's own."""

    edit_url: str
    accent: str
    about: str
    credits: str
    licence: str
    licence_url: str
    genre: str
    genre_url: str
    catalogue_number: str
    tags: list[str]
    tag_links: list[tuple[str, str]]


def release_card(row: Release) -> ReleaseCard:
    """A release whose artist is joined, in a grid."""
    return ReleaseCard(**_card(row, short_day))


def release(row: Release) -> ReleaseView:
    """A release whose artist is joined, at the head of a page."""
    found = licence(row.licence)
    # Its genre and tags have pages only once it is in them.
    public = row.state == ReleaseState.PUBLISHED
    return ReleaseView(
        **_card(row, day),
        edit_url=url_for("studio.release", release_id=row.id),
        accent=row.artist.accent or row.colour,
        about=row.about,
        credits=row.credits,
        licence=found.name if found else "",
        licence_url=found.url if found else "",
        genre=row.genre,
        genre_url=genre_page(row.genre) if public else "",
        catalogue_number=row.catalogue_number,
        tags=releases.tags_of(row),
        tag_links=[(tag, tag_page(tag) if public else "") for tag in releases.tags_of(row)],
    )


def by_kind(rows: Iterable[Release]) -> list[tuple[str, list[ReleaseCard]]]:
    """Releases on a shelf for each kind; kinds without any are left out, and few releases stand on one shelf."""
    rows = list(rows)
    if len(rows) <= A_FEW:
        return [(_("Releases"), [release_card(row) for row in rows])] if rows else []
    shelves: dict[str, list[ReleaseCard]] = {kind: [] for kind in SHELVES}
    for row in rows:
        shelves[row.kind].append(release_card(row))
    return [(str(SHELVES[kind]), cards) for kind, cards in shelves.items() if cards]


@dataclass(frozen=True, slots=True)
class TrackLink:
    """A track as a link with its release's picture."""

    title: str
    url: str
    artist: str
    cover: Cover | None
    colour: str


def track_link(row: Track) -> TrackLink:
    """A track whose release and artist are joined, as a link."""
    of = row.release
    return TrackLink(
        title=row.title,
        url=addresses.track_page(row),
        artist=of.artist.name,
        cover=cover(of),
        colour=of.colour or colours.of_name(of.id),
    )


def neighbour(row: Track | None, of: Release) -> tuple[str, str] | None:
    """Title and address of the track before or after another."""
    return (row.title, f"{addresses.release_page(of)}/{row.slug}") if row else None


def _card(row: Release, written: Callable[[date], str]) -> dict[str, Any]:
    shown = row.release_date or (row.published_at.date() if row.published_at else None)
    public = row.state == ReleaseState.PUBLISHED
    return {
        "id": row.id,
        "title": row.title,
        "kind": str(KINDS.get(row.kind, row.kind)),
        "url": addresses.release_page(row),
        "artist": row.artist.name,
        "artist_slug": row.artist.slug,
        "artist_url": addresses.artist_page(row.artist),
        "cover": cover(row),
        "colour": row.colour or colours.of_name(row.id),
        "draft": not public,
        "date": written(shown) if shown else "",
        "kept": not public and row.withdrawn_at is not None,
        # Whoever is shown one that is on its way there, or was withdrawn, may hear it.
        "play_source": f"/listen/release/{row.id}.json"
        if row.state != ReleaseState.DRAFT or row.withdrawn_at
        else "",
    }
