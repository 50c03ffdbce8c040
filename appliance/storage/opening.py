"""From the one setting that says where media is kept to the store that keeps it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult
from urllib.parse import parse_qsl
from urllib.parse import unquote
from urllib.parse import urlsplit

from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.storage.local import LocalStore
from appliance.storage.objects import ObjectStore

_S3_FORM = "s3://ACCESS:SECRET@host:port/bucket?secure=0&region=eu-west-1&create=1"
_S3_OPTIONS = {"secure", "region", "create"}
# The narrow rules of AWS, which every other S3 server keeps, too.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_FLAGS = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}


def open_store(url: str, *, spool_folder: Path | None = None) -> ObjectStore:
    """The store at *url*: a path, ``file:///path``, or ``s3://ACCESS:SECRET@host:port/bucket``.

    The key and the secret are percent-encoded. *spool_folder* holds what is on its way to S3 while its hash
    is not known yet. Raises ``Invalid`` for a wrong URL (with its secrets masked) and ``Unavailable`` for a
    folder that cannot be used; no S3 server is asked before the first verb.
    """
    if "://" not in url:
        return LocalStore(_folder(url, url))
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _wrong(url, f"{error}") from None
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise _wrong(url, "a file URL has three slashes: file:///srv/music")
        return LocalStore(_folder(unquote(parts.path), url))
    if parts.scheme == "s3":
        return _s3(parts, url, spool_folder)
    raise _wrong(url, f"it is a path, file:///path or {_S3_FORM}")


def masked(url: str) -> str:
    """*url* without its credentials; hides too much rather than too little when it is not well formed."""
    return re.sub(r"://.*@", "://***:***@", url, flags=re.DOTALL)


def _folder(path: str, url: str) -> Path:
    if not path or "\0" in path:
        raise _wrong(url, "it names no folder")
    return Path(path).absolute()


def _s3(parts: SplitResult, url: str, spool_folder: Path | None) -> ObjectStore:
    bucket = parts.path.removeprefix("/")
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _wrong(url, "its port is no number, or a '/' in the secret is not written %2F") from None
    if not host or not parts.username or not parts.password:
        raise _wrong(url, f"it looks like {_S3_FORM}, and a '/' in the secret is written %2F")
    if not _HOST.fullmatch(host):
        raise _wrong(url, "its host is no name and no address")
    if not _BUCKET.fullmatch(bucket):
        raise _wrong(url, "after the host comes one bucket: 3 to 63 small letters, digits, '-' and '.'")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - _S3_OPTIONS):
        raise _wrong(url, f"it has no option {unknown[0]!r}, only {', '.join(sorted(_S3_OPTIONS))}")
    secure, create = (
        _flag(options, name, default, url) for name, default in (("secure", "1"), ("create", "0"))
    )
    try:
        # Here, because a node that keeps its media in a folder need not load, or have, an S3 client.
        from appliance.storage.s3 import S3Store
    except ModuleNotFoundError as error:
        raise Unavailable(
            "Storage in S3 needs a package that is not installed: pip install minio."
        ) from error
    return S3Store(
        parts.netloc.rpartition("@")[2],
        bucket,
        access_key=unquote(parts.username),
        secret_key=unquote(parts.password),
        secure=secure,
        region=options.get("region"),
        create_bucket=create,
        spool_folder=spool_folder,
    )


def _flag(options: dict[str, str], name: str, default: str, url: str) -> bool:
    try:
        return _FLAGS[options.get(name, default).lower()]
    except KeyError:
        raise _wrong(url, f"its option {name!r} is 0 or 1") from None


def _wrong(url: str, why: str) -> Invalid:
    return Invalid(
        f"The setting 'store_url' is {masked(url)!r}, which is not right: {why}.", field="store_url"
    )
