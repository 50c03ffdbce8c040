"""Taking out of a report whatever may be about a person or open a door; pure."""

import re
from collections.abc import Mapping
from typing import Any

OF_CODE = frozenset(
    {"AssertionError", "AttributeError", "ImportError", "ModuleNotFoundError", "NameError", "TypeError"}
)
"""Errors whose texts quote names of the program; what others quote is what somebody gave."""
KEPT = frozenset(
    {"contexts", "environment", "event_id", "exception", "level", "platform", "release", "sdk", "tags", "timestamp", "transaction"}
)  # fmt: skip
"""Parts of a report; whatever else a library adds is left out."""
OF_A_FRAME = frozenset(
    {"context_line", "filename", "function", "in_app", "lineno", "module", "post_context", "pre_context"}
)
"""Without the variables, and without the path in which this program lies."""
OF_AN_ERROR = frozenset({"mechanism", "module", "type"})
LONGEST = 500
MOST_READ = 4 * LONGEST
"""What the rules are given of a text: some take far longer for a longer one, and a text may be what a stranger sent."""
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`|“[^”\n]*”")
_QUOTED_AND_CUT = re.compile(r"'[^'\n]*('|\Z)|\"[^\"\n]*(\"|\Z)|`[^`\n]*(`|\Z)|“[^”\n]*(”|\Z)")
_ROWS = re.compile(r"(?:\s|\\n)*(?:CONTEXT|DETAIL|Params|SQL):.*", re.DOTALL)
"""Where a database begins to tell of a row, also within the text of another error."""
_IN_BRACKETS = re.compile(r"=\(.*?(?:\)|\Z)")
_RULES = (
    (re.compile(r"\b(https?|postgres(?:ql)?|rediss?|s3|sqlite)://\S+", re.IGNORECASE), "(address)"),
    (re.compile(r"(?<![^\s@<>(),;:'\"])[^\s@<>(),;:'\"]+@[^\s@<>(),;:'\"]+"), "(mail)"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "(number)"),
    (re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE), "(number)"),
    (re.compile(r"(?<!\S)/\S+"), "(path)"),
    (
        re.compile(r"\b(?:(bearer|basic)( +)|(token|password|secret|key)([=:] *))\S+", re.IGNORECASE),
        r"\1\2\3\4(secret)",
    ),
    # Ids, signatures, cards, numbers of telephones and accounts.
    (re.compile(r"\b(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}"), "(word)"),
    (re.compile(r"\+?\d[\d /-]{6,}\d"), "(number)"),
)


def text(told: str, *, kind: str = "", module: str = "") -> str:
    """What may be told of *told*, the text of an error of the class *kind* in *module*."""
    whole = len(told) <= MOST_READ
    if not whole:
        # Without the last word, which is cut in the middle and may be half an address that no rule knows.
        told = "".join(re.split(r"(\s)", told[:MOST_READ])[:-1])
    told = _IN_BRACKETS.sub("=(…)", _ROWS.sub("", told))
    if (module or "").partition(".")[0] in {"peewee", "psycopg", "psycopg_pool", "sqlite3"}:
        told = (told.splitlines() or [""])[0]
    if kind not in OF_CODE:
        told = (_QUOTED if whole else _QUOTED_AND_CUT).sub("'…'", told)
    for pattern, instead in _RULES:
        told = pattern.sub(instead, told)
    return told if whole and len(told) <= LONGEST else f"{told[:LONGEST]}…"


def event(made: Mapping[str, Any]) -> dict[str, Any]:
    """A report with nothing in it but what is known to be harmless."""
    kept = {name: value for name, value in made.items() if name in KEPT}
    kept["contexts"] = {
        name: value for name, value in (made.get("contexts") or {}).items() if name == "trace"
    }
    values = (made.get("exception") or {}).get("values") or []
    kept["exception"] = {"values": [_error(value) for value in values]}
    return kept


def _error(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: part for name, part in value.items() if name in OF_AN_ERROR}
    kept["value"] = text(
        str(value.get("value") or ""),
        kind=str(value.get("type") or ""),
        module=str(value.get("module") or ""),
    )
    frames = (value.get("stacktrace") or {}).get("frames") or []
    if frames:
        kept["stacktrace"] = {
            "frames": [{name: part for name, part in frame.items() if name in OF_A_FRAME} for frame in frames]
        }
    return kept
