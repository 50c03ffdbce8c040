"""What a person asks for: a track or a release in one format, granted, made, and theirs to fetch for a day."""

import hashlib
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from appliance import hooks
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import transaction
from appliance.downloads import files
from appliance.downloads import formats
from appliance.downloads import names
from appliance.downloads import quotas
from appliance.downloads.formats import Format
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadFile
from appliance.downloads.models import DownloadItem
from appliance.downloads.models import FileState
from appliance.downloads.sleeves import Sleeve
from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.memberships.access import Access

LINK_LASTS = timedelta(days=1)
MOST_WAITING = 10
NOT_YOURS = N_("Downloads of this artist come with a membership that has them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for: some *tracks* of one release, joined with it and its artist.

    *rights* are by the id of the track, *epoch* was asked before them. *whole* is about a release rather than a track of it, *sleeves* are
    what is written on the files of all its tracks.
    """

    tracks: Sequence[Track]
    rights: Mapping[str, Access]
    epoch: int
    format: Format
    whole: bool
    sleeves: Mapping[str, Sleeve]


def granted(wish: Wish) -> list[Track]:
    """The tracks of the wish that can be had: heard by now, and downloads by this person. Raises what stands in the way of all."""
    ready = [row for row in wish.tracks if row.state == TrackState.READY and row.id in wish.sleeves]
    if not ready:
        raise Conflict(
            N_("There is nothing to download here yet; what the artist sent is still being prepared.")
        )
    may = [row for row in ready if wish.rights[row.id].may_download]
    if not may:
        raise NotAllowed(NOT_YOURS)
    codecs = {formats.codec_of(row) for row in may}
    sensible = formats.offered(codecs)
    if wish.format not in sensible:
        raise Invalid(
            N_(
                "The artist sent this in a lossy format; to make it {wanted} would not make it better. There is {formats}."
            ),
            wanted=wish.format,
            formats=", ".join(sensible),
            field="format",
        )
    return may


def ask(user: User, wish: Wish, *, attempts: int, now: datetime) -> tuple[Download, list[str]]:
    """Grant the wish: count it, and have made what is not there. Returns the download and the ids of the jobs to ``send``.

    The same wish again renews its link. ``NotAllowed`` tells that the right is missing or the month's downloads do not suffice,
    ``Conflict`` that too much is being prepared already.
    """
    rows = granted(wish)
    release = rows[0].release
    with transaction():
        quotas.hold(user)
        quotas.claim(user, rows, wish.rights, now=now)
        same = {"user": user.id, "subject": _subject(wish), "format": wish.format}
        if not Download.get_or_none(**same):
            _require_patience(user)
        values = {
            "release": release.id,
            "whole": wish.whole,
            "epoch": wish.epoch,
            "asked_at": now,
            "expires_at": now + LINK_LASTS,
        }
        Download.insert(**same, **values).on_conflict_ignore().execute()
        Download.update(**values).where(
            *(getattr(Download, key) == value for key, value in same.items())
        ).execute()
        download: Download = Download.get(**same)
        # While a plugin marks each copy, nobody gets another's.
        listener = user.id if hooks.has("mark_download") else ""
        queued = _pin(download, rows, wish, listener=listener, attempts=attempts, now=now)
    return find(download.id), queued


def _pin(
    download: Download,
    rows: Sequence[Track],
    wish: Wish,
    *,
    listener: str,
    attempts: int,
    now: datetime,
) -> list[str]:
    """Make *rows* the items of the download, each with its file; the ids of the jobs to ``send``."""
    DownloadItem.delete().where(DownloadItem.download == download.id).execute()
    queued, chosen, called = [], [], []
    for row in rows:
        codec, sleeve = formats.codec_of(row), wish.sleeves[row.id]
        format = formats.fitting(wish.format, codec)
        file, job_id = files.want(
            row, format, digest=sleeve.digest(), listener=listener, attempts=attempts, now=now
        )
        queued += [job_id] if job_id else []
        chosen.append((row.id, file.id))
        called.append(
            names.track(sleeve.number, sleeve.total, sleeve.title, formats.row(format, codec).ending)
        )
    items = [
        {"download": download.id, "track": track_id, "file": file_id, "position": position, "name": name}
        for position, ((track_id, file_id), name) in enumerate(
            zip(chosen, names.different(called), strict=True), start=1
        )
    ]
    for start in range(0, len(items), 100):
        DownloadItem.insert_many(items[start : start + 100]).execute()
    return queued


def find(download_id: str) -> Download:
    """The download with this id, its release and artist joined; ``NotFound``."""
    query = Download.select(Download, Release, Artist).join(Release).join(Artist)
    found: Download | None = query.where(Download.id == download_id).first()
    if found is None:
        raise NotFound("There is no such download.")
    return found


def own(user: User, download_id: str) -> Download:
    """One's own download; ``NotFound`` for anybody else's."""
    found = find(download_id)
    if found.user_id != user.id:
        raise NotFound("There is no such download.")
    return found


def of(user: User, *, limit: int, before: tuple[datetime, str] | None = None) -> list[Download]:
    """What *user* asked for, the last first; *before* is the (asked_at, id) of the last one seen (keyset)."""
    query = (
        Download.select(Download, Release, Artist).join(Release).join(Artist).where(Download.user == user.id)
    )
    if before is not None:
        asked_at, download_id = before
        earlier = (Download.asked_at < asked_at) | (
            (Download.asked_at == asked_at) & (Download.id < download_id)
        )
        query = query.where(earlier)
    return list(query.order_by(Download.asked_at.desc(), Download.id.desc()).limit(limit))


def items_of(rows: Iterable[Download]) -> dict[str, list[DownloadItem]]:
    """The items of these downloads in their order, with their tracks and files, by one query."""
    found: dict[str, list[DownloadItem]] = {row.id: [] for row in rows}
    if found:
        query = (
            DownloadItem.select(DownloadItem, Track, DownloadFile)
            .join(Track)
            .switch(DownloadItem)
            .join(DownloadFile)
            .where(DownloadItem.download.in_(list(found)))
        )
        for item in query.order_by(DownloadItem.position):
            found[item.download_id].append(item)
    return found


def last_format(user: User) -> Format | None:
    """The format that *user* chose last."""
    row = (
        Download.select(Download.format)
        .where(Download.user == user.id)
        .order_by(Download.asked_at.desc())
        .first()
    )
    return Format(row.format) if row else None


def _require_patience(user: User) -> None:
    waiting = (
        DownloadItem.select(DownloadItem.download)
        .join(Download)
        .switch(DownloadItem)
        .join(DownloadFile)
        .where(Download.user == user.id, DownloadFile.state == FileState.WAITING)
        .distinct()
        .count()
    )
    if waiting >= MOST_WAITING:
        raise Conflict(
            N_("{count} downloads of yours are being prepared; ask for more when some of them are ready."),
            count=waiting,
        )


def _subject(wish: Wish) -> str:
    release_id = wish.tracks[0].release_id
    if not wish.whole:
        return f"track:{wish.tracks[0].id}"
    chosen = hashlib.sha256(" ".join(row.id for row in wish.tracks).encode()).hexdigest()[:16]
    return f"release:{release_id}" + (f":{chosen}" if len(wish.tracks) < len(wish.sleeves) else "")
