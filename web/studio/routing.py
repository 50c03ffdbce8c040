"""The blueprint of the studio, and what all its views ask first: which release or track, and may this person do that."""

from collections.abc import Callable

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import url_for
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.memberships import access
from web.request_cycle import require_person
from web.request_cycle import roles
from web.sentences import told

blueprint = Blueprint("studio", __name__, url_prefix="/studio")


def editable(release_id: str) -> tuple[Release, User]:
    """The release, and who is asking; an error unless they may change it."""
    who = require_person()
    row = releases.find(release_id)
    access.require_edit(who, row, roles=roles(), now=clock.now())
    return row, who


def publishable(release_id: str) -> Release:
    """The release; an error unless who is asking may decide when and to whom it is open."""
    who = require_person()
    row = releases.find(release_id)
    access.require_publish(who, row, roles=roles(), now=clock.now())
    return row


def visible(release_id: str) -> tuple[Release, User, access.Access]:
    """The release, who is asking, and their rights; an error unless they stand behind its artist."""
    who = require_person()
    row = releases.find(release_id)
    access.require_sight(who, row, roles=roles(), now=clock.now())
    access.require_artist(who, row.artist, roles=roles())
    return row, who, access.to_release(who, row, roles=roles(), now=clock.now())


def editable_track(track_id: str) -> tuple[Track, User]:
    """The track, and who is asking; an error unless they may change it."""
    who = require_person()
    track = tracks.find(track_id)
    access.require_edit(who, track, roles=roles(), now=clock.now())
    return track, who


def attempt(row: Release, act: Callable[[], object], done: str) -> ResponseReturnValue:
    """Do it and go back to the bench of the release, with what is *done* or why it is not."""
    try:
        act()
    except (Invalid, Conflict) as error:
        return refused(row, told(error))
    flash(done)
    return back_to(row)


def refused(row: Release, sentence: str) -> ResponseReturnValue:
    """Back to the bench of the release, with why it did not go."""
    flash(sentence, "problem")
    return back_to(row)


def back_to(row: Release) -> ResponseReturnValue:
    """The bench of the release."""
    return redirect(url_for("studio.release", release_id=row.id), 303)
