"""What a local file cannot say by itself: the SHA-256 it was stored with, and its content type.

The label is an extended attribute of the file. So it moves into place in the same rename as the bytes, costs
no second file and no second fsync, and at a million objects no second inode. Its name and value are kept
short because ext4 holds about 90 bytes of attributes in the inode itself; longer ones take a 4 KiB block.

Where the file system keeps no attributes, the label is a small hidden file beside the object. It names the
size and time of the file it speaks of: one that is stale, torn or lost is noticed, and made again.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass

_ATTRIBUTE = "user.mc"
_DIGEST_BYTES = 32

# What MusicConnect itself stores; only for files whose label was lost. An .mp4 here is sound without video.
CONTENT_TYPES = {
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".flac": "audio/flac",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".png": "image/png",
    ".wav": "audio/wav",
    ".webp": "image/webp",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Label:
    """What is remembered of one stored file."""

    sha256: str
    content_type: str


def attach(descriptor: int, label: Label) -> bool:
    """Fix *label* to the open file; false when this file system keeps no attributes."""
    try:
        os.setxattr(descriptor, _ATTRIBUTE, bytes.fromhex(label.sha256) + label.content_type.encode("ascii"))
    except OSError:
        # Not supported, not allowed or no room: a label beside the file serves, and a full disk shows there.
        return False
    return True


def attached(descriptor: int) -> Label | None:
    """The label fixed to the open file, if there is one."""
    try:
        value = os.getxattr(descriptor, _ATTRIBUTE)
    except OSError:
        return None
    if len(value) <= _DIGEST_BYTES:
        return None
    return Label(value[:_DIGEST_BYTES].hex(), value[_DIGEST_BYTES:].decode("ascii", "replace"))


def write_beside(path: str, info: os.stat_result, label: Label) -> None:
    """Keep *label* in a file beside *path*, whose size and time are those of *info*."""
    facts = {"sha256": label.sha256, "content_type": label.content_type, **_identity(info)}
    with open(_beside(path), "w", encoding="ascii") as file:
        json.dump(facts, file)


def read_beside(path: str, info: os.stat_result) -> Label | None:
    """The label beside *path*, if it is whole and speaks of the file that is there now."""
    try:
        with open(_beside(path), encoding="ascii") as file:
            facts = json.load(file)
        label = Label(facts.pop("sha256"), facts.pop("content_type"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return label if facts == _identity(info) else None


def remove_beside(path: str) -> None:
    """Forget the label beside *path*, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_beside(path))


def usual_content_type(key: str) -> str:
    """The content type that the end of *key* lets expect."""
    return CONTENT_TYPES.get(os.path.splitext(key)[1].lower(), "application/octet-stream")


def _beside(path: str) -> str:
    # No part of a key starts with a dot, so this name never meets an object's.
    folder, name = os.path.split(path)
    return f"{folder}/.{name}.label"


def _identity(info: os.stat_result) -> dict[str, int]:
    return {"size_bytes": info.st_size, "modified_ns": info.st_mtime_ns}
