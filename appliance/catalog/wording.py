"""Texts that people send: made clean, measured, and turned into addresses."""

import re
import unicodedata

from appliance.errors import Invalid
from appliance.errors import Word

# Embeddings, overrides and isolates of the bidirectional algorithm (UAX #9): in a title they can make a page lie.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNWANTED = frozenset({"Cc", "Cs"})


def clean_line(text: object, *, field: str, longest: int, required: bool = True) -> str:
    """*text* as one line without control characters; ``Invalid`` when it is no text, empty, or too long."""
    line = " ".join(_kept(text, field).split())
    if required and not line:
        raise Invalid("'{name}' must not be empty.", name=Word(field), field=field)
    return _measured(line, field, longest)


def clean_text(text: object, *, field: str, longest: int = 20_000) -> str:
    """*text* of several lines without control characters; ``Invalid`` when it is no text or too long."""
    return _measured(_kept(text, field).strip(), field, longest)


def _kept(text: object, field: str) -> str:
    if not isinstance(text, str):
        raise Invalid("'{name}' must be a text.", name=Word(field), field=field)
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    return "".join(
        c for c in plain if c == "\n" or (unicodedata.category(c) not in _UNWANTED and c not in _BIDI)
    )


def _measured(text: str, field: str, longest: int) -> str:
    if len(text) > longest:
        raise Invalid(
            "'{name}' has at most {most} characters; this one has {there}.",
            name=Word(field),
            most=longest,
            there=len(text),
            field=field,
        )
    return text


def slugify(text: str, *, fallback: str = "untitled") -> str:
    """*text* as a part of a web address: a-z, 0-9 and hyphens, at most 60."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or fallback
