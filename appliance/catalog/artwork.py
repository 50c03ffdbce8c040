"""Artwork: a picture made into a few sizes in WebP and JPEG, and a colour for the page."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from appliance.catalog import pictures
from appliance.catalog.decoding import SIZES_PX
from appliance.catalog.models import Release
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.storage import ObjectStore

__all__ = ["MOST_BYTES", "SIZES_PX", "Crop", "put_sizes", "set_artwork"]

MOST_BYTES = 30 * 1024 * 1024


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
    made = pictures.made_from(data, crop=(crop.x, crop.y, crop.size) if crop else None)
    key = f"{folder}/{new_id()}"
    for name, (content, kind) in made.files.items():
        store.put(f"{key}/{name}", io.BytesIO(content), content_type=kind)
    return key, made.colour
