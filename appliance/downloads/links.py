"""The link to a download: for one person, for a day, and only as long as their right stands."""

import base64
import hashlib
import hmac
from collections.abc import Collection
from collections.abc import Sequence
from datetime import datetime

from appliance import hooks
from appliance import revocations
from appliance.accounts.models import User
from appliance.catalog.models import Track
from appliance.downloads import files
from appliance.downloads import orders
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadItem
from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.memberships import access

NOT_VALID = N_("This download link is not valid; open your downloads and take it from there.")
NOT_FOR_YOU = N_("This download link belongs to another account; it works for the person it was made for.")
EXPIRED = N_(
    "This download link has ended after a day. Ask for the download again; within a month that costs nothing."
)
CHANGED = N_(
    "What you may download has changed since this link was made. Ask for the download again; within a month that costs nothing."
)
NOT_READY = N_(
    "This download is not ready. Open your downloads to see how far it is, or to ask for it again."
)


def token(download: Download, *, secret: str) -> str:
    """The last part of the address of *download*; the same as long as it is there."""
    return f"{download.id}.{_signature(download, secret)}"


def opened(
    token: str,
    user: User,
    *,
    roles: frozenset[str],
    keys: Collection[str],
    secret: str,
    now: datetime,
) -> tuple[Download, list[DownloadItem]]:
    """The download behind *token* with its items, ready and kept for a while; a sentence tells why it cannot be had.

    The right is looked at anew, and nothing that the link is about may have been revoked since it was made.
    """
    download = _read(token, secret)
    if download.user_id != user.id:
        raise NotAllowed(NOT_FOR_YOU)
    if download.expires_at <= now:
        raise NotAllowed(EXPIRED)
    items = orders.items_of([download])[download.id]
    rights = access.to_tracks(user, _tracks(download, items), roles=roles, keys=keys, now=now)
    if not all(right.may_download for right in rights.values()):
        raise NotAllowed(orders.NOT_YOURS)
    unmarked = hooks.has("mark_download") and not all(item.file.listener for item in items)
    if unmarked or revocations.ended(_about(download, items), since=download.epoch):
        raise NotAllowed(CHANGED)
    if not items or not files.promise([item.file for item in items], now=now):
        raise Conflict(NOT_READY)
    return download, items


def _read(token: str, secret: str) -> Download:
    download_id, _, signature = token.partition(".")
    try:
        download = orders.find(download_id[:26])
    except NotFound as error:
        raise NotAllowed(NOT_VALID) from error
    if not hmac.compare_digest(signature.encode(), _signature(download, secret).encode()):
        raise NotAllowed(NOT_VALID)
    return download


def _signature(download: Download, secret: str) -> str:
    # With the person, so that a row that changed hands would not take its link along.
    said = f"musicconnect.download|{download.id}|{download.user_id}".encode()
    digest = hmac.new(secret.encode(), said, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode("ascii")


def _about(download: Download, items: Sequence[DownloadItem]) -> list[str]:
    release = download.release
    return [
        f"listener:{download.user_id}",
        f"member:{download.user_id}:{release.artist_id}",
        f"artist:{release.artist_id}",
        f"release:{release.id}",
        *(f"track:{item.track_id}" for item in items),
    ]


def _tracks(download: Download, items: Sequence[DownloadItem]) -> list[Track]:
    rows = [item.track for item in items]
    for row in rows:
        row.release = download.release
    return rows
