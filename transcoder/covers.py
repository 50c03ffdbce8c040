"""Cover art for the demo: abstract, drawn from the names alone, the same every time."""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
import random

from PIL import Image
from PIL import ImageChops
from PIL import ImageDraw
from PIL import ImageFilter

SIDE = 1000
Colour = tuple[int, int, int]


def cover(artist: str, release: str) -> bytes:
    """A square PNG for a release; an artist's covers share a palette, so that they look like one hand."""
    palette = palette_of(artist)
    chance = random.Random(hashlib.sha256(f"{artist}\n{release}".encode()).digest())  # noqa: S311  (no secret)
    image = gradient(palette[0], palette[1], angle=chance.uniform(0.15, 1.4))
    draw_motif = (suns, waves, strips, rings)[hashlib.sha256(release.encode()).digest()[0] % 4]
    image = draw_motif(image, palette, chance)
    out = io.BytesIO()
    grain(image, chance).save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def palette_of(artist: str) -> list[Colour]:
    """Two colours for the ground and three that stand out from it."""
    seed = hashlib.sha256(artist.encode()).digest()
    hue = seed[0] / 256
    steps = (
        (0.0, 0.55, 0.20),
        (0.09, 0.60, 0.42),
        (0.45, 0.55, 0.80),
        (0.55, 0.70, 0.62),
        (0.95, 0.25, 0.93),
    )
    return [colour((hue + turn) % 1.0, saturation, value) for turn, saturation, value in steps]


def colour(hue: float, saturation: float, value: float) -> Colour:
    """A colour by hue, saturation and value, each 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def gradient(start: Colour, end: Colour, *, angle: float) -> Image.Image:
    """A slanted blend of two colours."""
    ramp = (
        Image.linear_gradient("L")
        .resize((SIDE * 2, SIDE * 2))
        .rotate(math.degrees(angle), Image.Resampling.BICUBIC)
    )
    middle = ramp.crop((SIDE // 2, SIDE // 2, SIDE // 2 + SIDE, SIDE // 2 + SIDE))
    return Image.composite(Image.new("RGB", (SIDE, SIDE), end), Image.new("RGB", (SIDE, SIDE), start), middle)


def laid_over(image: Image.Image, shape: Image.Image, paint: Colour, strength: float) -> Image.Image:
    """The image with a shape painted on it, as see-through as *strength* says."""
    mask = shape.point([round(level * strength) for level in range(256)])
    return Image.composite(Image.new("RGB", image.size, paint), image, mask)


def blank() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty mask with a pen to draw on it."""
    mask = Image.new("L", (SIDE, SIDE), 0)
    return mask, ImageDraw.Draw(mask)


def suns(image: Image.Image, palette: list[Colour], chance: random.Random) -> Image.Image:
    """A low sun with a glow, behind hills."""
    x, y, radius = (
        chance.uniform(0.3, 0.7) * SIDE,
        chance.uniform(0.35, 0.5) * SIDE,
        chance.uniform(0.16, 0.24) * SIDE,
    )
    for grow, strength, blur in ((1.9, 0.35, 90), (1.0, 0.95, 2)):
        mask, pen = blank()
        size = radius * grow
        pen.ellipse((x - size, y - size, x + size, y + size), fill=255)
        image = laid_over(image, mask.filter(ImageFilter.GaussianBlur(blur)), palette[4], strength)
    return hills(image, palette, chance, first=0.55)


def hills(image: Image.Image, palette: list[Colour], chance: random.Random, *, first: float) -> Image.Image:
    """Four ranges, each nearer and darker."""
    for layer in range(4):
        mask, pen = blank()
        height, swing = (first + layer * 0.12) * SIDE, SIDE * chance.uniform(0.03, 0.07)
        turns, shift = chance.uniform(0.8, 2.2), chance.uniform(0, 6)
        edge = [
            (
                step,
                height
                + swing * math.sin(step / SIDE * turns * 6.283 + shift)
                + swing / 3 * math.sin(step / 61 + shift),
            )
            for step in range(0, SIDE + 8, 8)
        ]
        pen.polygon([*edge, (SIDE, SIDE), (0, SIDE)], fill=255)
        image = laid_over(image, mask, palette[(3, 2, 1, 0)[layer]], 0.55 + layer * 0.12)
    return image


def waves(image: Image.Image, palette: list[Colour], chance: random.Random) -> Image.Image:
    """Many lines across, as of one tone dying away."""
    shift, turns = chance.uniform(0, 6), chance.uniform(1.5, 3.5)
    for line in range(26):
        mask, pen = blank()
        base = SIDE * (0.18 + 0.64 * line / 25)
        points = []
        for step in range(0, SIDE + 6, 6):
            place = step / SIDE
            swell = math.exp(-(((place - 0.5) * 3.2) ** 2)) * SIDE * 0.085
            points.append((step, base - swell * math.sin(place * turns * 6.283 + shift + line * 0.33)))
        pen.line(points, fill=255, width=5, joint="curve")
        image = laid_over(image, mask, palette[4 if line % 3 else 2], 0.35 + 0.6 * line / 25)
    return image


def strips(image: Image.Image, palette: list[Colour], chance: random.Random) -> Image.Image:
    """Slanted bands of light, as seen from a train."""
    for _ in range(22):
        mask, pen = blank()
        x, width, slant = chance.uniform(-0.2, 1.1) * SIDE, chance.uniform(0.008, 0.07) * SIDE, SIDE * 0.35
        top, bottom = sorted((chance.uniform(-0.1, 0.6) * SIDE, chance.uniform(0.5, 1.1) * SIDE))
        lean = slant * (bottom - top) / SIDE
        pen.polygon([(x + lean, top), (x + lean + width, top), (x + width, bottom), (x, bottom)], fill=255)
        blurred = mask.filter(ImageFilter.GaussianBlur(chance.choice((1, 1, 14))))
        image = laid_over(image, blurred, palette[chance.choice((2, 3, 4))], chance.uniform(0.3, 0.85))
    return image


def rings(image: Image.Image, palette: list[Colour], chance: random.Random) -> Image.Image:
    """Circles that meet, as on water in the rain."""
    for _ in range(5):
        x, y = chance.uniform(0.15, 0.85) * SIDE, chance.uniform(0.15, 0.85) * SIDE
        paint = palette[chance.choice((2, 3, 4))]
        for ring in range(chance.randrange(3, 7)):
            mask, pen = blank()
            radius = (ring + 1) * SIDE * chance.uniform(0.055, 0.075)
            pen.ellipse(
                (x - radius, y - radius, x + radius, y + radius), outline=255, width=max(3, 16 - ring * 2)
            )
            image = laid_over(image, mask, paint, 0.85 - ring * 0.1)
    return image


def grain(image: Image.Image, chance: random.Random) -> Image.Image:
    """A little paper grain, so that gradients do not band."""
    small = SIDE // 4
    noise = Image.frombytes("L", (small, small), chance.randbytes(small * small)).resize(image.size)
    faint = noise.point([level // 18 for level in range(256)])
    return ImageChops.subtract(image, Image.merge("RGB", (faint, faint, faint)))
