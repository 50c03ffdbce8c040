"""What the collective says of itself: its about, imprint and privacy pages, each there when there is a text."""

from flask import Blueprint
from flask import render_template
from flask_babel import lazy_gettext

from appliance.collective import identity
from appliance.errors import NotFound
from web.request_cycle import appliance

blueprint = Blueprint("about", __name__)

TITLES = {
    "about": lazy_gettext("About us"),
    "imprint": lazy_gettext("Imprint"),
    "privacy": lazy_gettext("Privacy"),
}


@blueprint.get("/about", defaults={"name": "about"})
@blueprint.get("/imprint", defaults={"name": "imprint"}, endpoint="imprint")
@blueprint.get("/privacy", defaults={"name": "privacy"}, endpoint="privacy")
def about(name: str) -> str:
    """One of the texts."""
    text = getattr(identity.current(appliance().settings), name)
    if not text:
        raise NotFound("There is nothing at this address.")
    return render_template("about.html", heading=str(TITLES[name]), text=text)
