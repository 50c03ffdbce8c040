"""Answering an invitation: by its link, or in the studio for whoever signed in with the address it was meant for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import flash
from flask import make_response
from flask import redirect
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.models import User
from appliance.catalog import invitations
from appliance.catalog.member_models import Invitation
from appliance.catalog.member_models import MemberRole
from appliance.errors import Conflict
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from web.errors import told
from web.people.members import MAY
from web.people.members import ROLES
from web.people.members import name_of
from web.people.routing import blueprint
from web.request_cycle import person
from web.request_cycle import require_person


@dataclass(frozen=True, slots=True)
class Waiting:
    """An invitation in the studio of the person it is for; *answerable* without the link."""

    artist: str
    role: str
    expires_at: datetime
    answerable: bool
    accept_url: str
    decline_url: str


@blueprint.get("/invitations/<token>")
def invitation(token: str) -> ResponseReturnValue:
    """What one is invited to, and the next step: sign in, join, or answer."""
    row, who = invitations.find(token), person()
    role, sender = MemberRole(row.role), row.invited_by
    open_ = invitations.waiting(row, clock.now())
    page = render_template(
        "people/invitation.html",
        artist=row.artist.name,
        role=ROLES[role],
        may=MAY[role],
        sender=name_of(sender) if sender else "",
        meant_for=row.email if who and who.email == row.email else masked(row.email),
        expires_at=row.expires_at,
        open=open_,
        yours=who is not None and who.email == row.email,
        signed_in_as=who.email if who else "",
        token=token,
        here=url_for("people.invitation", token=token),
    )
    answer = make_response(page, 200 if open_ else 410)
    # The address of this page is a secret: no index, no store, and no word of it to others.
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@blueprint.post("/invitations/<token>/accept")
def accept(token: str) -> ResponseReturnValue:
    """Yes."""
    who = require_person()
    row = invitations.find(token)
    back = url_for("people.invitation", token=token)
    return _answered(
        lambda: invitations.accept(row, who, link_shown=True, now=clock.now()), _welcome(row), back
    )


@blueprint.post("/invitations/<token>/decline")
def decline(token: str) -> ResponseReturnValue:
    """No."""
    who = require_person()
    row = invitations.find(token)
    back = url_for("people.invitation", token=token)
    return _answered(
        lambda: invitations.decline(row, who, link_shown=True, now=clock.now()), _("You said no."), back
    )


@blueprint.post("/studio/invitations/<invitation_id>/accept")
def accept_waiting(invitation_id: str) -> ResponseReturnValue:
    """Yes, in the studio."""
    row, who = _own(invitation_id)
    back = url_for("studio.dashboard")
    return _answered(
        lambda: invitations.accept(row, who, link_shown=False, now=clock.now()), _welcome(row), back
    )


@blueprint.post("/studio/invitations/<invitation_id>/decline")
def decline_waiting(invitation_id: str) -> ResponseReturnValue:
    """No, in the studio."""
    row, who = _own(invitation_id)
    back = url_for("studio.dashboard")
    return _answered(
        lambda: invitations.decline(row, who, link_shown=False, now=clock.now()), _("You said no."), back
    )


def waiting_for(who: User) -> list[Waiting]:
    """What waits for an answer of this person, for their studio."""
    return [
        Waiting(
            artist=row.artist.name,
            role=str(ROLES[MemberRole(row.role)]),
            expires_at=row.expires_at,
            answerable=invitations.is_known(who, row),
            accept_url=url_for("people.accept_waiting", invitation_id=row.id),
            decline_url=url_for("people.decline_waiting", invitation_id=row.id),
        )
        for row in invitations.for_person(who, clock.now())
    ]


def masked(email: str) -> str:
    """Pure: an address that its owner recognises, and nobody else learns: ``m…@e…``."""
    name, _at, host = email.partition("@")
    return f"{name[:1]}…@{host[:1]}…"


def _own(invitation_id: str) -> tuple[Invitation, User]:
    who = require_person()
    row = invitations.by_id(invitation_id)
    if row.email != who.email:
        raise NotFound("There is no such invitation.")
    return row, who


def _welcome(row: Invitation) -> str:
    return _("Welcome: you work on %(artist)s now.", artist=row.artist.name)


def _answered(act: Callable[[], object], done: str, back: str) -> ResponseReturnValue:
    try:
        act()
    except (Conflict, NotAllowed) as error:
        flash(told(error), "problem")
        return redirect(back, 303)
    flash(done)
    return redirect(url_for("studio.dashboard"), 303)
