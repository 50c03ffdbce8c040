"""The blueprint of the pages on the way in, and the ways that lead on from them."""

from flask import Blueprint
from flask import redirect
from flask import render_template
from flask import request
from flask import session
from flask import url_for
from flask.typing import ResponseReturnValue

from appliance import mail

blueprint = Blueprint("sign_in", __name__)

ONWARD = "onward"
"""Where in the session stands where one wanted to go before one joined."""


@blueprint.app_template_global()
def onward(endpoint: str) -> str:
    """The address of the form of *endpoint*, with the way back to where one came from, if that is a page of ours."""
    return url_for(endpoint, next=way_back() or None)


def way_back() -> str:
    """The page of ours that this one is to lead back to; empty without one."""
    return own_page(request.args.get("next", ""))


def own_page(there: str) -> str:
    """Pure: *there* where it is the path of a page of ours, else nothing."""
    # Two slashes begin the name of another host (RFC 3986, 4.2), and browsers read a backslash as a slash.
    ours = there.startswith("/") and not there.startswith(("//", "/\\")) and there.isprintable()
    return there if ours else ""


@blueprint.get("/register/letter")
def letter() -> str:
    """That a letter is on its way, whoever has joined, or tried to."""
    return render_template("security/letter.html", by_mail=mail.is_set())


@blueprint.get("/confirmed")
def confirmed() -> ResponseReturnValue:
    """From the letter to the sign-in page, and from there to where one wanted to go."""
    return redirect(url_for("security.login", next=session.pop(ONWARD, "/welcome")), 303)
