"""The members of an artist: who is one, in which tier and until when; given by hand, changed, ended."""

from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.catalog.models import Artist
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships import granting
from appliance.memberships import subscriptions
from appliance.memberships import tiers
from appliance.memberships.decision import runs
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import TierKind
from appliance.memberships.subscription_states import Stage
from web import presentation
from web import rates
from web.people.routing import artist_with_money
from web.presentation import subscriptions as subscription_views
from web.presentation.tiers import ORIGINS
from web.sentences import told
from web.studio import forms
from web.studio.routing import blueprint

ON_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class MembershipView:
    """A member as the artist's people see them; *last* is the last whole day of the membership, empty for good."""

    id: str
    name: str
    email: str
    tier: str
    tier_name: str
    origin: str
    since: datetime
    last: str
    note: str
    over: bool
    given: bool
    state: str
    version: int


@blueprint.get("/artists/<slug>/members")
def members(slug: str) -> str:
    """Who is a member, newest first, and a form to make somebody one."""
    artist, _who = artist_with_money(slug)
    return _page(artist)


@blueprint.post("/artists/<slug>/members")
@rates.limited("grants")
def grant_membership(slug: str) -> ResponseReturnValue:
    """Make somebody a member."""
    artist, who = artist_with_money(slug)
    try:
        made = granting.grant(
            artist,
            request.form.get("email", ""),
            tier_id=request.form.get("tier", ""),
            origin=request.form.get("origin", ""),
            through=_through(request.form.get("last", "")),
            note=request.form.get("note", ""),
            actor=who,
            now=clock.now(),
        )
    except (Invalid, Conflict, NotFound) as error:
        return _page(artist, problem=error), 422
    flash(_("%(email)s is a member now: %(tier)s.", email=made.user.email, tier=_(made.tier.name)))
    return _back(artist)


@blueprint.post("/artists/<slug>/members/<membership_id>")
def change_membership(slug: str, membership_id: str) -> ResponseReturnValue:
    """Another tier, another end."""
    artist, who = artist_with_money(slug)
    row = granting.find(artist, membership_id)
    fields: dict[str, object] = {
        name: request.form[name] for name in ("tier", "note") if name in request.form
    }
    try:
        # The same day as before is no change of the hour.
        if "last" in request.form and request.form["last"].strip() != _last(row):
            fields["paid_through"] = _through(request.form["last"])
        granting.change(row, fields, actor=who, now=clock.now(), made_from=forms.made_from())
    except (Invalid, Conflict, Stale) as error:
        flash(told(error), "problem")
    else:
        flash(_("Saved."))
    return _back(artist)


@blueprint.post("/artists/<slug>/members/<membership_id>/end")
def end_membership(slug: str, membership_id: str) -> ResponseReturnValue:
    """End it now."""
    artist, who = artist_with_money(slug)
    row = granting.find(artist, membership_id)
    try:
        granting.end(row, actor=who, now=clock.now())
    except Conflict as error:
        flash(told(error), "problem")
    else:
        flash(_("The membership of %(email)s is over.", email=row.user.email))
    return _back(artist)


def _through(text: str) -> datetime | None:
    """The end of the day that was written; none for an empty field."""
    if not text.strip():
        return None
    try:
        last = date.fromisoformat(text.strip())
        return datetime.combine(last, time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise Invalid("Write the day like this: 2026-12-31.", field="paid_through") from error


def _last(row: Membership) -> str:
    """The last whole day of a membership, as the field for it has it."""
    if row.paid_through is None:
        return ""
    return (row.paid_through - timedelta(microseconds=1)).date().isoformat()


def _view(row: Membership, states: dict[str, Stage]) -> MembershipView:
    return MembershipView(
        id=row.id,
        name=row.user.display_name or row.user.email.partition("@")[0],
        email=row.user.email,
        tier=row.tier_id,
        tier_name=_(row.tier.name),
        origin=str(ORIGINS[Origin(row.origin)]),
        since=row.created_at,
        last=_last(row),
        note=row.note,
        over=not runs(row.paid_through, clock.now()),
        given=row.origin in granting.GIVEN,
        state=subscription_views.state_word(states[row.id]) if row.id in states else "",
        version=row.version,
    )


def _page(artist: Artist, *, problem: Exception | None = None) -> str:
    before = request.args.get("before") or None
    rows = granting.of_artist(artist, limit=ON_A_PAGE + 1, before=before)
    more, rows = len(rows) > ON_A_PAGE, rows[:ON_A_PAGE]
    states = subscriptions.stages([row.id for row in rows if row.origin == Origin.PAID])
    open_tiers = [row for row in tiers.of_artist(artist) if row.kind != TierKind.FREE]
    return render_template(
        "studio/members.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        members=[_view(row, states) for row in rows],
        tiers=[(row.id, _(row.name)) for row in open_tiers],
        origins={origin: ORIGINS[origin] for origin in granting.GIVEN},
        longest=granting.LONGEST_NOTE,
        older=url_for("studio.members", slug=artist.slug, before=rows[-1].id) if more else "",
        first=before is None,
        sent=request.form,
        problem=problem,
    )


def _back(artist: Artist) -> ResponseReturnValue:
    return redirect(url_for("studio.members", slug=artist.slug), 303)
