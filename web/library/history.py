"""What one heard, day by day, and forgetting it."""

import itertools
from dataclasses import dataclass
from datetime import datetime

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_time
from flask_babel import gettext as _

from appliance.listening import history
from web.api.routing import cursor_instant
from web.frame import back
from web.frame import day
from web.library import lines
from web.library.routing import blueprint
from web.library.routing import page_of
from web.presentation.tracklists import TrackView
from web.request_cycle import require_person

ON_A_PAGE = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """One play: what it was, if one may still know of it, and when."""

    play: str
    at: datetime
    time: str
    track: TrackView | None


@blueprint.get("/library/history")
def heard() -> str:
    """What one heard, newest first, grouped by day (UTC)."""
    who = require_person()
    rows, older = page_of(
        history.of(who, before=cursor_instant(), limit=ON_A_PAGE + 1),
        ON_A_PAGE,
        lambda row: (row.started_at, row.id),
    )
    shown = [
        Heard(row.id, row.started_at, format_time(row.started_at, "short"), track)
        for row, track in zip(rows, lines.of([row.track for row in rows]), strict=True)
    ]
    days = [(day(date), list(plays)) for date, plays in itertools.groupby(shown, lambda one: one.at.date())]
    return render_template("library/history.html", days=days, older=older)


@blueprint.post("/library/history/forget")
def forget() -> ResponseReturnValue:
    """Forget one play, or with ``all`` everything."""
    who = require_person()
    if request.form.get("all"):
        history.forget_all(who)
        flash(_("Your history is empty."))
        return redirect(url_for("library.heard"), 303)
    history.forget(who, request.form.get("play", "")[:36])
    return redirect(back(url_for("library.heard")), 303)
