"""Decode a picture that a stranger sent: run as a program in the sandbox, by ``pictures``, and never in a process of ours.

The picture comes on stdin. Answered is one line of JSON, then, when all is well, each size in each format, one behind the other. It imports
what comes with Python, and Pillow, so that it needs to see nothing else.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import warnings

from PIL import Image
from PIL import ImageCms
from PIL import ImageOps
from PIL import UnidentifiedImageError

SIZES_PX = (1200, 600, 300, 96)
FORMATS = {
    "webp": ("WEBP", {"quality": 82, "method": 4}),
    "jpg": ("JPEG", {"quality": 85, "progressive": True}),
}
MOST_SIDE_PX = 12_000
MOST_PIXELS = 40_000_000
LEAST_SIDE_PX = 200

# What Pillow raises for pictures that are damaged, one way or another.
_DAMAGED = (
    UnidentifiedImageError,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    SyntaxError,
    struct.error,
)


class Refused(Exception):
    """A picture that cannot be taken: *problem* is a word that ``pictures`` has a sentence for."""

    def __init__(self, problem: str, width: int = 0, height: int = 0) -> None:
        super().__init__(problem)
        self.told = {"problem": problem, "width": width, "height": height}


def opened(data: bytes) -> Image.Image:
    """The picture, made smaller where it is far too large, in RGB."""
    try:
        # Pillow only warns about a decompression bomb below twice its limit; here the sizes are checked anyway.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO"))
            check_size(*image.size)
            image.draft("RGB", (2 * SIZES_PX[0], 2 * SIZES_PX[0]))
            # Smaller first: turning and converting would each make another copy at full size.
            factor = min(image.size) // (2 * SIZES_PX[0])
            small = image.reduce(factor) if factor > 1 and image.mode not in {"P", "PA", "I;16"} else image
            small.info, small.format = image.info, image.format
            return flat(ImageOps.exif_transpose(small))
    except Image.DecompressionBombError as error:
        # Pillow itself refuses to open it, and does not tell its size.
        raise Refused("far_too_wide") from error
    except _DAMAGED as error:
        raise Refused("damaged") from error


def check_size(width: int, height: int) -> None:
    """Refuse a picture that is too small or too large; told by its header, before it is decoded."""
    if min(width, height) < LEAST_SIDE_PX:
        raise Refused("too_small", width, height)
    if max(width, height) > MOST_SIDE_PX:
        raise Refused("too_wide", width, height)
    if width * height > MOST_PIXELS:
        raise Refused("too_many_pixels", width, height)


def flat(image: Image.Image) -> Image.Image:
    """*image* in RGB as a screen shows it: colours by its own profile, deep greys scaled, clear parts white."""
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow cuts what is above 255 off, where it should divide.
        image = image.convert("F").point(lambda value: value / 257 + 0.5).convert("L")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        image = Image.new("RGB", clear.size, "white")
        image.paste(clear, mask=clear.getchannel("A"))
        return image
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGB", "CMYK", "L"}:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            shown = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            shown = None  # A broken profile says nothing; the numbers are still a picture.
        image = shown or image
    return image.convert("RGB")


def square(image: Image.Image, crop: tuple[float, float, float] | None = None) -> Image.Image:
    """The chosen square or the middle one, at most as large as the largest size."""
    if crop is not None:
        image = image.crop(box(image.size, crop))
    side = min(image.size)
    return ImageOps.fit(image, (min(side, SIZES_PX[0]),) * 2, Image.Resampling.LANCZOS)


def box(size: tuple[int, int], crop: tuple[float, float, float]) -> tuple[int, int, int, int]:
    """The corners of *crop* in a picture of this *size*, moved inside where rounding put them over an edge."""
    width, height = size
    x, y, part = crop
    side = round(part * min(size))
    if side < LEAST_SIDE_PX:
        raise Refused("small_part")
    left, top = min(round(x * width), width - side), min(round(y * height), height - side)
    return left, top, left + side, top + side


def dominant_colour(image: Image.Image) -> str:
    """The colour that carries the picture, as ``#rrggbb``: the most frequent of eight, the lively before the grey."""
    small = image.resize((64, 64)).quantize(8)
    palette = small.getpalette() or [128, 128, 128]
    best, best_weight = (128, 128, 128), -1.0
    for index, count in enumerate(small.histogram()[:8]):
        if not count:
            continue
        r, g, b = palette[3 * index : 3 * index + 3]
        # The root: a small bright shape says more of a picture than its large dull ground.
        weight = count**0.5 * (0.1 + (max(r, g, b) - min(r, g, b)) / 255)
        if weight > best_weight:
            best, best_weight = (r, g, b), weight
    return "#{:02x}{:02x}{:02x}".format(*best)


def sizes(image: Image.Image) -> list[bytes]:
    """The square picture in every size and format, the largest first."""
    made = []
    for side_px in SIZES_PX:
        scaled = (
            image.resize((side_px, side_px), Image.Resampling.LANCZOS) if image.width != side_px else image
        )
        for name, options in FORMATS.values():
            out = io.BytesIO()
            scaled.save(out, name, **options)
            made.append(out.getvalue())
    return made


def main(words: list[str]) -> None:
    """Answer the picture on stdin; *words* are the three numbers of a crop, or none."""
    crop = (float(words[0]), float(words[1]), float(words[2])) if words else None
    out = sys.stdout.buffer
    try:
        image = square(opened(sys.stdin.buffer.read()), crop)
        made = sizes(image)
        told: dict[str, object] = {
            "colour": dominant_colour(image),
            "lengths": [len(one) for one in made],
        }
    except Refused as refused:
        made, told = [], refused.told
    except MemoryError:
        made, told = [], Refused("damaged").told
    out.write(json.dumps(told).encode() + b"\n")
    out.writelines(made)
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
