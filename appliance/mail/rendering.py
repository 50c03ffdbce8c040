"""From a kind and its facts to a message in the reader's language: a subject, a text and HTML that say the same."""

import gettext
import re
import unicodedata
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined
from jinja2 import select_autoescape

from appliance.mail.wording import ENDING
from appliance.mail.wording import KINDS

ROOM = Path(__file__).parent
TRANSLATIONS = ROOM / "translations"
DOMAIN = "mail"
LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in words."""

    subject: str
    text: str
    html: str


def render(kind: str, facts: Mapping[str, object], *, locale: str) -> Rendered:
    """The message; ``KeyError`` for a kind or a fact that is missing, ``ValueError`` for a link that is none: mistakes of the caller."""
    wanted = KINDS[kind]
    said = {name: _plain(value) for name, value in facts.items()}
    link = said["link"] if wanted.button else ""
    if link and not re.fullmatch(r"https?://\S+", link):
        raise ValueError("the link of a message is a whole address")
    language, translate = _translator(locale)

    def told(sentence: str) -> str:
        return translate(sentence).format(**said) if sentence else ""

    subject = one_line(told(wanted.subject))[:LONGEST_SUBJECT]
    parts = {
        "language": language,
        "collective": said["collective"],
        "subject": subject,
        "lines": [told(line) for line in wanted.lines],
        "button": told(wanted.button),
        "link": link,
        "code": said[wanted.code] if wanted.code else "",
        "after": [told(line) for line in wanted.after],
        "ending": told(ENDING),
    }
    text, html = (_environment().get_template(name).render(parts) for name in ("letter.txt", "letter.html"))
    return Rendered(subject, text.strip() + "\n", html)


def translator(locale: str) -> Callable[[str], str]:
    """What translates the sentences of letters, and of the papers that go with them, into the language of *locale*."""
    return _translator(locale)[1]


def one_line(text: str) -> str:
    """Pure: *text* without line ends and control characters, so that it can stand in a header."""
    visible = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)
    return " ".join(visible.split())


def _plain(value: object) -> str:
    """A fact as one line: nobody's name may bring paragraphs of its own into a message that the collective sends."""
    return one_line(str(value))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=select_autoescape(["html"], default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, TRANSLATIONS, languages=[language], fallback=True)


def _translator(locale: str) -> tuple[str, Callable[[str], str]]:
    """The language that the message will be in, and what translates a sentence into it."""
    language = re.split(r"[-_]", locale)[0].lower()
    found = _translations(language) if re.fullmatch(r"[a-z]{2,3}", language) else gettext.NullTranslations()
    return (language if isinstance(found, gettext.GNUTranslations) else "en"), found.gettext
