"""The people of an artist: who they are, who is invited, and what each may do."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance import clock
from appliance import jobs
from appliance.accounts.models import User
from appliance.catalog import invitations
from appliance.catalog import members
from appliance.catalog.member_models import ArtistMember
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.collective import identity
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships.access import Standing
from web import addresses
from web import frame
from web import presentation
from web.errors import told
from web.people.routing import artist_for
from web.people.routing import blueprint
from web.people.routing import show_once
from web.people.routing import shown_once
from web.request_cycle import appliance
from web.security import step_up

ROLES = {
    MemberRole.OWNER: lazy_gettext("Owner"),
    MemberRole.MANAGER: lazy_gettext("Manager"),
    MemberRole.CONTRIBUTOR: lazy_gettext("Contributor"),
}
MAY = {
    MemberRole.OWNER: lazy_gettext("Everything, also who else works here."),
    MemberRole.MANAGER: lazy_gettext("Drafts, publishing, private links and the page of the artist."),
    MemberRole.CONTRIBUTOR: lazy_gettext("Drafts: upload, edit and hear them."),
}


@dataclass(frozen=True, slots=True)
class MemberView:
    """One of the artist's people; their address for those who decide about people."""

    id: str
    name: str
    email: str
    role: str
    role_name: str
    since: datetime
    is_owner: bool
    is_you: bool


@dataclass(frozen=True, slots=True)
class InvitationView:
    """Somebody who was asked and has not answered."""

    id: str
    email: str
    role_name: str
    expires_at: datetime


@blueprint.get("/studio/artists/<slug>/people")
def people_of(slug: str) -> str:
    """Everyone who works on the artist."""
    artist, who, standing = artist_for(slug, Standing.CONTRIBUTOR)
    return _page(artist, who, standing)


@blueprint.post("/studio/artists/<slug>/invitations")
def invite(slug: str) -> ResponseReturnValue:
    """Ask somebody; the link to give them is shown one time."""
    artist, who, standing = artist_for(slug, Standing.OWNER)
    now = clock.now()
    try:
        made, link, job_id = invitations.invite_by_mail(
            artist,
            request.form.get("email", ""),
            request.form.get("role", ""),
            actor=who,
            link=lambda token: addresses.root() + url_for("people.invitation", token=token),
            facts={
                "by": name_of(who),
                "until": frame.day((now + invitations.LIFE).date()),
                "collective": identity.current(appliance().settings).name,
            },
            locale=str(get_locale()),
            now=now,
        )
    except (Invalid, Conflict) as error:
        return _page(artist, who, standing, problem=error), 422
    jobs.send(job_id)
    show_once("invitation", f"{artist.id} {made.email} {link}")
    return _back(artist)


@blueprint.post("/studio/artists/<slug>/invitations/<invitation_id>/revoke")
def revoke_invitation(slug: str, invitation_id: str) -> ResponseReturnValue:
    """Take an invitation back."""
    artist, who, _standing = artist_for(slug, Standing.OWNER)
    try:
        invitations.revoke(artist, invitation_id, actor=who, now=clock.now())
    except NotFound:
        # Answered or taken back a moment ago: the page shows how it is now.
        return _back(artist)
    flash(_("The invitation is taken back; its link opens nothing any more."))
    return _back(artist)


@blueprint.post("/studio/artists/<slug>/people/<user_id>")
def change_role(slug: str, user_id: str) -> ResponseReturnValue:
    """Let a member do more, or less."""
    artist, who, _standing = artist_for(slug, Standing.OWNER)
    try:
        members.change_role(artist, user_id, request.form.get("role", ""), actor=who, now=clock.now())
    except (Invalid, Conflict) as error:
        flash(told(error), "problem")
    else:
        flash(_("Saved."))
    return _back(artist)


@blueprint.post("/studio/artists/<slug>/people/<user_id>/remove")
def remove_member(slug: str, user_id: str) -> ResponseReturnValue:
    """Take somebody off."""
    artist, who, _standing = artist_for(slug, Standing.OWNER)
    try:
        members.remove(artist, user_id, actor=who, now=clock.now())
    except Conflict as error:
        flash(told(error), "problem")
    else:
        flash(_("They do not work on %(artist)s any more.", artist=artist.name))
    return _back(artist)


@blueprint.post("/studio/artists/<slug>/leave")
def leave(slug: str) -> ResponseReturnValue:
    """Go by oneself."""
    artist, who, _standing = artist_for(slug, Standing.CONTRIBUTOR)
    try:
        members.remove(artist, who.id, actor=who, now=clock.now())
    except Conflict as error:
        flash(told(error), "problem")
        return _back(artist)
    flash(_("You do not work on %(artist)s any more.", artist=artist.name))
    return redirect(url_for("studio.dashboard"), 303)


@blueprint.post("/studio/artists/<slug>/transfer")
def transfer(slug: str) -> ResponseReturnValue:
    """Hand the artist over, which only the new owner can undo: so it wants a tick."""
    artist, who, standing = artist_for(slug, Standing.OWNER)
    try:
        if request.form.get("sure") != "on":
            raise Invalid("Tick the box: only the new owner can undo this.", field="sure")
        step_up.require()
        members.transfer(artist, request.form.get("person", ""), actor=who, now=clock.now())
    except (Invalid, Conflict, NotFound) as error:
        return _page(artist, who, standing, problem=error), 422
    flash(_("%(artist)s has a new owner.", artist=artist.name))
    return _back(artist)


def name_of(user: User) -> str:
    """How a person is called where their address is nobody's business."""
    return user.display_name or user.email.partition("@")[0]


def _view(row: ArtistMember, who: User, *, decides: bool) -> MemberView:
    role = MemberRole(row.role)
    return MemberView(
        id=row.user_id,
        name=name_of(row.user),
        email=row.user.email if decides or row.user_id == who.id else "",
        role=role,
        role_name=str(ROLES[role]),
        since=row.since,
        is_owner=role is MemberRole.OWNER,
        is_you=row.user_id == who.id,
    )


def _page(artist: Artist, who: User, standing: Standing, *, problem: Exception | None = None) -> str:
    decides = standing.reaches(Standing.OWNER)
    rows = [_view(row, who, decides=decides) for row in members.of_artist(artist)]
    waiting = invitations.of_artist(artist, clock.now()) if decides else []
    for_artist, _blank, rest = shown_once("invitation").partition(" ")
    email, _blank, link = rest.partition(" ") if for_artist == artist.id else ("", "", "")
    return render_template(
        "people/members.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        members=rows,
        invitations=[
            InvitationView(row.id, row.email, str(ROLES[MemberRole(row.role)]), row.expires_at)
            for row in waiting
        ],
        roles={key: name for key, name in ROLES.items() if key is not MemberRole.OWNER},
        may={name: MAY[key] for key, name in ROLES.items()},
        decides=decides,
        may_edit=standing.reaches(Standing.MANAGER),
        may_leave=any(row.is_you and not row.is_owner for row in rows),
        others=[row for row in rows if not row.is_owner],
        sent=request.form,
        problem=problem,
        link=link,
        link_for=email,
    )


def _back(artist: Artist) -> ResponseReturnValue:
    return redirect(url_for("people.people_of", slug=artist.slug), 303)
