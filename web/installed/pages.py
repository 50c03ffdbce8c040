"""The pages that stand without a connection: one that says so, and the list of what is kept on this device."""

from flask import Response
from flask import make_response
from flask import render_template

from web.installed.routing import blueprint
from web.request_cycle import require_person


@blueprint.get("/offline")
def offline() -> Response:
    """What is shown in place of a page that cannot be fetched; the same for everybody, since browsers keep it."""
    answer = make_response(render_template("installed/offline.html"))
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@blueprint.get("/library/offline")
def kept() -> str:
    """What this person keeps on this device; the server does not know, a script asks the browser."""
    require_person()
    return render_template("installed/kept.html")
