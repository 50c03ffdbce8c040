"""Artwork: a picture made into a few sizes in WebP and JPEG, and a colour for the page."""

from __future__ import annotations

import io
import math
import struct
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from PIL import Image
from PIL import ImageCms
from PIL import ImageOps
from PIL import UnidentifiedImageError

from appliance.catalog.models import Release
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.storage import ObjectStore

SIZES_PX = (1200, 600, 300, 96)
FORMATS = {
    "webp": ("WEBP", {"quality": 82, "method": 4}),
    "jpg": ("JPEG", {"quality": 85, "progressive": True}),
}
MOST_BYTES = 30 * 1024 * 1024
MOST_SIDE_PX = 12_000
MOST_PIXELS = 40_000_000
LEAST_SIDE_PX = 200
# Decoded, the largest picture takes some 300 MB: several at once would be too much for a small server.
_one_at_a_time = threading.Lock()


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


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of a picture as it is seen: its left edge as a part of the width, its top of the height, its side of the shorter one."""

    x: float
    y: float
    size: float

    @classmethod
    def read(cls, sent: Mapping[str, str]) -> Crop | None:
        """The square that ``x``, ``y`` and ``size`` of a form tell, each 0 to 1; None when none is told, for the middle."""
        told = [sent.get(name, "").strip() for name in ("x", "y", "size")]
        if not all(told):
            return None
        try:
            x, y, size = (float(value) for value in told)
        except ValueError:
            x = y = size = math.nan
        if not (0 <= x <= 1 and 0 <= y <= 1 and 0 < size <= 1):
            raise Invalid("The part of the picture is told by numbers from 0 to 1.", field="artwork")
        return cls(x, y, size)


def set_artwork(
    release: Release, picture: BinaryIO, *, store: ObjectStore, now: datetime, crop: Crop | None = None
) -> str:
    """Make *picture* the artwork of *release* and return the key of its folder.

    Each picture gets a folder of its own, so that a page seen a moment ago still finds the old one. ``Invalid`` tells what is
    wrong with a picture that cannot be taken.
    """
    key, colour = put_sizes(picture, folder=f"artwork/{release.id}", store=store, crop=crop)
    Release.update(artwork_key=key, colour=colour, updated_at=now).where(Release.id == release.id).execute()
    return key


def put_sizes(
    picture: BinaryIO, *, folder: str, store: ObjectStore, crop: Crop | None = None
) -> tuple[str, str]:
    """Put the square *crop* of *picture*, or its middle, in every size into a folder of its own below *folder*.

    Gives the key of that folder and the colour that carries the picture.
    """
    data = picture.read(MOST_BYTES + 1)
    if not data:
        raise Invalid("This picture is empty.", field="artwork")
    if len(data) > MOST_BYTES:
        raise Invalid("A picture has at most {most} MiB.", most=MOST_BYTES // 1024 // 1024, field="artwork")
    with _one_at_a_time:
        image = _square(_opened(data), crop)
    key = f"{folder}/{new_id()}"
    for side_px in SIZES_PX:
        scaled = (
            image.resize((side_px, side_px), Image.Resampling.LANCZOS) if image.width != side_px else image
        )
        for ending, (name, options) in FORMATS.items():
            out = io.BytesIO()
            scaled.save(out, name, **options)
            out.seek(0)
            store.put(f"{key}/{side_px}.{ending}", out, content_type=f"image/{name.lower()}")
    return key, dominant_colour(image)


def _opened(data: bytes) -> Image.Image:
    try:
        # Pillow only warns about a decompression bomb below twice its limit; here the sizes are checked anyway.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO"))
            _check_size(*image.size)
            image.draft("RGB", (2 * SIZES_PX[0], 2 * SIZES_PX[0]))
            # Smaller first: turning and converting would each make another copy at full size.
            factor = min(image.size) // (2 * SIZES_PX[0])
            small = image.reduce(factor) if factor > 1 and image.mode not in {"P", "PA", "I;16"} else image
            small.info, small.format = image.info, image.format
            return _flat(ImageOps.exif_transpose(small))
    except Image.DecompressionBombError as error:
        # Pillow itself refuses to open it, and does not tell its size.
        raise Invalid(
            "A cover has at most {most:,} pixels a side; this one has many more.",
            most=MOST_SIDE_PX,
            field="artwork",
        ) from error
    except _DAMAGED as error:
        raise Invalid("This picture cannot be read. Send a JPEG, PNG or WebP.", field="artwork") from error


def _check_size(width: int, height: int) -> None:
    """``Invalid`` for a picture that is too small or too large; told by its header, before it is decoded."""
    if min(width, height) < LEAST_SIDE_PX:
        raise Invalid(
            "A cover has at least {least} × {least} pixels; this one has {width:,} × {height:,}.",
            least=LEAST_SIDE_PX,
            width=width,
            height=height,
            field="artwork",
        )
    if max(width, height) > MOST_SIDE_PX:
        raise Invalid(
            "A cover has at most {most:,} pixels a side; this one has {width:,} × {height:,}.",
            most=MOST_SIDE_PX,
            width=width,
            height=height,
            field="artwork",
        )
    if width * height > MOST_PIXELS:
        raise Invalid(
            "A cover has at most {most} million pixels; this one has {width:,} × {height:,}.",
            most=MOST_PIXELS // 1_000_000,
            width=width,
            height=height,
            field="artwork",
        )


def _flat(image: Image.Image) -> Image.Image:
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


def _square(image: Image.Image, crop: Crop | None = None) -> Image.Image:
    """The chosen square or the middle one, at most as large as the largest size."""
    if crop is not None:
        image = image.crop(_box(image.size, crop))
    side = min(image.size)
    return ImageOps.fit(image, (min(side, SIZES_PX[0]),) * 2, Image.Resampling.LANCZOS)


def _box(size: tuple[int, int], crop: Crop) -> tuple[int, int, int, int]:
    """The corners of *crop* in a picture of this *size*, moved inside where rounding put them over an edge."""
    width, height = size
    side = round(crop.size * min(size))
    if side < LEAST_SIDE_PX:
        raise Invalid(
            "This part of the picture is too small for a cover; choose a larger one.", field="artwork"
        )
    left, top = min(round(crop.x * width), width - side), min(round(crop.y * height), height - side)
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
