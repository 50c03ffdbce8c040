"""Keeping a track or release, and following an artist: by a button on any page, also for who has to sign in first."""

from urllib.parse import urlsplit

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import session
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.library import favourites
from appliance.library import follows
from appliance.memberships import access
from web import private_keys
from web.errors import wants_json
from web.frame import back
from web.library.routing import blueprint
from web.request_cycle import person
from web.request_cycle import require_person
from web.request_cycle import roles

WISH = "wish"
"""What somebody wanted who had to sign in first; it lies in their session until they are back."""
KEEP, DROP = "keep", "drop"


@blueprint.post("/library/keep")
def keep() -> ResponseReturnValue:
    """Keep or drop what the button names: ``keep`` or ``drop`` with ``track:ID``, ``release:ID`` or ``artist:SLUG``."""
    who = require_person()
    for verb in (KEEP, DROP):
        if verb in request.form:
            _act(who, verb, request.form[verb])
            return ("", 204) if wants_json() else redirect(back(url_for("library.overview")), 303)
    raise Invalid("This button names nothing to keep.")


@blueprint.get("/library/wish")
def wish() -> ResponseReturnValue:
    """Where the button leads who is not signed in: to sign in, back here, and what they wanted is done.

    Only a page of ours may leave a wish; who comes here otherwise is asked first.
    """
    who = person()
    wanted = request.args.get(KEEP, "")[:120]
    if who is None:
        target = url_for("library.wish", keep=wanted)
        if _from_own_page():
            session[WISH] = {"keep": wanted, "back": back()}
            target = url_for("library.wish")
        return redirect(url_for("security.login", next=target))
    left = session.pop(WISH, None)
    if isinstance(left, dict) and not wanted:
        told = _act(who, KEEP, str(left.get("keep")))
        flash(told)
        return redirect(str(left.get("back")))
    if not wanted:
        return redirect(url_for("library.overview"))
    return render_template("library/wish.html", wanted=wanted, name=_named(who, wanted))


def _from_own_page() -> bool:
    # Without TLS, browsers do not say where a link was followed.
    site = request.headers.get("Sec-Fetch-Site")
    return site == "same-origin" if site else urlsplit(request.referrer or "").netloc == request.host


def _act(who: User, verb: str, what: str) -> str:
    """Do it, and say so; whoever drops a thing need not be able to see it any more."""
    kind, _colon, key = what.partition(":")
    now = clock.now()
    if kind == "track" and verb == DROP:
        favourites.drop_track(who, key)
    elif kind == "release" and verb == DROP:
        favourites.drop_release(who, key)
    elif kind == "track":
        favourites.keep_track(who, seen_track(key), now=now)
    elif kind == "release":
        release = releases.find(key)
        access.require_sight(who, release, roles=roles(), keys=private_keys.shown(), now=clock.now())
        favourites.keep_release(who, release, now=now)
    elif kind == "artist" and verb == DROP:
        follows.unfollow(who, artists.find(key))
    elif kind == "artist":
        follows.follow(who, artists.find(key), now=now)
        return _("You follow this artist now.")
    else:
        raise Invalid("This button names nothing to keep.")
    return _("It is among your favourites.")


def seen_track(track_id: str) -> Track:
    """The track; ``NotFound`` where this person must not know of it."""
    track = tracks.find(track_id)
    right = access.to_track(person(), track, roles=roles(), keys=private_keys.shown(), now=clock.now())
    if not right.may_see or not (right.may_edit or track.state == TrackState.READY):
        raise NotFound("There is no such track.")
    return track


def _named(who: User, what: str) -> str:
    kind, _colon, key = what.partition(":")
    if kind == "track":
        return seen_track(key).title
    if kind == "release":
        release = releases.find(key)
        access.require_sight(who, release, roles=roles(), keys=private_keys.shown(), now=clock.now())
        return release.title
    return artists.find(key).name
