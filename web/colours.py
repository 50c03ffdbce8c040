"""The colour of a page: the one somebody chose, moved in lightness until it can be read (WCAG 2.2, 1.4.3 and 1.4.6)."""

import colorsys
import re
import zlib
from dataclasses import dataclass

LIGHT_PAGE = "#f7f5f0"
DARK_PAGE = "#151416"
# The least favourable ground that text in the accent stands on: a line that is hovered, a card that is raised.
LIGHT_GROUND = "#ebe7df"
DARK_GROUND = "#2b292e"
LIGHT_INK = "#ffffff"
DARK_INK = "#151416"
OWN = "#1f6f6b"
CONTRAST = 4.6
HIGH_CONTRAST = 7.1
_HEX = re.compile(r"#[0-9a-f]{6}")
_MOST_SATURATION = 0.72


@dataclass(frozen=True, slots=True)
class Accent:
    """One hue as two colours: one that reads on the light page, one that reads on the dark."""

    on_light: str
    on_dark: str


def is_colour(text: str) -> bool:
    """Whether *text* is ``#rrggbb``, in small letters."""
    return _HEX.fullmatch(text) is not None


def accent(colour: str, *, ratio: float = CONTRAST) -> Accent:
    """The accents for *colour*, each with this *ratio* of contrast; our own for a text that is no ``#rrggbb``."""
    colour = colour.lower() if is_colour(colour.lower()) else OWN
    return Accent(_moved(colour, LIGHT_GROUND, -0.01, ratio), _moved(colour, DARK_GROUND, 0.01, ratio))


def stylesheet(colour: str) -> str:
    """The custom properties of a page in *colour*. White stands on the dark accent and ink on the light one, so both are read."""
    usual, high = accent(colour), accent(colour, ratio=HIGH_CONTRAST)
    return (
        f"@layer tokens{{:root{{{_properties(usual)}}}"
        f"@media (prefers-contrast:more){{:root{{{_properties(high)}}}}}}}\n"
    )


def of_name(name: str) -> str:
    """A quiet colour that always belongs to the same *name*, for a release without a picture."""
    hue = zlib.crc32(name.encode()) % 360 / 360
    return _text(colorsys.hls_to_rgb(hue, 0.42, 0.32))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _properties(value: Accent) -> str:
    return f"--accent-on-light:{value.on_light};--accent-on-dark:{value.on_dark}"


def _moved(colour: str, ground: str, step: float, ratio: float) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    saturation = min(saturation, _MOST_SATURATION)
    while contrast(moved := _text(colorsys.hls_to_rgb(hue, lightness, saturation)), ground) < ratio:
        lightness = min(1.0, max(0.0, lightness + step))
    return moved


def _luminance(colour: str) -> float:
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _parts(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _parts(colour: str) -> tuple[float, float, float]:
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return r, g, b


def _text(rgb: tuple[float, float, float]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * part) for part in rgb))
