"""Signed paths: ``EXPIRES-SIGNATURE/folder/file``, where the signature opens a folder and what lies below it.

A player resolves the relative addresses in a playlist against the playlist's own, so a signature in the path is inherited by
every file beside it; one in the query would be lost (RFC 3986, 5.2). Everything here is pure: copy ``verify`` into an edge worker.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from appliance.errors import Invalid

PUBLIC = ("artwork/", "waveforms/", "previews/")
"""What anyone may fetch without a signature."""
_SIGNED = re.compile(r"([0-9a-f]{1,12})-([0-9a-f]{64})/(.+)")
# Nothing that a server further back might decode, normalise or cut off, so that what is checked is what is served.
_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~=-]+")


def is_base(url: str) -> bool:
    """True when *url* can have a path put behind it: http or https, a host, no query, fragment or password."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  a port that is no number raises here
    except ValueError:
        return False
    known = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    return known and "?" not in url and "#" not in url and not any(c.isspace() for c in url)


def sign(path: str, key: str, *, expires_at_s: int) -> str:
    """*path* behind the signature of its folder; ``Invalid`` for a path that no edge would take."""
    folder = path[: path.rfind("/") + 1]
    if not folder or not _is_plain(path):
        raise Invalid(f"The media key {path!r} cannot be signed.", field="key")
    return f"{expires_at_s:x}-{_signature(folder, key, f'{expires_at_s:x}')}/{path}"


def verify(path: str, keys: Iterable[str], *, now_s: int) -> str | None:
    """The path to ask the origin for, or ``None`` when the answer must be 403.

    *path* is what the client asked for, without the leading slash and undecoded. Give the old key beside the new one
    for as long as addresses live, and a change of keys interrupts nobody.
    """
    if path.startswith(PUBLIC) and _is_plain(path):
        return path
    signed = _SIGNED.fullmatch(path)
    if signed is None or not _is_plain(signed[3]) or int(signed[1], 16) <= now_s:
        return None
    expires, given, wanted = signed[1], signed[2], signed[3]
    folders = [wanted[: at + 1] for at, letter in enumerate(wanted) if letter == "/"]
    right = [_signature(folder, key, expires) for key in keys for folder in folders]
    return wanted if any(hmac.compare_digest(given, one) for one in right) else None


def _signature(folder: str, key: str, expires: str) -> str:
    # A folder ends in a slash and an expiry holds none, so no two pairs make the same text.
    return hmac.new(key.encode(), f"{folder}{expires}".encode(), hashlib.sha256).hexdigest()


def _is_plain(path: str) -> bool:
    return len(path) <= 1000 and all(_SEGMENT.fullmatch(segment) for segment in path.split("/"))
