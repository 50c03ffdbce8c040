"""The bytes of a download: a file, or a zip that is put together while it is sent; both from any place on."""

import unicodedata
from collections.abc import Sequence
from typing import BinaryIO
from typing import cast
from urllib.parse import quote

from flask import Response
from flask import request

from appliance import clock
from appliance.accounts.models import Scope
from appliance.downloads import files
from appliance.downloads import links
from appliance.downloads import names
from appliance.downloads import sleeves
from appliance.downloads import zips
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadItem
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.storage import ObjectStore
from appliance.storage import StoredObject
from appliance.storage.local import LocalStore
from web import byte_ranges
from web import private_keys
from web.downloads.routing import blueprint
from web.request_cycle import appliance
from web.request_cycle import require_person
from web.request_cycle import roles

ZIP = "application/zip"
CACHE = "private, no-store"


@blueprint.get("/downloads/<token>")
def fetch(token: str) -> Response:
    """What the link leads to, for the person it was made for; a range of it goes on where it broke off."""
    who = require_person(Scope.READ)
    download, items = links.opened(
        token,
        who,
        roles=roles(),
        keys=private_keys.shown(),
        secret=appliance().secret,
        now=clock.now(),
    )
    store = appliance().store
    if len(items) == 1:
        [item] = items
        try:
            answer = byte_ranges.serve(store, item.file.key, request=request, cache_control=CACHE)
        except NotFound as error:
            files.lost(item.file)
            raise Conflict(links.NOT_READY) from error
        name = item.name
    else:
        answer = _zip(download, items, store)
        name = f"{_folder(download)}.zip"
    answer.headers["Content-Disposition"] = disposition(name)
    return answer


def disposition(name: str) -> str:
    """The header that makes a browser keep a file under *name* (RFC 6266), in ASCII for old programs and whole for others (RFC 8187)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(" " if sign in '"\\%' else sign for sign in plain)
    return f"attachment; filename=\"{' '.join(plain.split())}\"; filename*=UTF-8''{quote(name, safe='')}"


def _zip(download: Download, items: Sequence[DownloadItem], store: ObjectStore) -> Response:
    folder = _folder(download)
    changed_at = max(item.file.created_at for item in items)
    entries = [
        zips.Entry(
            f"{folder}/{item.name}",
            item.file.size_bytes,
            item.file.crc32,
            item.file.created_at,
            key=item.file.key,
        )
        for item in items
    ]
    cover = _cover(download, store)
    if cover:
        entries.append(zips.Entry.of_bytes(f"{folder}/cover.jpg", cover, changed_at))
    layout = zips.Layout(entries)
    found = StoredObject("", layout.size_bytes, layout.sha256, ZIP, changed_at)

    def opened(start: int, length: int) -> BinaryIO:
        # Of a local store any place can be read at once, so the server sends it beside others, in no thread of its own.
        reading = zips.Reading(
            layout,
            lambda key, place, some: store.open(key, start=place, length=some),
            start,
            length,
            seekable=isinstance(store, LocalStore),
        )
        return cast("BinaryIO", reading)

    return byte_ranges.answer(found, opened, request=request, cache_control=CACHE)


def _folder(download: Download) -> str:
    return names.folder(download.release.artist.name, download.release.title)


def _cover(download: Download, store: ObjectStore) -> bytes:
    if not download.release.artwork_key:
        return b""
    try:
        with store.open(f"{download.release.artwork_key}/{sleeves.COVER_PX}.jpg") as stream:
            return stream.read()
    except NotFound:
        return b""
