"""The pages for listeners: what is new, an artist, a release with its player."""

import time

from flask import Blueprint
from flask import current_app
from flask import render_template
from flask import url_for

from appliance.accounts import people
from appliance.catalog import artists
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import TrackState
from appliance.memberships import access
from web import presentation
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.request_cycle import person
from web.request_cycle import roles

blueprint = Blueprint("storefront", __name__)

ON_A_PAGE = 48
DEMO_ASKED_EVERY_S = 30.0


@blueprint.app_template_global()
def is_demo() -> bool:
    """Whether this node has demo accounts, asked again only now and then: it changes once in a life."""
    known = current_app.extensions.setdefault("musicconnect.demo", {"answer": False, "until_s": 0.0})
    if not known["answer"] and time.monotonic() >= known["until_s"]:
        known.update(answer=people.demo_accounts_exist(), until_s=time.monotonic() + DEMO_ASKED_EVERY_S)
    return bool(known["answer"])


@blueprint.get("/")
def index() -> str:
    """What is new."""
    rows, older = published(None)
    return render_template("index.html", releases=[presentation.release(row) for row in rows], older=older)


@blueprint.get("/@<artist>")
def artist(artist: str) -> str:
    """An artist and what they published."""
    found = artists.find(artist)
    rows, older = published(found)
    standing = access.standing(person(), found, roles=roles())
    return render_template(
        "artist.html",
        artist=found,
        releases=[presentation.release(row) for row in rows],
        older=older,
        ours=standing is not access.Standing.PUBLIC,
    )


@blueprint.get("/@<artist>/<slug>")
def release(artist: str, slug: str) -> str:
    """A release and its player; its draft, for the people behind it."""
    row = releases.find_by_address(artist, slug)
    right = access.require_sight(person(), row, roles=roles())
    rows = tracks.of_release(row)
    ready = [track for track in rows if track.state == TrackState.READY]
    lines = presentation.tracks(ready, right, tracks.renditions_of(ready))
    return render_template(
        "release.html",
        release=presentation.release(row),
        tracks=lines,
        summary=presentation.summary(lines),
        waiting=presentation.waiting(rows),
        ours=right.may_edit,
    )


def published(found: Artist | None) -> tuple[list[Release], str]:
    """A page of public releases, of one artist or of all, and the address of the next page or an empty text."""
    rows = releases.published(limit=ON_A_PAGE + 1, before=cursor_instant(), artist=found)
    if len(rows) <= ON_A_PAGE:
        return rows, ""
    rows = rows[:ON_A_PAGE]
    cursor = cursor_for(rows[-1].published_at.isoformat(), rows[-1].id)
    if found is None:
        return rows, url_for("storefront.index", cursor=cursor)
    return rows, url_for("storefront.artist", artist=found.slug, cursor=cursor)
