"""The list of one's downloads: what is ready, what is being prepared, what ended, and how many are left this month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import render_template
from flask import request
from flask import url_for

from appliance import clock
from appliance.accounts.models import User
from appliance.catalog.models import Track
from appliance.downloads import formats
from appliance.downloads import links
from appliance.downloads import orders
from appliance.downloads import progress
from appliance.downloads import quotas
from appliance.downloads.formats import Format
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadItem
from appliance.downloads.progress import Progress
from appliance.downloads.progress import Stage
from appliance.memberships import access
from web import addresses
from web import colours
from web import presentation
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.downloads import offers
from web.downloads.routing import blueprint
from web.presentation.pictures import Cover
from web.request_cycle import appliance
from web.request_cycle import require_person
from web.request_cycle import roles

ON_A_PAGE = 30


@dataclass(frozen=True, slots=True)
class DownloadView:
    """A line of the list; *link* is empty unless it is ready."""

    id: str
    title: str
    url: str
    artist: str
    artist_url: str
    colour: str
    cover: Cover | None
    format: str
    stage: str
    percent: int
    size: str
    problem: str
    link: str
    expires_at: datetime


@blueprint.get("/library/downloads")
def own_downloads() -> str:
    """The list, with what is left of each artist's downloads."""
    return render_template("downloads/list.html", **_listed(require_person()))


@blueprint.get("/library/downloads/list")
def list_alone() -> str:
    """The list alone, for the script that keeps it fresh."""
    return render_template("downloads/_lines.html", **_listed(require_person()))


def _listed(who: User) -> dict[str, object]:
    now = clock.now()
    rows = orders.of(who, before=cursor_instant(), limit=ON_A_PAGE + 1)
    last = rows[ON_A_PAGE - 1] if len(rows) > ON_A_PAGE else None
    rows = rows[:ON_A_PAGE]
    items = orders.items_of(rows)
    stages = progress.of(items, rows, now=now)
    shown = [_view(row, items[row.id], stages[row.id]) for row in rows]
    cursor = cursor_for(last.asked_at.isoformat(), last.id) if last else ""
    return {
        "downloads": shown,
        "preparing": any(stage.stage is Stage.PREPARING for stage in stages.values()),
        "start": next((view.link for view in shown if view.id == request.args.get("start")), ""),
        "left": _left(who, rows, items, now=now),
        "older": url_for("downloads.own_downloads", cursor=cursor) if cursor else "",
    }


def _view(row: Download, items: Sequence[DownloadItem], stage: Progress) -> DownloadView:
    release = row.release
    track = items[0].track if items and not row.whole else None
    page = addresses.release_page(release)
    ready = stage.stage is Stage.READY
    codec = formats.codec_of(track) if track else ""
    return DownloadView(
        id=row.id,
        title=track.title if track else release.title,
        url=f"{page}/{track.slug}" if track else page,
        artist=release.artist.name,
        artist_url=addresses.artist_page(release.artist),
        colour=release.colour or colours.of_name(release.id),
        cover=presentation.cover(release),
        format=formats.row(Format(row.format), codec).name,
        stage=stage.stage,
        percent=int(100 * stage.made),
        size=presentation.size(stage.size_bytes) if ready else "",
        problem=stage.problem,
        link=url_for("downloads.fetch", token=links.token(row, secret=appliance().secret)) if ready else "",
        expires_at=row.expires_at,
    )


def _left(
    who: User, rows: Sequence[Download], items: dict[str, list[DownloadItem]], *, now: datetime
) -> list[tuple[str, str, str]]:
    """Name and page of each artist of the list, and what is left of their downloads this month."""
    asked: dict[str, Track] = {}
    for row in rows:
        for item in items[row.id][:1]:
            item.track.release = row.release
            asked.setdefault(row.release.artist_id, item.track)
    rights = access.to_tracks(who, asked.values(), roles=roles(), now=now)
    spent = quotas.spent_on(who, now=now)
    found = []
    for artist_id, track in asked.items():
        right, artist = rights[track.id], track.release.artist
        if right.may_download:
            most = right.downloads_a_month
            number = None if most is None else max(0, most - len(spent.get(artist_id, ())))
            found.append((artist.name, addresses.artist_page(artist), offers.left(number, most)))
    return found
