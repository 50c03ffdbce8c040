"""An artist, for a card in a grid as for the head of their page."""

from dataclasses import dataclass

from flask import url_for

from appliance.catalog.models import Artist
from web import colours
from web.presentation.pictures import Cover
from web.presentation.pictures import picture


@dataclass(frozen=True, slots=True)
class ArtistView:
    """An artist as cards and pages show them."""

    id: str
    slug: str
    name: str
    url: str
    about: str
    location: str
    picture: Cover | None
    colour: str
    accent: str
    initial: str


def artist(row: Artist) -> ArtistView:
    """An artist as cards and pages show them."""
    # The page of an artist has fields of its own as soon as the database has them.
    return ArtistView(
        id=row.id,
        slug=row.slug,
        name=row.name,
        url=url_for("storefront.artist", artist=row.slug),
        about=row.about,
        location=getattr(row, "location", ""),
        picture=picture(getattr(row, "picture_key", "")),
        colour=colours.of_name(row.id),
        accent=getattr(row, "accent", ""),
        initial=row.name[:1].upper(),
    )
