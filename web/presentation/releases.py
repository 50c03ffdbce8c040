"""A release, for a card in a grid as for the head of its page."""

from dataclasses import dataclass

from flask import url_for
from flask_babel import lazy_gettext

from appliance.catalog import releases
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from web import addresses
from web import colours
from web.presentation.pictures import Cover
from web.presentation.pictures import cover
from web.presentation.wording import day

KINDS = {"album": lazy_gettext("Album"), "ep": lazy_gettext("EP"), "single": lazy_gettext("Single")}


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release, for a card in a grid as for the head of its page."""

    id: str
    title: str
    kind: str
    url: str
    edit_url: str
    artist: str
    artist_slug: str
    artist_url: str
    cover: Cover | None
    colour: str
    accent: colours.Accent
    draft: bool
    date: str
    about: str
    credits: str
    licence: str
    genre: str
    catalogue_number: str
    tags: list[str]


def release(row: Release) -> ReleaseView:
    """A release whose artist is joined."""
    shown = row.release_date or (row.published_at.date() if row.published_at else None)
    return ReleaseView(
        id=row.id,
        title=row.title,
        kind=str(KINDS.get(row.kind, row.kind)),
        url=addresses.release_page(row),
        edit_url=url_for("studio.release", release_id=row.id),
        artist=row.artist.name,
        artist_slug=row.artist.slug,
        artist_url=url_for("storefront.artist", artist=row.artist.slug),
        cover=cover(row),
        colour=row.colour or colours.of_name(row.id),
        accent=colours.accent(row.colour),
        draft=row.state == ReleaseState.DRAFT,
        date=day(shown) if shown else "",
        about=row.about,
        credits=row.credits,
        licence=row.licence,
        genre=row.genre,
        catalogue_number=row.catalogue_number,
        tags=releases.tags_of(row),
    )
