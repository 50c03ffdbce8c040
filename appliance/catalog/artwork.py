"""Artwork: a picture made into a few sizes in WebP and JPEG, and a colour for the page."""

import io
import struct
import threading
import warnings
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


def set_artwork(release: Release, picture: BinaryIO, *, store: ObjectStore, now: datetime) -> str:
    """Make *picture* the artwork of *release* and return the key of its folder.

    Each picture gets a folder of its own, so that a page seen a moment ago still finds the old one. ``Invalid`` tells what is
    wrong with a picture that cannot be taken.
    """
    key, colour = put_sizes(picture, folder=f"artwork/{release.id}", store=store)
    Release.update(artwork_key=key, colour=colour, updated_at=now).where(Release.id == release.id).execute()
    return key


def put_sizes(picture: BinaryIO, *, folder: str, store: ObjectStore) -> tuple[str, str]:
    """Put *picture* in every size into a folder of its own below *folder*; its key and the colour that carries it."""
    data = picture.read(MOST_BYTES + 1)
    if not data:
        raise Invalid("This picture is empty.", field="artwork")
    if len(data) > MOST_BYTES:
        raise Invalid(f"A picture has at most {MOST_BYTES // 1024 // 1024} MiB.", field="artwork")
    with _one_at_a_time:
        image = _square(_opened(data))
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
            f"A cover has at most {MOST_SIDE_PX:,} pixels a side; this one has many more.", field="artwork"
        ) from error
    except _DAMAGED as error:
        raise Invalid("This picture cannot be read. Send a JPEG, PNG or WebP.", field="artwork") from error


def _check_size(width: int, height: int) -> None:
    """``Invalid`` for a picture that is too small or too large; told by its header, before it is decoded."""
    told = f"this one has {width:,} × {height:,}."
    if min(width, height) < LEAST_SIDE_PX:
        raise Invalid(
            f"A cover has at least {LEAST_SIDE_PX} × {LEAST_SIDE_PX} pixels; {told}", field="artwork"
        )
    if max(width, height) > MOST_SIDE_PX:
        raise Invalid(f"A cover has at most {MOST_SIDE_PX:,} pixels a side; {told}", field="artwork")
    if width * height > MOST_PIXELS:
        raise Invalid(
            f"A cover has at most {MOST_PIXELS // 1_000_000} million pixels; {told}", field="artwork"
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


def _square(image: Image.Image) -> Image.Image:
    """The middle square, at most as large as the largest size."""
    side = min(image.size)
    return ImageOps.fit(image, (min(side, SIZES_PX[0]),) * 2, Image.Resampling.LANCZOS)


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
