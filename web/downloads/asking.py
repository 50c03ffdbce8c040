"""Asking for a download by a plain form: what is there already is sent at once, for the rest one is led to the list."""

from collections.abc import Callable

from flask import flash
from flask import redirect
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.downloads import formats
from appliance.downloads import links
from appliance.downloads import orders
from appliance.downloads import progress
from appliance.downloads.models import Download
from appliance.downloads.progress import Stage
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from web import rates
from web.downloads import wishes
from web.downloads.routing import blueprint
from web.frame import back
from web.request_cycle import NotSignedIn
from web.request_cycle import appliance
from web.request_cycle import require_person
from web.sentences import told

TURBO = "text/vnd.turbo-stream.html"


@blueprint.post("/downloads/tracks/<track_id>")
@rates.limited("downloads")
def ask_for_track(track_id: str) -> ResponseReturnValue:
    """A track in the format of the form."""
    return _answered(lambda: wishes.track(track_id, formats.read(request.form.get("format"))))


@blueprint.post("/downloads/releases/<release_id>")
@rates.limited("downloads")
def ask_for_release(release_id: str) -> ResponseReturnValue:
    """A release in the format of the form."""
    return _answered(lambda: wishes.release(release_id, formats.read(request.form.get("format"))))


@blueprint.post("/library/downloads/<download_id>/again")
@rates.limited("downloads")
def ask_again(download_id: str) -> ResponseReturnValue:
    """What ended or failed, once more."""
    return _answered(lambda: wishes.again(orders.own(require_person(), download_id)))


def _answered(ask: Callable[[], Download]) -> ResponseReturnValue:
    try:
        download = ask()
    except NotSignedIn:
        raise
    except (Conflict, Invalid, NotAllowed) as error:
        flash(told(error), "problem")
        return redirect(back(url_for("downloads.own_downloads")), 303)
    items = orders.items_of([download])
    if progress.of(items, [download], now=clock.now())[download.id].stage is Stage.READY:
        if TURBO in request.headers.get("Accept", ""):
            # A script follows the redirect, and could do nothing with a file; the list starts it, and the music plays on.
            return redirect(url_for("downloads.own_downloads", start=download.id), 303)
        token = links.token(download, secret=appliance().secret)
        return redirect(url_for("downloads.fetch", token=token), 303)
    flash(_("Your download is being prepared. It is ready on this page in a moment, and for a day."))
    return redirect(url_for("downloads.own_downloads"), 303)
