"""Licences an artist may choose: what others may do with the music, by the short names the world uses for it (SPDX)."""

from dataclasses import dataclass

from appliance.catalog.wording import clean_line
from appliance.errors import N_


@dataclass(frozen=True, slots=True)
class Licence:
    """One choice: its key, its name for people, and where its words stand; without *url* there are none."""

    key: str
    name: str
    url: str = ""


_CC = "https://creativecommons.org/licenses"
LICENCES = (
    Licence("all-rights-reserved", N_("All rights reserved")),
    Licence("CC-BY-4.0", "CC BY 4.0", f"{_CC}/by/4.0/"),
    Licence("CC-BY-SA-4.0", "CC BY-SA 4.0", f"{_CC}/by-sa/4.0/"),
    Licence("CC-BY-NC-4.0", "CC BY-NC 4.0", f"{_CC}/by-nc/4.0/"),
    Licence("CC-BY-ND-4.0", "CC BY-ND 4.0", f"{_CC}/by-nd/4.0/"),
    Licence("CC-BY-NC-SA-4.0", "CC BY-NC-SA 4.0", f"{_CC}/by-nc-sa/4.0/"),
    Licence("CC-BY-NC-ND-4.0", "CC BY-NC-ND 4.0", f"{_CC}/by-nc-nd/4.0/"),
    Licence("CC0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
)
_BY_KEY = {licence.key: licence for licence in LICENCES}
_BY_ANY_NAME = {
    spelling.casefold(): licence for licence in LICENCES for spelling in (licence.key, licence.name)
}


def of(value: str) -> Licence | None:
    """The licence that is stored as *value*; one in an artist's own words has no address, an empty one is none."""
    return _BY_KEY.get(value) or (Licence(value, value) if value else None)


def read(value: object) -> str:
    """*value* as it is stored: the key of a licence that is known by it, else the artist's own words."""
    text = clean_line(value, field="licence", longest=60, required=False)
    known = _BY_ANY_NAME.get(text.casefold())
    return known.key if known else text
