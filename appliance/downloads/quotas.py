"""How many downloads of an artist a membership comes with, month by month (UTC).

A download is counted when it is granted, not when it is fetched: the same track again in the same month, in any format, costs
nothing. What could not be made is given back.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance import database
from appliance.accounts.models import User
from appliance.catalog.models import Track
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadFile
from appliance.downloads.models import DownloadGrant
from appliance.downloads.models import DownloadItem
from appliance.downloads.models import FileState
from appliance.errors import N_
from appliance.errors import NotAllowed
from appliance.memberships.access import Access


class NoneLeft(NotAllowed):
    """What is left of the month's downloads does not suffice."""


def month_of(now: datetime) -> str:
    """The month that counts at this instant."""
    return f"{now:%Y-%m}"


def hold(user: User) -> None:
    """Let no other request of *user* count until the transaction ends."""
    database.locked(User.select(User.id).where(User.id == user.id)).get()


def claim(user: User, rows: Iterable[Track], rights: Mapping[str, Access], *, now: datetime) -> None:
    """Count what of *rows*, their releases joined, is counted and was not yet; ``NoneLeft`` when it is more than is left.

    Call it inside the transaction of the grant, after ``hold``: all of it is counted or nothing.
    """
    month = month_of(now)
    spent = _spent(user, month)
    for row in rows:
        most = rights[row.id].downloads_a_month
        of_artist = spent.setdefault(row.release.artist_id, set())
        if most is None or row.id in of_artist:
            continue
        if len(of_artist) >= most:
            raise NoneLeft(
                N_(
                    "You have {most} downloads of this artist a month, and this would be more. The next month begins at midnight (UTC) "
                    "after its last day."
                ),
                most=most,
            )
        of_artist.add(row.id)
        DownloadGrant.create(
            user=user.id, artist=row.release.artist_id, track=row.id, month=month, granted_at=now
        )


def left(user: User, artist_id: str, most: int | None, *, now: datetime) -> int | None:
    """How many downloads of the artist are left this month, None for as many as one likes; by one query at most."""
    return None if most is None else max(0, most - len(_spent(user, month_of(now)).get(artist_id, ())))


def spent_on(user: User, *, now: datetime) -> Mapping[str, set[str]]:
    """The ids of the tracks that downloads were spent on this month, by the id of the artist."""
    return _spent(user, month_of(now))


def give_back(file: DownloadFile) -> None:
    """Give back what was spent on a file that could not be made, to everybody who got the track in no other; in the transaction of the caller."""
    items: Any = (
        DownloadItem.select(Download.user, DownloadItem.track, Download.asked_at)
        .join(Download)
        .where(DownloadItem.file == file.id)
    )
    for user_id, track_id, asked_at in list(items.tuples()):
        others = (
            DownloadItem.select()
            .join(Download)
            .switch(DownloadItem)
            .join(DownloadFile)
            .where(
                Download.user == user_id,
                DownloadItem.track == track_id,
                DownloadFile.state != FileState.FAILED,
                DownloadFile.id != file.id,
            )
        )
        if not others.exists():
            DownloadGrant.delete().where(
                DownloadGrant.user == user_id,
                DownloadGrant.track == track_id,
                DownloadGrant.month == month_of(asked_at),
            ).execute()


def expire(*, now: datetime) -> int:
    """Forget what was spent more than a year ago, and return how much that was."""
    oldest = f"{now.year - 1}-{now:%m}"
    return int(DownloadGrant.delete().where(DownloadGrant.month < oldest).execute())


def _spent(user: User, month: str) -> dict[str, set[str]]:
    query: Any = DownloadGrant.select(DownloadGrant.artist, DownloadGrant.track).where(
        DownloadGrant.user == user.id, DownloadGrant.month == month
    )
    found: dict[str, set[str]] = {}
    for artist_id, track_id in query.tuples():
        found.setdefault(artist_id, set()).add(track_id)
    return found
