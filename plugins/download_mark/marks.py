"""The mark itself: pure to make, and a tag of its own to write and read in every kind of file."""

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import mutagen
from mutagen.id3 import ID3
from mutagen.id3 import TXXX
from mutagen.mp4 import MP4FreeForm
from mutagen.mp4 import MP4Tags

from appliance.errors import Invalid

NAME = "MUSICCONNECT_MARK"
_ID3 = f"TXXX:{NAME}"
_MP4 = f"----:com.apple.iTunes:{NAME}"
_BITS = 130


def mark(key: str, track_id: str, listener_id: str) -> str:
    """``TRACK.CODE``: who has the key can try whom the code fits; to all others it is a random word."""
    told = f"musicconnect.download_mark|{track_id}|{listener_id}".encode()
    code = base64.b32encode(hmac.digest(key.encode(), told, hashlib.sha256)).decode("ascii")
    return f"{track_id}.{code[: _BITS // 5]}"


def track_of(text: str) -> str:
    """The id of the track that a mark names."""
    return text.partition(".")[0]


def write(path: Path, text: str) -> None:
    """Put *text* among the tags of the file and leave the others as they are; ``Invalid`` when the file has no room for tags."""
    file = _opened(path)
    if file.tags is None:
        file.add_tags()
    tags: Any = file.tags
    if isinstance(tags, ID3):
        tags.setall(_ID3, [TXXX(encoding=3, desc=NAME, text=[text])])
    elif isinstance(tags, MP4Tags):
        tags[_MP4] = [MP4FreeForm(text.encode("ascii"))]
    else:
        tags[NAME] = [text]
    file.save()


def read(path: Path) -> str:
    """The mark in a file, or an empty text."""
    tags: Any = _opened(path).tags
    if tags is None:
        return ""
    if isinstance(tags, ID3):
        frames = tags.getall(_ID3)
        return str(frames[0].text[0]) if frames else ""
    values = tags.get(_MP4 if isinstance(tags, MP4Tags) else NAME) or [""]
    return values[0].decode("ascii", "replace") if isinstance(values[0], bytes) else str(values[0])


def _opened(path: Path) -> Any:
    try:
        file = mutagen.File(path)
    except mutagen.MutagenError as error:
        raise Invalid("The tags of this file cannot be read.") from error
    if file is None:
        raise Invalid("This is no music file.")
    return file
