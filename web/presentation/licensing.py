"""Licences as people know them; one in the artist's own words is told in them."""

from dataclasses import replace

from flask_babel import gettext as _

from appliance.catalog import licences
from appliance.catalog.licences import Licence


def licence(value: str) -> Licence | None:
    """What others may do with the music, if that is said."""
    found = licences.of(value)
    return _named(found) if found in licences.LICENCES else found


def licence_name(value: str) -> str:
    """The name of a licence, empty where none is said."""
    found = licence(value)
    return found.name if found else ""


def licence_choices(value: str, *, none: str = "") -> list[tuple[str, str]]:
    """The licences to choose from; one in the artist's own words stays among them."""
    own = [] if value in {"", *(row.key for row in licences.LICENCES)} else [(value, value)]
    return [("", none or _("Not said")), *((row.key, _named(row).name) for row in licences.LICENCES), *own]


def _named(found: Licence) -> Licence:
    return replace(found, name=_(found.name))
