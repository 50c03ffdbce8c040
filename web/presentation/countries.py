"""Countries by their names in the reader's language, and the other way round."""

import re
from collections.abc import Iterable

from babel import Locale
from flask_babel import get_locale
from flask_babel import gettext as _

from appliance.shop.merchandise import countries


def name(code: str) -> str:
    """What a country is called."""
    return str((get_locale() or Locale("en")).territories.get(code, code))


def choices(codes: Iterable[str] = countries.EVERY) -> list[tuple[str, str]]:
    """These countries to choose from, by name, beginning with the wish that one is chosen."""
    named = sorted((name(code), code) for code in codes)
    return [("", _("Choose your country")), *((code, text) for text, code in named)]


def codes_of(text: str) -> list[str]:
    """Countries as somebody types them: names in their language or codes, with commas or lines between; what is neither stays as it is."""
    known = {name(code).casefold(): code for code in countries.EVERY}
    found: list[str] = []
    for part in re.split(r"[,;\n]", text):
        word = " ".join(part.split())
        if code := known.get(word.casefold()):
            found.append(code)
        elif re.fullmatch(r"([A-Za-z]{2} )+[A-Za-z]{2}", word):
            found += word.split()
        elif word:
            found.append(word)
    return found


def written(codes: str) -> str:
    """Countries as one types them, by name."""
    return ", ".join(sorted(name(code) for code in codes.split()))
