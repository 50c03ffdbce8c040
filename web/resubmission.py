"""A form that is sent twice makes one thing: the second answer is the redirect of the first."""

from flask import Flask
from flask import Response
from flask import g
from flask import redirect
from flask import request
from flask import session
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance import idempotency
from appliance.database import new_id

FIELD = "form_token"
NO_FORMS = frozenset({"api", "webhooks"})
"""Families of programs: to look for a field would read the body away from them."""


def register(app: Flask) -> None:
    """Watch the forms of *app*; after the protection against forged ones."""
    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(give_up)
    app.jinja_env.globals["new_form_token"] = new_id


def begin() -> ResponseReturnValue | None:
    """Let the first through; answer the second with where the first one led."""
    if request.method != "POST" or request.routing_exception is not None or request.blueprint in NO_FORMS:
        return None
    token = request.form.get(FIELD, "")
    if not 10 <= len(token) <= 64:
        return None
    owner = str(session.get("_user_id") or session.get("csrf_token") or "")
    name = idempotency.digest(token, owner=owner, act=f"{request.endpoint} {request.path}")
    location, begun_at = idempotency.begin_or_wait(name, now=clock.now)
    if location:
        return redirect(location, 303)
    g.form_sent = name, begun_at
    return None


def finish(response: Response) -> Response:
    """Remember where a form that was taken led; one that was refused may be sent again."""
    if 300 <= response.status_code < 400 and response.location and "form_sent" in g:
        name, _begun_at = g.pop("form_sent")
        idempotency.end(name, response.location)
    give_up(None)
    return response


def give_up(error: BaseException | None) -> None:
    """Free the key of a form that made nothing, or whose answer never came to be."""
    if "form_sent" in g:
        name, begun_at = g.pop("form_sent")
        idempotency.give_back(name, begun_at=begun_at)
