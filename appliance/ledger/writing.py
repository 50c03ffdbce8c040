"""Letters that are written from right to left, for paper: Arabic letters in the form that their neighbours ask for, and each line in the order of the eye.

Unicode has those forms as characters of their own, and names with each the letter that it is a form of; so a table comes out of Python's own
data, and no engine for shaping is needed. Vowel signs stand beside their letter instead of above it where a font cannot do better.
"""

import unicodedata
from collections.abc import Container
from collections.abc import Mapping
from functools import cache

LAM, TATWEEL = "\u0644", "\u0640"
SQUARE = "\u25a1"
FORMS = ("isolated", "final", "initial", "medial")
_PRESENTATION = (range(0xFB50, 0xFDFC), range(0xFE70, 0xFEFD))


def joined(text: str) -> str:
    """Pure: *text* with its Arabic letters joined, still in the order in which it is read."""
    if not any("\u0600" <= c <= "\u06ff" for c in text):
        return text
    letters = _letters(text)
    bases = [i for i, letter in enumerate(letters) if not unicodedata.combining(letter[0])]
    made = list(letters)
    for place, i in enumerate(bases):
        before = letters[bases[place - 1]] if place else ""
        after = letters[bases[place + 1]] if place + 1 < len(bases) else ""
        back = _goes_on(before) and _comes_in(letters[i])
        on = _goes_on(letters[i]) and _comes_in(after)
        wanted = FORMS[int(back) + 2 * int(on)]
        made[i] = _forms().get(letters[i], {}).get(wanted, letters[i])
    return "".join(made)


def drawable(text: str, known: Container[int]) -> str:
    """Pure: *text* with a square for each character that a font does not know; else nobody would see that something is missing there."""
    return "".join(c if ord(c) in known or unicodedata.category(c)[0] in "CZ" else SQUARE for c in text)


def in_sight(line: str) -> str:
    """Pure: one line as it stands on paper from left to right; a line without such letters stays as it is."""
    if not any(unicodedata.bidirectional(c) in {"R", "AL", "AN"} for c in line):
        return line
    from fpdf.bidi import BidiParagraph

    return str(BidiParagraph(line).get_reordered_string())


def _letters(text: str) -> list[str]:
    """The letters, a lam with the alef behind it as one, since these are always written as one."""
    found: list[str] = []
    for c in text:
        if found and found[-1] == LAM and LAM + c in _forms():
            found[-1] += c
        else:
            found.append(c)
    return found


def _goes_on(letter: str) -> bool:
    return letter == TATWEEL or "initial" in _forms().get(letter, {})


def _comes_in(letter: str) -> bool:
    return letter == TATWEEL or "final" in _forms().get(letter, {})


@cache
def _forms() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for code in (code for part in _PRESENTATION for code in part):
        form, *parts = unicodedata.decomposition(chr(code)).split() or [""]
        letters = "".join(chr(int(part, 16)) for part in parts)
        # Of ligatures only the one that must be; of the others, and of signs above nothing, the letters by themselves.
        single = len(letters) == 1 or (len(letters) == 2 and letters[0] == LAM and letters[1] in "آأإا")
        if single and form.strip("<>") in FORMS:
            found.setdefault(letters, {}).setdefault(form.strip("<>"), chr(code))
    return found
