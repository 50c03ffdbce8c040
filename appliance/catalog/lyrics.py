"""Synchronised lyrics (LRC): read, and refused with the line that is wrong.

The format has no standard. Taken is what players write: ``[mm:ss.xx]`` before a line, several of them for a line that comes back,
``[ar:…]`` and its like, ``[offset:±ms]``, and the stamps of single words ``<mm:ss.xx>`` of the enhanced form.
"""

import re
from dataclasses import dataclass

from appliance.catalog.wording import clean_text
from appliance.errors import Invalid

LONGEST = 100_000
MOST_LINES = 3000
AFTER_THE_END_MS = 2000
"""How far behind the last sound a line may begin: encoders cut and pad."""
_BRACKET = re.compile(r"\s*\[([^\]]*)\]")
_STAMP = re.compile(r"(\d{1,3}):(\d{1,2})(?:[.:,](\d{1,3}))?")
_TAG = re.compile(r"[A-Za-z#][\w ]*\s*:.*")
_WORD = re.compile(r"<\s*\d{1,3}:\d{1,2}(?:[.:,]\d{1,3})?\s*>")
_OFFSET = re.compile(r"offset\s*:\s*([+-]?\d{1,7})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a song and when it begins, in milliseconds."""

    at_ms: int
    text: str


def read(value: object, *, duration_ms: int | None = None) -> str:
    """*value* as LRC that can be kept; ``Invalid`` names the line and what is wrong with it."""
    text = clean_text(value, field="synced_lyrics", longest=LONGEST).removeprefix("\ufeff")
    if text:
        found = lines(text)
        if not found:
            raise Invalid("No line has a time such as [01:23.45] before it.", field="synced_lyrics")
        if duration_ms is not None and found[-1].at_ms > duration_ms + AFTER_THE_END_MS:
            raise Invalid(
                "“{text}” begins at {at}, after the end of the track.",
                text=found[-1].text[:80],
                at=_clock(found[-1].at_ms),
                field="synced_lyrics",
            )
    return text


def lines(text: str) -> list[Line]:
    """The lines of an LRC text in the order they are sung; ``Invalid`` for one that cannot be read."""
    rows = text.split("\n")
    if len(rows) > MOST_LINES:
        raise Invalid("Lyrics have at most {most} lines.", most=MOST_LINES, field="synced_lyrics")
    found: list[tuple[int, str]] = []
    offset_ms = 0
    for number, row in enumerate(rows, start=1):
        stamps, rest, shift = _taken_apart(row, number)
        offset_ms = offset_ms if shift is None else shift
        words = " ".join(_WORD.sub("", rest).split())
        if words and not stamps:
            raise Invalid(
                "Line {number} has no time such as [01:23.45] before it.",
                number=number,
                field="synced_lyrics",
            )
        found += [(at_ms, words) for at_ms in stamps]
    # A positive offset shows the words sooner.
    return [Line(max(0, at_ms - offset_ms), words) for at_ms, words in sorted(found, key=lambda row: row[0])]


def plain(text: str) -> str:
    """The words of an LRC text without its times."""
    return "\n".join(line.text for line in lines(text)).strip()


def _taken_apart(row: str, number: int) -> tuple[list[int], str, int | None]:
    """The stamps before a line, the rest of it, and the offset it sets, if it does."""
    stamps: list[int] = []
    while found := _BRACKET.match(row):
        inner = found[1].strip()
        if stamp := _STAMP.fullmatch(inner):
            stamps.append(_milliseconds(stamp, number))
        elif _TAG.fullmatch(inner) and not stamps:
            offset = _OFFSET.fullmatch(inner)
            return [], "", int(offset[1]) if offset else None
        elif not stamps or inner[:1].isdigit():
            raise Invalid(
                "Line {number}: “[{found}]” is no time; write it as [01:23.45].",
                number=number,
                found=inner[:30],
                field="synced_lyrics",
            )
        else:
            # Words in brackets, such as [Chorus], after the time.
            break
        row = row[found.end() :]
    return stamps, row, None


def _milliseconds(stamp: re.Match[str], number: int) -> int:
    minutes, seconds, fraction = int(stamp[1]), int(stamp[2]), stamp[3] or ""
    if seconds > 59:
        raise Invalid(
            "Line {number}: “{found}” has more than 59 seconds.",
            number=number,
            found=stamp[0],
            field="synced_lyrics",
        )
    return (minutes * 60 + seconds) * 1000 + int(fraction.ljust(3, "0") or 0)


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes}:{seconds:02}"
