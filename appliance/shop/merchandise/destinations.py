"""Where a parcel goes: an address as its country writes it, checked for what every carrier needs."""

from dataclasses import dataclass

from appliance.catalog.wording import clean_line
from appliance.errors import Invalid
from appliance.shop.merchandise import countries

LONGEST_NAME, LONGEST_LINE, LONGEST_CITY, LONGEST_CODE = 100, 100, 100, 20
MOST_LINES = 3
FIELDS = ("name", "lines", "city", "postal_code", "country")
_WITHOUT_CODE = (
    "AE AG AN AO AW BF BI BJ BO BS BW BZ CD CF CG CI CK CM DJ DM ER FJ GA GD GM GN GQ GY HK IE JM KE KI KM KN KP LC ML MO MR MS MU MW "
    "NR NU PA QA RW SB SC SL SO SR ST SY TF TK TL TO TT TV TZ UG VU YE ZW"
)
WITHOUT_CODE = frozenset(_WITHOUT_CODE.split())
"""Where letters have no postal code, or not all of them."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A name, one to three *lines* (street and number, what else is needed), a city, its postal code, a country."""

    name: str
    lines: str
    city: str
    postal_code: str
    country: str


def checked(sent: Destination) -> Destination:
    """The address as it is kept; ``Invalid`` names the field that cannot be."""
    country = countries.one(sent.country)
    written = (
        clean_line(one, field="lines", longest=LONGEST_LINE, required=False) for one in _split(sent.lines)
    )
    lines = [line for line in written if line]
    if not lines:
        raise Invalid("Write the street and the number.", field="lines")
    if len(lines) > MOST_LINES:
        raise Invalid("An address has at most {most} lines beside the name and the city.", most=MOST_LINES, field="lines")  # fmt: skip
    code = clean_line(sent.postal_code, field="postal_code", longest=LONGEST_CODE, required=False)
    if not code and country not in WITHOUT_CODE:
        raise Invalid("Write the postal code.", field="postal_code")
    name = clean_line(sent.name, field="name", longest=LONGEST_NAME, required=False)
    if not name:
        raise Invalid("Write who it is for.", field="name")
    city = clean_line(sent.city, field="city", longest=LONGEST_CITY, required=False)
    if not city:
        raise Invalid("Write the city.", field="city")
    return Destination(name, "\n".join(lines), city, code.upper(), country)


def _split(text: object) -> list[str]:
    return text.replace("\r\n", "\n").split("\n") if isinstance(text, str) else []
