"""Gather the texts of MusicConnect, bring the catalogues up to date, and compile them.

Run ``make texts`` after changing a text. Texts stand in templates (``_("…")``), in views (``gettext``), in the sentences of errors
(``Invalid("…")``) and in scripts (``t("…")``). For each language there is a catalogue ``web/translations/<language>/LC_MESSAGES/messages.po`` to
edit; ``messages.mo`` and ``texts.json``, the part that scripts need, are made from it, and a test says when they are old. What mail says
has a catalogue of its own beside the mail, ``appliance/mail/translations/<language>/LC_MESSAGES/mail.po``: the appliance needs no web.
"""

import io
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parents[1]
TRANSLATIONS = ROOT / "web" / "translations"
MAIL = (
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "appliance" / "mail").glob("*wording.py")),
    "appliance/papers/drawing.py",
    "appliance/shop/receipt_pdf.py",
)
"""Where the sentences of mail and of the papers that go with it stand."""
LANGUAGES = ("de",)
ERRORS = (
    "Invalid",
    "Conflict",
    "NotFound",
    "NotAllowed",
    "Unavailable",
    "TooLarge",
    "WrongOffset",
    "WrongChecksum",
    "Busy",
)
FILES = ("Unplayable", "Interrupted")
LEFT_OUT = {
    # A path, or the beginning of one, and who reads its sentences in English instead.
    "appliance/database.py": "operators, on the console",
    "appliance/doctor.py": "operators: a finding is what is searched for and copied, and the page of health shows it as the console does",
    "appliance/hooks.py": "operators and authors of plugins",
    "appliance/jobs/queue.py": "operators, on the page of health",
    "appliance/mail/server.py": "operators, at the start",
    "appliance/plugin_settings.py": "operators and authors of plugins",
    "appliance/settings.py": "operators, at the start",
    "appliance/startup.py": "operators, at the start",
    "appliance/storage/": "operators, setting a store up; programs, asking for a range",
    "appliance/supervisor.py": "operators, at the start",
    "appliance/account_commands.py": "operators, on the console",
    "appliance/accounts/audit_chain.py": "operators, on the console",
    "appliance/job_commands.py": "operators, on the console",
    "appliance/mail_commands.py": "operators, on the console",
    "appliance/search_commands.py": "operators, on the console",
    "appliance/key_commands.py": "operators, on the console",
    "appliance/listening/events.py": "programs",
    "transcoder/commands.py": "operators, on the console",
    "transcoder/program.py": "operators, at the start",
    "web/api/": "programs",
    "web/byte_ranges.py": "programs",
    "web/commands.py": "operators, on the console",
    "web/design.py": "developers: the page of the design is not part of the product",
    "web/nginx.py": "operators, on the console",
    "web/templates/api_docs.html": "developers",
    "web/templates/design.html": "developers",
}
"""Whose sentences are not translated, and why."""
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "lazy_gettext": None,
    "N_": None,
    **dict.fromkeys((*ERRORS, *FILES)),
    # A kind of error that has one sentence of its own.
    "__init__": None,
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a family of texts has its catalogues: a folder, their name, and whether scripts read some of them."""

    folder: Path
    name: str
    scripts: bool

    def catalogue(self, language: str) -> Path:
        """The catalogue of *language*, to be edited by hand."""
        return self.folder / language / "LC_MESSAGES" / f"{self.name}.po"


PAGES = Shelf(TRANSLATIONS, "messages", scripts=True)
LETTERS = Shelf(ROOT / "appliance" / "mail" / "translations", "mail", scripts=False)
BORN = datetime(2026, 1, 1, tzinfo=UTC)
Text = tuple[str | tuple[str, ...], str, int]
"""A text or its forms, the file and the line."""
SCRIPT_TEXT = re.compile(r"""\bt\(\s*("(?:[^"\\]|\\.)*")""")
"""The first argument of ``t("…")``, a literal in double quotes, which is JSON too."""


def main() -> None:
    """Bring every catalogue up to date and say what is missing; with ``--check`` write nothing, and say what is old too."""
    check = "--check" in sys.argv[1:]
    wrong = [
        problem
        for shelf, fresh in ((PAGES, gathered()), (LETTERS, gathered_letters()))
        for language in LANGUAGES
        for problem in bring_up_to_date(language, fresh, shelf=shelf, check=check)
    ]
    if wrong:
        sys.exit("\n".join(wrong))


def gathered() -> Catalog:
    """Every text of pages, errors and scripts there is now, with the places where it stands."""
    return _catalogue(*python_texts(), *template_texts(), *script_texts())


def gathered_letters() -> Catalog:
    """Every text of mail there is now."""
    return _catalogue(*(text for name in MAIL for text in _extracted("python", ROOT / name)))


def _catalogue(*texts: Text) -> Catalog:
    catalog = Catalog(project="MusicConnect", charset="utf-8")
    for text, path, line in texts:
        catalog.add(text, locations=[(path, line)], flags=())
    return catalog


def python_texts() -> Iterator[Text]:
    """Texts of views, and sentences of errors."""
    for package in ("appliance", "plugins", "transcoder", "web"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if _name(path) not in MAIL:
                yield from _extracted("python", path)


def template_texts() -> Iterator[Text]:
    """Texts of pages."""
    pages = [*(ROOT / "web" / "templates").rglob("*.html"), *(ROOT / "plugins").rglob("*.html")]
    for path in sorted(pages):
        yield from _extracted("jinja2.ext:babel_extract", path)


def script_texts() -> Iterator[tuple[str, str, int]]:
    """Texts of scripts."""
    for path in sorted((ROOT / "web" / "static" / "js").rglob("*.js")):
        source = path.read_text("utf-8")
        for found in SCRIPT_TEXT.finditer(source):
            yield json.loads(found[1]), _name(path), source.count("\n", 0, found.start()) + 1


def _extracted(method: str, path: Path) -> Iterator[Text]:
    if _name(path).startswith(tuple(LEFT_OUT)):
        return
    with path.open("rb") as file:
        for line, text, _, _ in extract(
            method, file, keywords=KEYWORDS, options={"silent": "false", "extensions": "jinja2.ext.do"}
        ):
            if text and text != ("",):
                yield text, _name(path), line


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def bring_up_to_date(language: str, fresh: Catalog, *, check: bool, shelf: Shelf = PAGES) -> list[str]:
    """Write the catalogue of *language* and what is made from it; returns what is wrong with what is there."""
    po = shelf.catalogue(language)
    catalog = _read(po, language)
    catalog.update(fresh, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    _tidy(catalog)
    files = {
        po: _written(write_po, catalog, width=120, sort_output=True, include_lineno=False),
        po.with_suffix(".mo"): _written(write_mo, catalog),
    }
    if shelf.scripts:
        files[shelf.folder / language / "texts.json"] = _script_part(catalog)
    if not check:
        po.parent.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            path.write_bytes(data)
    wrong = [
        f"{_name(path)} is old: run 'make texts'."
        for path, data in files.items()
        if not path.is_file() or path.read_bytes() != data
    ]
    missing = [message.id for message in catalog if message.id and not _is_translated(message.string)]
    return wrong + [f"{_name(po)} lacks a translation of {text!r}." for text in missing]


def _read(po: Path, language: str) -> Catalog:
    if not po.is_file():
        return Catalog(locale=language, project="MusicConnect", charset="utf-8")
    with po.open("rb") as file:
        return read_po(file, locale=language)


def _tidy(catalog: Catalog) -> None:
    """The head of a catalogue without what would make it differ whenever it is written, and without empty forms."""
    catalog.fuzzy = False
    catalog.header_comment = (
        "# Texts of MusicConnect. 'make texts' gathers them; only msgstr is written by hand."
    )
    catalog.version = "1"
    catalog.creation_date = catalog.revision_date = BORN
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = "MusicConnect"


def _written(write: object, catalog: Catalog, **options: object) -> bytes:
    target = io.BytesIO()
    write(target, catalog, **options)  # type: ignore[operator]
    return target.getvalue()


def _script_part(catalog: Catalog) -> bytes:
    texts = {
        str(message.id): str(message.string)
        for message in catalog
        if message.id and any(path.endswith(".js") for path, _ in message.locations) and message.string
    }
    return (json.dumps(dict(sorted(texts.items())), ensure_ascii=False, indent=1) + "\n").encode()


def _is_translated(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    main()
