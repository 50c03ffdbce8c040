"""Tags and cover of a file, read by mutagen; a damaged tag is no reason to refuse the music."""

import base64
import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import BinaryIO

import mutagen
from mutagen.flac import Picture

log = logging.getLogger(__name__)

LONGEST_COVER_BYTES = 30 * 1024 * 1024
# Vorbis comments, ID3 frames and MP4 atoms that mean the same (their names as mutagen spells them).
_TITLE = ("title", "TIT2", "\xa9nam")
_ISRC = ("isrc", "TSRC", "----:com.apple.iTunes:ISRC")
_LYRICS = ("lyrics", "unsyncedlyrics", "USLT", "\xa9lyr")


@dataclass(frozen=True, slots=True)
class Tags:
    """What a file says of itself; every text may be empty, and nothing is checked yet."""

    title: str = ""
    isrc: str = ""
    lyrics: str = ""
    cover: bytes = b""

    def cover_file(self) -> BinaryIO:
        """The picture as a file."""
        return io.BytesIO(self.cover)


def read(source: Path) -> Tags:
    """The tags of *source*; empty where there are none or they cannot be read."""
    try:
        file = mutagen.File(source)
    except (mutagen.MutagenError, ValueError, IndexError, KeyError, OverflowError, MemoryError) as error:
        log.info("tags not readable", extra={"why": type(error).__name__})
        return Tags()
    if file is None or file.tags is None:
        return Tags(cover=_cover(file) if file is not None else b"")
    tags = file.tags
    return Tags(_text(tags, _TITLE), _text(tags, _ISRC), _text(tags, _LYRICS), _cover(file))


def _text(tags: Any, names: tuple[str, ...]) -> str:
    for name in names:
        # ID3 lyrics frames carry description and language in their key: "USLT::eng".
        value = next((tags[key] for key in list(tags.keys()) if key.split("::")[0] == name), None)
        if value is None:
            value = next((tags[key] for key in list(tags.keys()) if key.lower() == name), None)
        text = _first(value)
        if text:
            return text
    return ""


def _first(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    text = getattr(value, "text", value)
    if isinstance(text, list):
        text = text[0] if text else ""
    if isinstance(text, bytes):
        return text.decode("utf-8", "replace")
    return str(text) if text is not None else ""


def _cover(file: Any) -> bytes:
    data = b""
    if getattr(file, "pictures", None):
        data = file.pictures[0].data
    tags: Any = file.tags or {}
    for key in list(tags.keys()):
        if data:
            break
        if key.startswith("APIC"):
            data = tags[key].data
        elif key == "covr" and tags[key]:
            data = bytes(tags[key][0])
        elif key.lower() == "metadata_block_picture":
            data = _picture(tags[key][0])
    return data if len(data) <= LONGEST_COVER_BYTES else b""


def _picture(text: str) -> bytes:
    # The Vorbis comment form: a FLAC picture block in base64 (xiph.org, VorbisComment).
    try:
        return bytes(Picture(base64.b64decode(text)).data)
    except (ValueError, mutagen.MutagenError):
        return b""
