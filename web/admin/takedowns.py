"""What was taken down: by moderators too, to whom nothing else of these pages is open."""

from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.permissions import Permission
from appliance.catalog import takedowns as domain
from appliance.catalog.takedowns import Takedown
from appliance.errors import Conflict
from appliance.errors import Invalid
from web import addresses
from web.admin import entrance


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is down, as the list shows it."""

    kind: str
    key: str
    title: str
    artist: str
    url: str
    reason: str
    at: datetime


@entrance.get("/takedowns", Permission.TAKEDOWNS_MANAGE)
def takedowns() -> str:
    """What is down now, last first, and a form to take something down."""
    return _page()


@entrance.post("/takedowns", Permission.TAKEDOWNS_MANAGE)
def take_down() -> ResponseReturnValue:
    """Take down what the form names by its address or id."""
    actor = entrance.actor()
    try:
        row = domain.named(entrance.sent("what"))
        domain.take_down(row, request.form.get("reason", ""), actor=actor, now=clock.now())
    except (Conflict, Invalid) as error:
        return _page(problem=error), 422
    return entrance.done(_("“%(title)s” is down; nobody hears it.", title=row.title), "admin.takedowns")


@entrance.post("/takedowns/<any(release, track):kind>/<key>/restore", Permission.TAKEDOWNS_MANAGE)
def restore(kind: str, key: str) -> ResponseReturnValue:
    """Give it back."""
    row = domain.find(kind, key)
    domain.restore(row, actor=entrance.actor(), now=clock.now())
    return entrance.done(_("“%(title)s” is back as it was.", title=row.title), "admin.takedowns")


def _page(*, problem: Exception | None = None) -> str:
    found = domain.standing(before=entrance.cursor(), limit=entrance.ON_A_PAGE + 1)
    rows, older = entrance.sliced(found, "admin.takedowns")
    return entrance.page(
        "takedowns",
        "takedowns",
        lines=[_line(row) for row in rows],
        older=older,
        longest=domain.LONGEST_REASON,
        sent=request.form,
        problem=problem,
    )


def _line(row: Takedown) -> Line:
    if row.track_id:
        track = row.track
        return Line(
            "track",
            track.id,
            track.title,
            track.release.artist.name,
            addresses.track_page(track),
            row.reason,
            row.taken_at,
        )
    release = row.release
    return Line(
        "release",
        release.id,
        release.title,
        release.artist.name,
        addresses.release_page(release),
        row.reason,
        row.taken_at,
    )
