"""An artist, for a card in a grid as for the head of their page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from appliance.catalog import artist_page
from appliance.catalog.artist_page import Link
from appliance.catalog.models import Artist
from web import addresses
from web import colours
from web.presentation.pictures import Cover
from web.presentation.pictures import picture


@dataclass(frozen=True, slots=True)
class ArtistCard:
    """An artist in a grid; *note* is a line below the name."""

    id: str
    slug: str
    name: str
    url: str
    cover: Cover | None
    colour: str
    note: str


@dataclass(frozen=True, slots=True)
class ArtistView(ArtistCard):
    """An artist at the head of their page; *accent* is the colour the page takes, an empty text for the collective's own."""

    about: str
    location: str
    links: Sequence[Link]
    accent: str


def artist_card(row: Artist) -> ArtistCard:
    """An artist in a grid."""
    return ArtistCard(**_card(row))


def artist(row: Artist) -> ArtistView:
    """An artist at the head of their page."""
    return ArtistView(
        **_card(row),
        about=row.about,
        location=row.location,
        links=artist_page.links_of(row),
        accent=row.accent or row.colour,
    )


def _card(row: Artist) -> dict[str, Any]:
    return {
        "id": row.id,
        "slug": row.slug,
        "name": row.name,
        "url": addresses.artist_page(row),
        "cover": picture(row.picture_key),
        "colour": row.colour or colours.of_name(row.id),
        "note": row.location,
    }
