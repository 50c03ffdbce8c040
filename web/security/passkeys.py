"""Passkeys on the way in, and who we are to them: the host and the address under which this server is reached."""

import ipaddress
from urllib.parse import urlsplit

from flask import current_app
from flask import flash
from flask import redirect
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_security import login_user

from appliance import clock
from appliance.accounts import passkeys
from appliance.accounts import sessions
from appliance.accounts.passkeys import Party
from appliance.accounts.passkeys import WrongPasskey
from appliance.collective import identity
from web import addresses
from web import rates
from web import sentences
from web.request_cycle import appliance
from web.security import visitors
from web.security.routing import blueprint
from web.security.routing import onward
from web.security.routing import way_back

SIGN_IN = "sign-in"
"""What the challenge of the sign-in page is for."""


def party() -> Party:
    """This server as browsers know it."""
    origin = addresses.root()
    name = identity.current(appliance().settings).name
    return Party(urlsplit(origin).hostname or "", origin, name, appliance().secret)


def possible() -> bool:
    """Whether browsers make passkeys for this address: for names over TLS, and for this machine itself, never for numbers."""
    place = urlsplit(addresses.root())
    try:
        ipaddress.ip_address(place.hostname or "")
    except ValueError:
        return place.scheme == "https" or (place.hostname or "").endswith("localhost")
    return False


@blueprint.app_template_global()
def passkey_to_sign_in() -> str:
    """What the sign-in page gives the browser to ask for a passkey; empty where there can be none."""
    return passkeys.request_options(party(), purpose=SIGN_IN, now=clock.now()) if possible() else ""


@blueprint.post("/sign-in/passkey")
@rates.limited("sign-in")
def by_passkey() -> ResponseReturnValue:
    """Let in whose passkey answers; it was opened by PIN, finger or face, so it counts for both factors."""
    now = clock.now()
    try:
        row = passkeys.authenticate(
            request.form.get("passkey", ""), party=party(), purpose=SIGN_IN, verified=True, now=now
        )
        user = current_app.extensions["security"].datastore.find_user(id=row.user.id)
        if user is None or user.confirmed_at is None:
            raise WrongPasskey
    except WrongPasskey as error:
        sessions.note_failure(None, way="passkey", address=visitors.rough_address(), now=now)
        flash(sentences.told(error), "problem")
        return redirect(onward("security.login"), 303)
    login_user(user, remember="remember" in request.form, authn_via=["passkey"])
    return redirect(way_back() or url_for("people.after_sign_in"), 303)
