"""The numbers trade knows music by: the ISRC of a recording (ISO 3901) and a label's catalogue number."""

import re

from appliance.catalog.wording import clean_line
from appliance.errors import Invalid

# Country or agency, registrant, year and designation; hyphens are for people only, and stand in these places alone.
_ISRC = re.compile(r"(?:ISRC[ :]*)?([A-Z]{2})(-?)([A-Z0-9]{3})\2([0-9]{2})\2([0-9]{5})")
_CATALOGUE_NUMBER = re.compile(r"(?:[\w .:/#+&()-]*\w[\w .:/#+&()-]*)?")


def isrc(value: object) -> str:
    """*value* as an ISRC without hyphens, empty for none; ``Invalid`` when it is none."""
    text = clean_line(value, field="isrc", longest=40, required=False).upper()
    # Some write it with blanks or with dashes that a word processor made longer.
    text = re.sub(r"[\u2010-\u2015\u2212]", "-", text)
    found = _ISRC.fullmatch(text) or _ISRC.fullmatch(text.replace(" ", ""))
    if text and not found:
        raise Invalid("An ISRC has 12 characters, such as DE-A12-26-00001 (ISO 3901).", field="isrc")
    return found[1] + found[3] + found[4] + found[5] if found else ""


def isrc_for_people(code: str) -> str:
    """An ISRC with its hyphens."""
    return f"{code[:2]}-{code[2:5]}-{code[5:7]}-{code[7:]}" if len(code) == 12 else code


def catalogue_number(value: object) -> str:
    """*value* as a catalogue number, empty for none; ``Invalid`` for what a label would not print on a spine."""
    text = clean_line(value, field="catalogue_number", longest=60, required=False)
    if not _CATALOGUE_NUMBER.fullmatch(text):
        raise Invalid(
            "A catalogue number has letters, digits, spaces and . : / # + & ( ) - only.",
            field="catalogue_number",
        )
    return text
