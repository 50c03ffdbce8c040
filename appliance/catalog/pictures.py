"""Pictures of strangers, decoded by a program in the sandbox: what it answers is checked, for it may have been taken over."""

from __future__ import annotations

import json
import logging
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import PIL

from appliance import sandbox
from appliance.catalog import decoding
from appliance.errors import Invalid
from appliance.errors import Unavailable

log = logging.getLogger(__name__)

PROGRAM = Path(decoding.__file__)
BOUNDS = sandbox.Bounds(cpu_s=30, wall_s=60, memory_bytes=1 << 30, file_bytes=1)
# The largest size of a picture that is nothing but noise has some 2 MB.
MOST_ANSWER_BYTES = 16 * 1024 * 1024
MOST_TOLD_BYTES = 4096
BEGINS = {"webp": re.compile(rb"RIFF....WEBP", re.DOTALL), "jpg": re.compile(rb"\xff\xd8\xff")}
ONE_PIXEL = b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
# -S: without the site's packages; the one that is needed is told by its place.
BOOT = "import sys, runpy; sys.path.append(sys.argv.pop(1)); sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"

# Decoded, the largest picture takes some 300 MB: several at once would be too much for a small server.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a picture: *files* by name, each with its type, and the colour that carries it."""

    files: dict[str, tuple[bytes, str]]
    colour: str


class _TooLong(Exception):
    pass


def made_from(data: bytes, *, crop: tuple[float, float, float] | None = None) -> Made:
    """Every size of the square *crop* of a picture, or of its middle; ``Invalid`` tells what is wrong with one that cannot be taken."""
    words = ["-I", "-S", "-c", BOOT, str(Path(PIL.__file__).parents[1]), str(PROGRAM), *map(str, crop or ())]
    answer, complaint = bytearray(), bytearray()

    def take(block: bytes) -> None:
        answer.extend(block)
        if len(answer) > MOST_ANSWER_BYTES:
            raise _TooLong

    try:
        with _one_at_a_time:
            ended = sandbox.run(
                sandbox.chosen(),
                lambda news: [sandbox.python(), *words],
                room=sandbox.Room(program=_program()),
                bounds=BOUNDS,
                stdin=data,
                on_stdout=take,
                on_stderr=lambda block: complaint.extend(block[:MOST_TOLD_BYTES]),
            )
    except _TooLong:
        _refuse("damaged", 0, 0)
    except sandbox.NotStarted as error:
        log.error("picture not decoded", extra={"why": error.detail})
        raise Unavailable("Pictures cannot be prepared just now; try again in a moment.") from error
    if b"ImportError" in complaint or b"ModuleNotFoundError" in complaint:
        log.error("picture not decoded", extra={"why": complaint.decode("utf-8", "replace")})
        raise Unavailable("Pictures cannot be prepared just now; try again in a moment.")
    if ended.returncode or not ended.in_time:
        # Whatever stopped it, a signal or a limit: with the next picture it works again.
        log.warning(
            "picture not decoded",
            extra={"code": ended.returncode, "why": complaint[-MOST_TOLD_BYTES:].decode("utf-8", "replace")},
        )
        _refuse("damaged", 0, 0)
    return _checked(bytes(answer))


def check() -> None:
    """``Unavailable`` unless the decoder works on this machine."""
    try:
        made_from(ONE_PIXEL)
    except Invalid as refused:
        if "least" not in refused.facts:
            raise Unavailable("The decoder of pictures does not work here; the log says why.") from refused


def _program() -> tuple[Path, ...]:
    """What the decoder is made of: Python, its library, the packages among which Pillow is, the script."""
    return (
        *sandbox.python_files(),
        Path(PIL.__file__).parents[1],
        PROGRAM,
    )


def _checked(answer: bytes) -> Made:
    """What was answered, when every part of it is what was asked for."""
    head, _, body = answer.partition(b"\n")
    try:
        told = json.loads(head)
        if "problem" in told:
            _refuse(str(told["problem"]), int(told["width"]), int(told["height"]))
        colour, lengths = str(told["colour"]), [int(length) for length in told["lengths"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        _refuse("damaged", 0, 0)
    names = [(side, ending) for side in decoding.SIZES_PX for ending in decoding.FORMATS]
    files = {}
    if len(lengths) == len(names) and min(lengths) > 0 and sum(lengths) == len(body):
        for (side, ending), length in zip(names, lengths, strict=True):
            content, body = body[:length], body[length:]
            if BEGINS[ending].match(content):
                kind = f"image/{decoding.FORMATS[ending][0].lower()}"
                files[f"{side}.{ending}"] = (content, kind)
    if len(files) != len(names) or not re.fullmatch(r"#[0-9a-f]{6}", colour):
        _refuse("damaged", 0, 0)
    return Made(files, colour)


def _refuse(problem: str, width: int, height: int) -> NoReturn:
    """``Invalid`` with the sentence for *problem*, a word of the decoder."""
    if problem == "far_too_wide":
        raise Invalid(
            "A cover has at most {most:,} pixels a side; this one has many more.",
            most=decoding.MOST_SIDE_PX,
            field="artwork",
        )
    if problem == "too_small":
        raise Invalid(
            "A cover has at least {least} × {least} pixels; this one has {width:,} × {height:,}.",
            least=decoding.LEAST_SIDE_PX,
            width=width,
            height=height,
            field="artwork",
        )
    if problem == "too_wide":
        raise Invalid(
            "A cover has at most {most:,} pixels a side; this one has {width:,} × {height:,}.",
            most=decoding.MOST_SIDE_PX,
            width=width,
            height=height,
            field="artwork",
        )
    if problem == "too_many_pixels":
        raise Invalid(
            "A cover has at most {most} million pixels; this one has {width:,} × {height:,}.",
            most=decoding.MOST_PIXELS // 1_000_000,
            width=width,
            height=height,
            field="artwork",
        )
    if problem == "small_part":
        raise Invalid(
            "This part of the picture is too small for a cover; choose a larger one.", field="artwork"
        )
    raise Invalid("This picture cannot be read. Send a JPEG, PNG or WebP.", field="artwork")
