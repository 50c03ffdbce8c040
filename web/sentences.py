"""Sentences of the domain in the reader's language: errors as they are raised, and the reasons that were stored in English."""

import re
from functools import cache

from flask import request
from flask_babel import format_decimal
from flask_babel import get_domain
from flask_babel import get_locale
from flask_babel import gettext

from appliance import errors
from appliance.errors import N_

WORDS = (
    N_("title"),
    N_("name"),
    N_("display_name"),
    N_("slug"),
    N_("about"),
    N_("genre"),
    N_("tags"),
    N_("credits"),
    N_("licence"),
    N_("catalogue_number"),
    N_("contributors"),
    N_("isrc"),
    N_("lyrics"),
    N_("synced_lyrics"),
    N_("location"),
    N_("links"),
    N_("footer_links"),
    N_("accent"),
    N_("note"),
    N_("context"),
    N_("filename"),
    N_("token_name"),
    N_("draft"),
    N_("scheduled"),
    N_("published"),
    N_("uploaded"),
    N_("processing"),
    N_("ready"),
    N_("failed"),
    N_("queued"),
    N_("running"),
    N_("done"),
)
"""What errors call by name: the parts of forms, and the states of tracks and jobs."""
PLACE = re.compile(r"\\\{(\w+)(?::,)?\\\}")
"""A named place of a sentence, after ``re.escape``."""


class _Number(int):
    """A whole number that ``{most:,}`` writes with the separators of the reader's language."""

    def __format__(self, form: str) -> str:
        return str(format_decimal(int(self))) if form == "," else super().__format__(form)


def told(error: Exception) -> str:
    """The sentence of an error in the reader's language; the interface for programs speaks English."""
    if not isinstance(error, errors.MusicConnectError) or for_programs():
        return str(error)
    sentence = gettext(error.sentence)
    return (
        sentence.format(**{name: _fact(value) for name, value in error.facts.items()})
        if error.facts
        else sentence
    )


def for_programs() -> bool:
    """Whether the answer is for a program that knows nothing of our pages: only these send the token of a page along."""
    return (
        request.path.startswith(("/api/", "/media/", "/webhooks/")) and "X-CSRFToken" not in request.headers
    )


def stored(sentence: str) -> str:
    """A reason that was stored, as a track keeps why it failed, in the reader's language.

    It was stored in English with its facts in it. Its key is itself, else the sentence of the catalogue that it fits, from which the
    facts are read back.
    """
    if not sentence:
        return ""
    plain = gettext(sentence)
    if plain != sentence:
        return plain
    for pattern, key in _patterns(str(get_locale())):
        if found := pattern.fullmatch(sentence):
            return gettext(key).format(**found.groupdict())
    return sentence


@cache
def _patterns(code: str) -> list[tuple[re.Pattern[str], str]]:
    """What each sentence with facts looks like when it was told in English, the longest first; nothing for English itself."""
    catalogue = getattr(get_domain().get_translations(), "_catalog", {})
    keys = [key for key in catalogue if isinstance(key, str) and re.search(r"\{\w", key)]
    return [
        (re.compile(PLACE.sub(r"(?P<\1>.+?)", re.escape(key))), key)
        for key in sorted(keys, key=len, reverse=True)
        if len(re.findall(r"\{(\w+)", key)) == len(set(re.findall(r"\{(\w+)", key)))
    ]


def _fact(value: object) -> object:
    """A fact as it stands in a translated sentence."""
    if isinstance(value, errors.Word):
        return gettext(value)
    return _Number(value) if isinstance(value, int) else value
