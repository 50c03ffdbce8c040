"""Covers: every kind of picture comes out right, and what is none is told in words before it eats memory."""

import io
import random
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL import ImageCms

from appliance import sandbox
from appliance.catalog import artwork
from appliance.catalog import decoding
from appliance.catalog import pictures
from appliance.catalog.models import Release
from appliance.errors import Invalid
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_release


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def made(data: bytes) -> Image.Image:
    """The square that all sizes are made of."""
    return decoding.square(decoding.opened(data))


def colour(image: Image.Image, x: float = 0.5, y: float = 0.5) -> tuple[int, ...]:
    found = image.convert("RGB").getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))
    assert isinstance(found, tuple)
    return found


def near(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


TEAL = (0, 128, 128)
SQUARE = Image.new("RGB", (400, 400), TEAL)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_of_every_usual_kind_comes_out_in_its_colours(name: str) -> None:
    image = made(saved(SQUARE, name))
    assert image.size == (400, 400)
    assert near(colour(image), TEAL)


def test_every_size_is_there_in_both_formats_and_the_release_knows_its_colour(appliance: Appliance) -> None:
    release = make_release()
    key = artwork.set_artwork(release, io.BytesIO(saved(SQUARE, "PNG")), store=appliance.store, now=NOW)
    found = {stored.key: stored.content_type for stored in appliance.store.list(f"{key}/")}
    assert found == {
        f"{key}/{px}.{ending}": f"image/{kind}"
        for px in (1200, 600, 300, 96)
        for ending, kind in (("webp", "webp"), ("jpg", "jpeg"))
    }
    row = Release.get_by_id(release.id)
    assert (row.artwork_key, near(tuple(bytes.fromhex(row.colour[1:])), TEAL)) == (key, True)


def test_a_new_picture_does_not_overwrite_the_old(appliance: Appliance) -> None:
    release = make_release()
    keys = {
        artwork.set_artwork(release, io.BytesIO(saved(SQUARE, "PNG")), store=appliance.store, now=NOW)
        for _ in range(2)
    }
    assert len(keys) == 2
    for key in keys:
        appliance.store.stat(f"{key}/96.webp")


def test_the_middle_of_a_wide_picture_is_taken() -> None:
    wide = Image.new("RGB", (1200, 400), "red")
    wide.paste(TEAL, (400, 0, 800, 400))
    image = made(saved(wide, "PNG"))
    assert all(near(colour(image, x), TEAL) for x in (0.05, 0.5, 0.95))


def test_a_turned_photograph_stands_upright() -> None:
    photo = Image.new("RGB", (400, 400), "red")
    photo.paste(TEAL, (0, 0, 400, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn by 90 degrees clockwise: what is above goes to the right.
    image = made(saved(photo, "JPEG", exif=exif, quality=95))
    assert near(colour(image, 0.9), TEAL)
    assert near(colour(image, 0.1), (255, 0, 0))
    assert not image.getexif()


def test_a_cmyk_jpeg_for_print_has_its_colours() -> None:
    image = made(saved(SQUARE.convert("CMYK"), "JPEG", quality=95))
    assert near(colour(image), TEAL, by=25)


def test_what_is_clear_becomes_white() -> None:
    half = Image.new("RGBA", (400, 400), (*TEAL, 255))
    half.paste((0, 0, 0, 0), (0, 0, 200, 400))
    for data in (saved(half, "PNG"), saved(half, "WEBP", lossless=True), saved(half.quantize(), "PNG")):
        image = made(data)
        assert near(colour(image, 0.1), (255, 255, 255))
        assert near(colour(image, 0.9), TEAL)
    grey = Image.new("LA", (400, 400), (0, 0))
    assert near(colour(made(saved(grey, "PNG"))), (255, 255, 255))


def test_a_deep_grey_picture_is_not_all_white() -> None:
    image = made(saved(Image.new("I;16", (400, 400), 0x8000), "PNG"))
    assert near(colour(image), (128, 128, 128))


def test_black_and_white_and_palette_pictures_are_taken() -> None:
    for mode in ("1", "L", "P"):
        assert made(saved(SQUARE.convert(mode), "PNG")).mode == "RGB"


def test_colours_are_those_of_the_pictures_own_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert near(colour(made(saved(SQUARE, "PNG", icc_profile=profile))), TEAL)
    assert near(colour(made(saved(SQUARE, "PNG", icc_profile=b"rubbish" * 50))), TEAL)


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (400, 400), shade) for shade in ("teal", "red")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert near(colour(made(data)), TEAL)


def test_a_large_photograph_is_taken_at_full_quality() -> None:
    image = made(saved(Image.new("RGB", (5000, 5000), TEAL), "JPEG"))
    assert image.size == (1200, 1200)


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((1, 1), "A cover has at least 200 × 200 pixels; this one has 1 × 1."),
        ((3000, 199), "A cover has at least 200 × 200 pixels; this one has 3,000 × 199."),
        ((30_000, 30_000), "A cover has at most 12,000 pixels a side; this one has many more."),
        ((30_000, 200), "A cover has at most 12,000 pixels a side; this one has 30,000 × 200."),
        ((12_000, 11_000), "A cover has at most 40 million pixels; this one has 12,000 × 11,000."),
    ],
)
def test_a_wrong_size_is_told_without_decoding(size: tuple[int, int], sentence: str) -> None:
    data = png_header(*size)
    tracemalloc.start()
    try:
        with pytest.raises(decoding.Refused):
            decoding.opened(data)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    with pytest.raises(Invalid) as caught:
        pictures.made_from(data)
    assert (str(caught.value), caught.value.field) == (sentence, "artwork")


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 400\n",
        b"%PDF-1.7",
        b"fLaC" + bytes(100),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        bytes(1000),
    ],
)
def test_what_is_no_picture_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(Invalid, match=r"cannot be read\. Send a JPEG, PNG or WebP"):
        pictures.made_from(data)


def test_an_empty_and_a_too_heavy_file_are_told(appliance: Appliance) -> None:
    release = make_release()
    for data, sentence in ((b"", "empty"), (bytes(artwork.MOST_BYTES + 1), "at most 30 MiB")):
        with pytest.raises(Invalid, match=sentence):
            artwork.set_artwork(release, io.BytesIO(data), store=appliance.store, now=NOW)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_a_damaged_picture_is_a_picture_or_told_and_never_a_crash(name: str) -> None:
    whole = saved(Image.effect_noise((220, 220), 60).convert("RGB"), name)
    for part in (whole[: len(whole) // 2], whole[:-1]):
        attempt(part)
    chance = random.Random(7)
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            # Most of what can go wrong is in the header.
            broken[chance.randrange(min(len(broken), 400))] = chance.randrange(256)
        attempt(bytes(broken))


def attempt(data: bytes) -> None:
    try:
        assert decoding.opened(data).mode == "RGB"
    except decoding.Refused as refused:
        assert refused.told["problem"]


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises this size and brings nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def test_the_square_an_artist_chose_is_cut_out() -> None:
    wide = Image.new("RGB", (1200, 600), "white")
    wide.paste(TEAL, (700, 100, 1100, 500))
    # Left edge at 700 of 1200, top at 100 of 600, two thirds of the shorter side.
    image = decoding.square(wide, (700 / 1200, 100 / 600, 400 / 600))
    assert image.size == (400, 400)
    assert near(colour(image, 0.02, 0.02), TEAL)
    assert near(colour(image, 0.98, 0.98), TEAL)


def test_a_square_over_the_edge_is_moved_inside() -> None:
    assert decoding.box((1200, 600), (1.0, 1.0, 0.5)) == (900, 300, 1200, 600)


@pytest.mark.parametrize(
    "sent",
    [
        {"x": "a", "y": "0", "size": "1"},
        {"x": "nan", "y": "0", "size": "1"},
        {"x": "0", "y": "0", "size": "0"},
    ],
)
def test_a_square_that_is_none_is_refused(sent: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="numbers from 0 to 1"):
        artwork.Crop.read(sent)


def test_without_a_chosen_square_it_is_the_middle() -> None:
    assert artwork.Crop.read({}) is None
    assert artwork.Crop.read({"x": "0", "y": "", "size": "1"}) is None


def test_too_small_a_part_of_a_picture_is_refused() -> None:
    with pytest.raises(Invalid, match="choose a larger one"):
        pictures.made_from(saved(SQUARE, "PNG"), crop=(0, 0, 0.1))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nothing of the kind\n",
        b"[1, 2]\n",
        b"null\n",
        b'{"colour": "#aabbcc", "lengths": []}\n',
        b'{"colour": "#aabbcc", "lengths": [4,4,4,4,4,4,4,4]}\n' + b"evil" * 8,
        b'{"colour": "#aabbcc", "lengths": [-1,1,1,1,1,1,1,1]}\n' + b"x" * 6,
        b'{"colour": "url(javascript:)", "lengths": [3]}\n\xff\xd8\xff',
        b'{"problem": "<script>", "width": 1, "height": 1}\n',
        b'{"problem": "too_small", "width": "1e9", "height": []}\n',
    ],
)
def test_a_decoder_that_was_taken_over_is_not_believed(answer: bytes) -> None:
    with pytest.raises(Invalid, match=r"cannot be read\."):
        pictures._checked(answer)


def test_a_decoder_that_runs_wild_costs_one_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in (
        "while True: pass",
        "import time; time.sleep(60)",
        "x = []\nwhile True: x.append(bytes(1 << 24))",
        "while True: print('x' * 100_000)",
        "import os\nwhile True: os.fork()",
        "import os; os.abort()",
        "import sys; sys.exit(3)",
    ):
        script = tmp_path / "decoding.py"
        script.write_text(program)
        monkeypatch.setattr(pictures, "PROGRAM", script)
        monkeypatch.setattr(pictures, "BOUNDS", sandbox.Bounds(1, 2.0, 1 << 29, 1))
        with pytest.raises(Invalid, match=r"cannot be read\."):
            pictures.made_from(saved(SQUARE, "PNG"))
