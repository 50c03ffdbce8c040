"""The colour of a page: a cover's own, moved in lightness until it can be read (WCAG 2.2, 1.4.3)."""

import colorsys
import re
import zlib
from dataclasses import dataclass

LIGHT_PAGE = "#f7f5f1"
DARK_PAGE = "#141316"
OWN = "#1f6f6b"
CONTRAST = 4.6
_HEX = re.compile(r"#[0-9a-f]{6}")
_MOST_SATURATION = 0.72


@dataclass(frozen=True, slots=True)
class Accent:
    """One hue as two colours: one that reads on the light page, one that reads on the dark."""

    on_light: str
    on_dark: str


def accent(colour: str) -> Accent:
    """The accents for *colour*; our own for a text that is no ``#rrggbb``."""
    colour = colour.lower() if _HEX.fullmatch(colour.lower()) else OWN
    return Accent(_moved(colour, LIGHT_PAGE, -0.01), _moved(colour, DARK_PAGE, 0.01))


def of_name(name: str) -> str:
    """A quiet colour that always belongs to the same *name*, for a release without a picture."""
    hue = zlib.crc32(name.encode()) % 360 / 360
    return _text(colorsys.hls_to_rgb(hue, 0.42, 0.32))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _moved(colour: str, page: str, step: float) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    saturation = min(saturation, _MOST_SATURATION)
    while (moved := _text(colorsys.hls_to_rgb(hue, lightness, saturation))) and contrast(
        moved, page
    ) < CONTRAST:
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
