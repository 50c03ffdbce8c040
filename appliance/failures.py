"""What may be told of an error, in logs and elsewhere: of one of a database never a value of a row.

A database says which row it refused, with its values: addresses of people, hashes of tokens. Kept are its first sentence, the SQLSTATE and
the name of the constraint; and of a chain of errors each is told like that. A mail server names whom it did not take; addresses are left out.
"""

import re
import traceback

OF_DATABASES = frozenset({"peewee", "psycopg", "psycopg_pool", "sqlite3"})
LEFT_OUT, MAIL = "(values left out)", "(mail)"
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n"
_MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n"
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\"[^\n]*|'[^\n]*")
_QUOTES_VALUES = ("22", "42601")
"""SQLSTATEs whose sentence quotes what somebody gave, and no name of ours: data that a type does not take, and words of a search."""
# The second form is that of a text within the repr of another one.
_LOCAL = r"[\w.!#$%&'*+=?^`{|}~-]"
# Only from the beginning of a word, so that a long one takes no longer than it is long.
_MAIL = re.compile(rf"(?<!{_LOCAL}){_LOCAL}+@[\w-]+(?:\.[\w-]+)*")
# What was asked of another server, as its libraries tell it: a query may be a person's or hold a token, and so may a path without a host.
_WITH_URL = re.compile(r"""(\bwith url: )[^\s'"<>]+""")
_WORD = re.compile(r"""[^\s'"<>]+""")
_ADDRESS = re.compile(r"\bhttps?://")
_BEGINS = ("CONTEXT:", "DETAIL:", "Params:")
# Blanks only from where they begin, for the same reason as above.
_ROWS = re.compile(rf"(?:(?<!\s)(?<!\\n)(?:\s|\\n)++)?(?:{'|'.join(_BEGINS)}).*", re.DOTALL)


def told(error: BaseException) -> str:
    """What *error* says, without what a row holds; on one line where it comes from a database."""
    if not _is_of_database(error):
        return cleaned(str(error))
    # The driver's own, where it is wrapped in one of the same kind.
    source = getattr(error, "orig", None) or error
    diagnosis = getattr(source, "diag", None)
    state = str(getattr(source, "sqlstate", None) or "")
    sentence = str(getattr(diagnosis, "message_primary", None) or "") or _first_line(source)
    if _may_quote_values(source, state, sentence):
        sentence = _QUOTED.sub('"…"', sentence)
    constraint = getattr(diagnosis, "constraint_name", None)
    facts = [f"SQLSTATE {state}"] * bool(state) + [f"constraint {constraint}"] * bool(constraint)
    return f"{cleaned(sentence)} ({', '.join(facts)})" if facts else cleaned(sentence)


def stack(error: BaseException) -> str:
    """Where *error* came from, as Python tells it, and what each error of its chain says as ``told`` does."""
    return "\n".join(_lines(error, seen=set()))


def cleaned(text: str) -> str:
    """Pure: *text* without addresses of people and what was asked of other servers, up to where a database tells of a row.

    For texts of any program: they put errors into theirs.
    """
    if " url: " in text:
        text = _WITH_URL.sub(r"\1(left out)", text)
    if "://" in text:
        text = _WORD.sub(_without_query, text)
    if "@" in text:
        text = _MAIL.sub(MAIL, text)
    # Each of what a database begins with has a colon, and few texts have one.
    return _ROWS.sub(f" {LEFT_OUT}", text) if ":" in text and any(word in text for word in _BEGINS) else text


def _without_query(word: re.Match[str]) -> str:
    """Pure: a word of a text, an address in it without its query."""
    text = word[0]
    address = _ADDRESS.search(text)
    asked = text.find("?", address.end()) + 1 if address else 0
    return f"{text[:asked]}(left out)" if 0 < asked < len(text) else text


def _lines(error: BaseException, *, seen: set[int]) -> list[str]:
    seen.add(id(error))
    lines: list[str] = []
    before, between = (error.__cause__, _CAUSED)
    if before is None and not error.__suppress_context__:
        before, between = (error.__context__, _MEANWHILE)
    if before is not None and id(before) not in seen:
        lines += [*_lines(before, seen=seen), between]
    if error.__traceback__ is not None:
        lines.append("Traceback (most recent call last):")
        lines += "".join(traceback.format_tb(error.__traceback__)).rstrip("\n").split("\n")
    lines.append(_last_line(error))
    if isinstance(error, BaseExceptionGroup):
        for number, one in enumerate(error.exceptions, 1):
            lines.append(f"  --- {number} ---")
            lines += [f"  {line}" for line in _lines(one, seen=seen)]
    return lines


def _last_line(error: BaseException) -> str:
    if not _is_of_database(error):
        return cleaned("".join(traceback.format_exception_only(error)).rstrip("\n"))
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}: {told(error)}"


def _is_of_database(error: BaseException) -> bool:
    # By names: one node runs without psycopg. Of a model that a row was not found of, too: peewee tells what it looked for.
    return any(kind.__module__.partition(".")[0] in OF_DATABASES for kind in type(error).__mro__)


def _may_quote_values(error: BaseException, state: str, sentence: str) -> bool:
    if state:
        return state.startswith(_QUOTES_VALUES)
    # A driver's own words: of a connection they quote where it led; else what it was given, such as a whole address with its password.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return sentence.startswith("fts5:") or not kinds & {"OperationalError", "IntegrityError"}


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
