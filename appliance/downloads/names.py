"""Names of files and folders that every system takes, and that still read like the music."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST_BYTES = 180
"""A name may have 255 bytes on most disks; its number, its ending and a mark against doubles need some."""
_FORBIDDEN = str.maketrans(
    {"/": "∕", "\\": "∖", ":": "꞉", "*": "∗", "?": "？", '"': "”", "<": "‹", ">": "›", "|": "ǀ"}
)
# Devices of Windows, with any ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


def safe(text: str, otherwise: str = "Untitled") -> str:
    """*text* as a part of a path on Windows, macOS and Linux; signs that are not allowed become others that look like them."""
    text = unicodedata.normalize("NFC", text).translate(_FORBIDDEN)
    # Also what turns the direction of writing: a name must not look as if it had another ending.
    kept = "".join(
        " " if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else sign for sign in text
    )
    name = _cut(" ".join(kept.split())).strip(". ")
    if _DEVICES.match(name):
        name = f"_{name}"
    return name or otherwise


def track(number: int, total: int, title: str, ending: str) -> str:
    """``01 Low Tide.flac``; as many digits as the release needs."""
    width = max(2, len(str(total)))
    return f"{number:0{width}} {safe(title)}.{ending}"


def folder(artist: str, release: str) -> str:
    """``Night Ferry - Harbour Lights``."""
    return safe(f"{safe(artist)[: LONGEST_BYTES // 4]} - {safe(release)}")


def different(names: Iterable[str]) -> list[str]:
    """The names in their order, told apart by a number where a disk would take two for one, also one that ignores case."""
    taken: set[str] = set()
    found = []
    for name in names:
        stem, dot, ending = name.rpartition(".")
        stem = stem if dot else name
        unique, count = name, 1
        while _key(unique) in taken:
            count += 1
            unique = f"{stem} ({count}).{ending}" if dot else f"{stem} ({count})"
        taken.add(_key(unique))
        found.append(unique)
    return found


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _cut(text: str) -> str:
    return text.encode()[:LONGEST_BYTES].decode(errors="ignore")
