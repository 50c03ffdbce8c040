"""A card drawn as a picture of 1200 × 630: the cover, the title, who made it and whose site it is. Pure, but for the font."""

import io
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont
from PIL import features

from web import colours

FONT = Path(__file__).parents[1] / "static" / "vendor" / "dejavu" / "DejaVuSansCondensed-Bold.ttf"
WIDTH_PX, HEIGHT_PX = 1200, 630
MARGIN_PX = 60
TITLE_PX = (68, 58, 50, 44)
"""Sizes of a title, tried from the largest."""
MOST_LINES = 4
ARTIST_PX = 36
SITE_PX = 28
PAPER = "#141316"
INK, QUIET = "#f7f5f1", "#b9b4ac"
_CUT = 300


@dataclass(frozen=True, slots=True)
class Card:
    """What a card shows; *artwork* is the key of a square picture in the store, or empty."""

    title: str
    by: str
    site: str
    artwork: str
    colour: str


def draw(card: Card, artwork: bytes | None) -> bytes:
    """The card as PNG; *artwork* are the bytes of its cover, if it has one."""
    accent = colours.accent(card.colour).on_dark
    picture = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), PAPER)
    if artwork is None:
        _pattern(picture, accent)
    else:
        with Image.open(io.BytesIO(artwork)) as cover:
            cover.draft("RGB", (HEIGHT_PX, HEIGHT_PX))
            picture.paste(cover.convert("RGB").resize((HEIGHT_PX, HEIGHT_PX), Image.Resampling.LANCZOS))
    pen = ImageDraw.Draw(picture)
    left, width = HEIGHT_PX + MARGIN_PX, WIDTH_PX - HEIGHT_PX - 2 * MARGIN_PX
    pen.rectangle((HEIGHT_PX, 0, HEIGHT_PX + 7, HEIGHT_PX), fill=accent)
    size, lines = fitted(shown(card.title), width)
    top = _lines(pen, lines, left=left, width=width, top=MARGIN_PX, size=size, fill=INK)
    by = shortened(wrapped(shown(card.by), width, ARTIST_PX), 2, width, ARTIST_PX)
    _lines(pen, by, left=left, width=width, top=top + 22, size=ARTIST_PX, fill=accent)
    site = shortened(wrapped(shown(card.site), width, SITE_PX), 1, width, SITE_PX)
    _lines(pen, site, left=left, width=width, top=HEIGHT_PX - MARGIN_PX - SITE_PX, size=SITE_PX, fill=QUIET)
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return out.getvalue()


def shown(text: str) -> str:
    """*text* without what the font cannot draw, such as emoji: boxes would say less than nothing."""
    kept = (
        c for c in text[:_CUT] if unicodedata.category(c) not in {"Cc", "Cf", "Cn", "Co", "Cs"} and drawn(c)
    )
    return " ".join("".join(kept).split())


def fitted(text: str, width: int) -> tuple[int, list[str]]:
    """The largest size at which *text* has few enough lines, and those lines; what is too long ends in an ellipsis."""
    for size in TITLE_PX:
        lines = wrapped(text, width, size)
        if len(lines) <= MOST_LINES:
            return size, lines
    return TITLE_PX[-1], shortened(lines, MOST_LINES, width, TITLE_PX[-1])


def shortened(lines: list[str], most: int, width: int, size: int) -> list[str]:
    """The first *most* of these lines; the last of them ends in an ellipsis where more would follow."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], _cut(lines[most - 1] + "…", width, size)]


def wrapped(text: str, width: int, size: int) -> list[str]:
    """*text* in lines of at most *width*; a word that is longer than a line is broken."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and _font(size).getlength(joined) <= width:
            lines[-1] = joined
            continue
        while _font(size).getlength(word) > width:
            first = _longest(word, width, size)
            lines.append(word[:first])
            word = word[first:]
        lines.append(word)
    return lines


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # Raqm puts letters of scripts that run from right to left in order and joins them; where it is missing they stand one by one.
    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(FONT, size, layout_engine=engine)


@cache
def _nothing() -> tuple[tuple[int, int], bytes]:
    mask = _font(SITE_PX).getmask("\U000f0000")
    return mask.size, bytes(mask)


def drawn(character: str) -> bool:
    """Whether the font has a shape for this character: it draws the same box for all it does not know."""
    if character.isascii() or character.isspace():
        return True
    mask = _font(SITE_PX).getmask(character)
    return (mask.size, bytes(mask)) != _nothing()


def _longest(word: str, width: int, size: int) -> int:
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _font(size).getlength(word[:middle]) <= width else (low, middle - 1)
    return low


def _cut(line: str, width: int, size: int) -> str:
    while len(line) > 1 and _font(size).getlength(line) > width:
        line = line[:-2].rstrip() + "…"
    return line


def _lines(
    pen: ImageDraw.ImageDraw, lines: list[str], *, left: int, width: int, top: int, size: int, fill: str
) -> int:
    """Write *lines* and return where the next thing may begin; lines that begin in a script from the right stand at the right."""
    for line in lines:
        strong = next(
            (kind for kind in map(unicodedata.bidirectional, line) if kind in {"L", "R", "AL"}), "L"
        )
        at, anchor = (left, "la") if strong == "L" else (left + width, "ra")
        pen.text((at, top), line, font=_font(size), fill=fill, anchor=anchor)
        top += round(size * 1.22)
    return top


def _pattern(picture: Image.Image, accent: str) -> None:
    """What stands where a cover is missing: the bars of the mark."""
    pen = ImageDraw.Draw(picture)
    middle = HEIGHT_PX // 2
    for index, tall in enumerate((150, 420, 250, 540, 320, 180)):
        left = 75 + index * 86
        pen.rounded_rectangle((left, middle - tall // 2, left + 44, middle + tall // 2), 22, fill=accent)
