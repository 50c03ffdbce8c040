"""Where one is signed in, and which browsers need not show the second factor: each can be ended."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash
from flask import g
from flask import redirect
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import logout_user

from appliance import clock
from appliance.accounts import people
from appliance.accounts import sessions
from appliance.accounts import trusted_devices
from appliance.errors import NotFound
from web.people.account import owner
from web.people.routing import blueprint


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its person sees it."""

    id: str
    browser: str
    address: str
    since: datetime
    seen_at: datetime
    here: bool


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A trusted browser as its person sees it."""

    id: str
    browser: str
    since: datetime
    until: datetime


@blueprint.get("/account/devices")
def devices() -> str:
    """Where this person is signed in."""
    who, now = owner(), clock.now()
    here = g.get("account_session")
    rows = sessions.of_user(who.id, now=now)
    return render_template(
        "people/devices.html",
        sessions=[
            SessionView(
                id=row.id,
                browser=row.browser or _("A browser without a name"),
                address=row.address,
                since=row.created_at,
                seen_at=row.seen_at,
                here=here is not None and row.id == here.id,
            )
            for row in rows
        ],
        devices=[
            DeviceView(row.id, row.browser or _("A browser without a name"), row.created_at, row.expires_at)
            for row in trusted_devices.of_user(who.id, now=now)
        ],
    )


@blueprint.post("/account/sessions/<session_id>/end")
def end_session(session_id: str) -> ResponseReturnValue:
    """Sign one device out."""
    try:
        sessions.end(owner(), session_id, now=clock.now())
    except NotFound:
        return _back()
    flash(_("That device is signed out."))
    return _back()


@blueprint.post("/account/trusted-devices/<device_id>/forget")
def forget_device(device_id: str) -> ResponseReturnValue:
    """Ask for the second factor there again."""
    try:
        trusted_devices.forget(owner(), device_id, now=clock.now())
    except NotFound:
        return _back()
    flash(_("That browser has to show the second factor again."))
    return _back()


@blueprint.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session, this one too."""
    people.sign_out_everywhere(owner(), now=clock.now())
    logout_user()
    flash(_("You are signed out on all devices."))
    return redirect(url_for("security.login"), 303)


def _back() -> ResponseReturnValue:
    return redirect(url_for("people.devices"), 303)
