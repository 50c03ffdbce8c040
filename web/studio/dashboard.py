"""The entrance of the studio: the artists of this person, and their releases by what state they are in."""

from dataclasses import dataclass
from datetime import timedelta

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance import clock
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.listening import counting
from appliance.memberships import access
from appliance.memberships import founding
from web import presentation
from web.people.invitations import waiting_for
from web.presentation import desk
from web.request_cycle import require_person
from web.request_cycle import roles
from web.studio.routing import blueprint

FIRST, ON_A_PAGE = 12, 48
DAYS = 30
SHELVES = {
    ReleaseState.DRAFT: lazy_gettext("In the making"),
    ReleaseState.SCHEDULED: lazy_gettext("Scheduled"),
    ReleaseState.PUBLISHED: lazy_gettext("Published"),
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Releases in one state, and where the older ones are."""

    title: str
    rows: list[desk.DeskRow]
    more: str


@blueprint.get("")
def dashboard() -> str:
    """The artists of this person and their releases."""
    return _page(require_person(Scope.READ))


@blueprint.get("/releases")
def shelf() -> str:
    """All releases in one state, page by page."""
    who = require_person(Scope.READ)
    state = request.args.get("state", "")
    if state not in set(ReleaseState):
        raise NotFound("There is nothing at this address.")
    mine = artists.run_by(who)
    before = request.args.get("before") or None
    shown = _shelf(mine, ReleaseState(state), limit=ON_A_PAGE, before=before, who=who)
    return render_template("studio/shelf.html", shelf=shown, many=len(mine) > 1, paged=before is not None)


@blueprint.post("/artists")
def create_artist() -> ResponseReturnValue:
    """A new artist."""
    owner = require_person()
    try:
        artist = founding.found(
            owner,
            name=request.form.get("name", ""),
            slug=request.form.get("slug", "").strip().lower(),
            now=clock.now(),
        )
    except (Invalid, Conflict) as error:
        return _page(owner, problem=error), 422
    flash(_("%(name)s is ready. Now make a release.", name=artist.name))
    return redirect(url_for("studio.dashboard"), 303)


@blueprint.post("/artists/<slug>/releases")
def create_release(slug: str) -> ResponseReturnValue:
    """A new draft."""
    return _create(require_person(), slug)


@blueprint.post("/releases")
def create_release_for() -> ResponseReturnValue:
    """A new draft of the artist that the form names."""
    return _create(require_person(), request.form.get("artist", ""))


def _create(who: User, slug: str) -> ResponseReturnValue:
    artist = artists.find(slug)
    access.require_artist(who, artist, roles=roles())
    fields = {name: request.form[name] for name in ("title", "kind") if name in request.form}
    try:
        row = releases.create(artist, fields, now=clock.now())
    except Invalid as error:
        return _page(who, problem=error), 422
    return redirect(url_for("studio.release", release_id=row.id), 303)


def _page(who: User, *, problem: Exception | None = None) -> str:
    mine = artists.run_by(who)
    shelves = [_shelf(mine, state, limit=FIRST, before=None, who=who) for state in SHELVES] if mine else []
    since = clock.now().date() - timedelta(days=DAYS - 1)
    plays = counting.totals_of_artists(mine, since=since)
    standings = access.standings(who, mine, roles=roles())
    return render_template(
        "studio/dashboard.html",
        artists=[
            desk.artist_card(row, may_edit=standings[row.id].reaches(access.Standing.MANAGER)) for row in mine
        ],
        choices=[(row.slug, row.name) for row in mine],
        shelves=[shelf for shelf in shelves if shelf.rows],
        kinds=presentation.KINDS,
        problem=problem,
        sent=request.form,
        plays=sum(plays.values()),
        days=DAYS,
        invitations=waiting_for(who),
    )


def _shelf(mine: list[Artist], state: ReleaseState, *, limit: int, before: str | None, who: User) -> Shelf:
    rows = releases.of_artists_in(mine, state, limit=limit + 1, before=before)
    more, rows = len(rows) > limit, rows[:limit]
    return Shelf(
        title=str(SHELVES[state]),
        rows=_rows(rows),
        more=url_for("studio.shelf", state=state, before=rows[-1].id) if more else "",
    )


def _rows(rows: list[Release]) -> list[desk.DeskRow]:
    states = tracks.states(rows)
    plays = counting.totals_of_releases(rows)
    now = clock.now()
    return [desk.row(row, states.get(row.id, {}), plays.get(row.id, 0), now=now) for row in rows]
