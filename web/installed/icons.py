"""The icons of the app: the collective's logo, or the mark in its colour, drawn when they are first asked for."""

import hashlib
import io
from functools import lru_cache

from flask import Response
from flask import url_for
from PIL import Image
from PIL import ImageDraw

from appliance.collective import identity
from appliance.errors import NotFound
from web import colours
from web.installed.routing import blueprint
from web.request_cycle import appliance

SIZES_PX = {"180": 180, "192": 192, "512": 512, "maskable-512": 512}
YEAR_S = 365 * 86_400
FINE = 4
"""Drawn so many times as large and made smaller: Pillow draws without smoothing."""
BARS = ((6, 10.5, 13.5), (10, 7, 17), (14, 9, 15), (18, 5.5, 18.5))
"""The mark on a field of 24, as in icon.svg: where each bar stands, its top and its end."""
LOGO_PX = 600
ROUND = 6
SAFE = 0.72
"""A maskable icon may lose all but its middle; this much of the mark stays inside of it."""


@blueprint.app_template_global("app_icon")
def address(name: str) -> str:
    """Where an icon is; the address changes with the look of the collective."""
    ours = identity.current(appliance().settings)
    digest = hashlib.sha256(f"{ours.logo_key}|{ours.accent}".encode()).hexdigest()[:10]
    return url_for("installed.icon", name=name, digest=digest)


@blueprint.get("/icons/<name>-<digest>.png")
def icon(name: str, digest: str) -> Response:
    """An icon as PNG."""
    if name not in SIZES_PX:
        raise NotFound("There is nothing at this address.")
    ours = identity.current(appliance().settings)
    answer = Response(_drawn(name, ours.accent, ours.logo_key), mimetype="image/png")
    # What was given out before the look changed is not kept as long: its bytes are today's.
    fresh = address(name).endswith(f"-{digest}.png")
    answer.headers["Cache-Control"] = (
        f"public, max-age={YEAR_S}, immutable" if fresh else "public, max-age=300"
    )
    return answer


@lru_cache(maxsize=16)
def _drawn(name: str, accent: str, logo_key: str) -> bytes:
    side, whole = SIZES_PX[name], name.startswith("maskable") or name == "180"
    logo = _logo(logo_key) if logo_key else None
    picture = _framed(logo, side, whole) if logo else _mark(accent, side, whole)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _mark(accent: str, side: int, whole: bool) -> Image.Image:
    """The mark; *whole* fills the field to its edges, since the system cuts it into its own shape."""
    large, unit = side * FINE, side * FINE / 24
    picture = Image.new("RGBA", (large, large))
    pen = ImageDraw.Draw(picture)
    ground = colours.accent(accent or colours.OWN).on_light
    if whole:
        pen.rectangle((0, 0, large, large), fill=ground)
    else:
        pen.rounded_rectangle((0, 0, large - 1, large - 1), ROUND * unit, fill=ground)
    scale = SAFE if whole else 1
    for at, top, end in BARS:
        x, y, until = ((value - 12) * scale * unit + 12 * unit for value in (at, top, end))
        pen.rounded_rectangle(
            (x - scale * unit, y - scale * unit, x + scale * unit, until + scale * unit),
            scale * unit,
            fill="#fff",
        )
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def _framed(logo: Image.Image, side: int, whole: bool) -> Image.Image:
    """The logo, with room around it where a system may cut."""
    inner = round(side * SAFE) if whole else side
    picture = Image.new("RGB", (side, side), logo.getpixel((0, 0)))
    at = (side - inner) // 2
    picture.paste(logo.resize((inner, inner), Image.Resampling.LANCZOS), (at, at))
    return picture


def _logo(key: str) -> Image.Image | None:
    try:
        with appliance().store.open(f"{key}/{LOGO_PX}.jpg") as stream:
            return Image.open(io.BytesIO(stream.read())).convert("RGB")
    except NotFound:
        return None
