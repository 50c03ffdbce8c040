"""Downloads for programs: asked for, listed, and the address to fetch each from."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from flask import Response
from flask import jsonify
from flask import url_for

from appliance import clock
from appliance.accounts.models import Scope
from appliance.downloads import formats
from appliance.downloads import links
from appliance.downloads import orders
from appliance.downloads import progress
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadItem
from appliance.downloads.progress import Progress
from appliance.downloads.progress import Stage
from appliance.errors import Invalid
from web import addresses
from web import rates
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.api.routing import limit
from web.downloads import wishes
from web.request_cycle import appliance
from web.request_cycle import require_person


@blueprint.post("/tracks/<track_id>/downloads")
@rates.limited("downloads")
def download_track(track_id: str) -> tuple[Response, int]:
    """Ask for a track as a file."""
    require_person()
    return _asked(wishes.track(track_id, formats.read(body(required=("format",))["format"])))


@blueprint.post("/releases/<release_id>/downloads")
@rates.limited("downloads")
def download_release(release_id: str) -> tuple[Response, int]:
    """Ask for a release, or some of its tracks, as a zip."""
    require_person()
    sent = body(required=("format",))
    return _asked(wishes.release(release_id, formats.read(sent["format"]), only=_chosen(sent)))


@blueprint.get("/downloads")
def downloads() -> Response:
    """What one asked for, the last first."""
    who, most = require_person(Scope.READ), limit()
    rows = orders.of(who, limit=most + 1, before=cursor_instant())
    last = rows[most - 1] if len(rows) > most else None
    return jsonify(
        items=_shown(rows[:most]),
        next_cursor=cursor_for(last.asked_at.isoformat(), last.id) if last else None,
    )


@blueprint.get("/downloads/<download_id>")
def show_download(download_id: str) -> Response:
    """How far one of them is."""
    return jsonify(_shown([orders.own(require_person(Scope.READ), download_id)])[0])


def _asked(download: Download) -> tuple[Response, int]:
    answer = jsonify(_shown([download])[0])
    answer.headers["Location"] = url_for("api.show_download", download_id=download.id)
    return answer, 202


def _chosen(sent: Mapping[str, Any]) -> list[str]:
    ids = sent.get("tracks", [])
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise Invalid("'tracks' is a list of the ids of tracks.", field="tracks")
    return ids


def _shown(rows: Sequence[Download]) -> list[dict[str, Any]]:
    items = orders.items_of(rows)
    stages = progress.of(items, rows, now=clock.now())
    return [_represented(row, items[row.id], stages[row.id]) for row in rows]


def _represented(row: Download, items: Sequence[DownloadItem], stage: Progress) -> dict[str, Any]:
    ready = stage.stage is Stage.READY
    token = links.token(row, secret=appliance().secret)
    return {
        "id": row.id,
        "release": row.release_id,
        "tracks": [item.track_id for item in items],
        "format": row.format,
        "stage": stage.stage,
        "progress": round(stage.made, 3),
        "problem": stage.problem or None,
        "size_bytes": stage.size_bytes if ready else None,
        "url": f"{addresses.root()}{url_for('downloads.fetch', token=token)}" if ready else None,
        "asked_at": row.asked_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
    }
