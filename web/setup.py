"""The first start: until somebody opens the address that the console printed, every page says that this node is being set up."""

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_security import login_user

from appliance import clock
from appliance.collective import identity
from appliance.collective import setup as first_start
from appliance.collective.setup import Answers
from appliance.collective.setup import WrongToken
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import Unavailable
from web import colours
from web.request_cycle import appliance

blueprint = Blueprint("setup", __name__)

OPEN = frozenset({"health", "frame", "installed"})
"""Families of pages that answer also before: for supervisors, for the looks of this page, and the worker that keeps them."""
FIELDS = ("email", "name", "tagline", "accent")


@blueprint.before_app_request
def closed_until_set_up() -> ResponseReturnValue | None:
    """Lead whoever comes too early to the page that says so; programs get a 503."""
    if first_start.is_over():
        return None
    if request.blueprint in OPEN or request.path in {"/setup", "/metrics"} or request.endpoint == "static":
        return None
    if not first_start.is_waiting():
        return None
    if request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", ""):
        return redirect(url_for("setup.page"), 303)
    raise Unavailable("This node is being set up. Come back soon.")


@blueprint.get("/setup")
def page() -> ResponseReturnValue:
    """The form for who holds the token; for all others, that they are early, or nothing when it is over."""
    token = request.args.get("token", "")
    if not token:
        if first_start.is_waiting():
            answer = _private(render_template("setup_waiting.html"), 503)
            answer.headers["Retry-After"] = "60"
            return answer
        return redirect(url_for("storefront.index"), 303)
    first_start.require(token)
    return _form(token)


@blueprint.post("/setup")
def finish() -> ResponseReturnValue:
    """Make the admin and the collective, and let the admin in."""
    token = request.form.get("token", "")
    answers = Answers(
        password=request.form.get("password", ""),
        registration="registration" in request.form,
        **{name: request.form.get(name, "") for name in FIELDS},
    )
    if not request.form.get("own_accent"):
        answers = Answers(
            answers.email, answers.password, answers.name, answers.tagline, "", answers.registration
        )
    try:
        user = first_start.finish(token, answers, settings=appliance().settings, now=clock.now())
    except WrongToken:
        raise
    except (Invalid, Conflict) as error:
        return _form(token, problem=error, status=422)
    login_user(current_app.extensions["security"].datastore.find_user(id=user.id))
    return redirect(url_for("admin.overview", new="1"), 303)


def _form(token: str, *, problem: Exception | None = None, status: int = 200) -> Response:
    collective = identity.current(appliance().settings)
    stored = {
        "email": "",
        "name": collective.name,
        "tagline": collective.tagline,
        "accent": collective.accent,
    }
    sent = {name: request.form.get(name, value) for name, value in stored.items()}
    return _private(
        render_template(
            "setup.html",
            token=token,
            sent=sent,
            fixed=collective.fixed,
            open_to_all="registration" in request.form if request.form else collective.registration,
            own_accent=bool(request.form.get("own_accent") or collective.accent),
            shown_accent=sent["accent"] or colours.OWN,
            problem=problem,
        ),
        status,
    )


def _private(html: str, status: int) -> Response:
    answer = make_response(html, status)
    # The address holds the token: nothing may keep it, and no other site may learn it. Our own must see where a form comes from.
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
