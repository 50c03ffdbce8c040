"""The door of the admin's pages: who may come in, and what all of these pages share."""

import functools
from collections.abc import Callable
from typing import Any
from typing import TypeVar

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance.accounts import permissions
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.accounts.permissions import Permission
from appliance.errors import MusicConnectError
from web import sentences
from web.request_cycle import require_person
from web.request_cycle import roles
from web.request_cycle import second_factor_missing
from web.security.second_step import SecondFactorFirst

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
ON_A_PAGE = 50
SECTIONS = (
    ("overview", lazy_gettext("Overview"), Permission.COLLECTIVE_SEE),
    ("collective", lazy_gettext("Collective"), Permission.COLLECTIVE_CHANGE),
    ("featured", lazy_gettext("Featured"), Permission.FEATURED_CHANGE),
    ("people", lazy_gettext("People"), Permission.PEOPLE_MANAGE),
    ("artists", lazy_gettext("Artists"), Permission.ARTISTS_MANAGE),
    ("payments", lazy_gettext("Payments"), Permission.PAYMENTS_MANAGE),
    ("payouts", lazy_gettext("Payouts"), Permission.PAYMENTS_MANAGE),
    ("jobs", lazy_gettext("Jobs"), Permission.JOBS_MANAGE),
    ("mail", lazy_gettext("Mail"), Permission.MAIL_MANAGE),
    ("storage", lazy_gettext("Storage"), Permission.STORAGE_MANAGE),
    ("plugins", lazy_gettext("Plugins"), Permission.PLUGINS_CHANGE),
    ("health", lazy_gettext("Health"), Permission.COLLECTIVE_SEE),
    ("takedowns", lazy_gettext("Takedowns"), Permission.TAKEDOWNS_MANAGE),
    ("trail", lazy_gettext("Audit trail"), Permission.TRAIL_READ),
)


def get(path: str, needs: Permission) -> Callable[[View], View]:
    """A page of this family, for those who may do what it *needs*: none can be added that does not say it."""
    return _route("GET", path, needs)


def post(path: str, needs: Permission) -> Callable[[View], View]:
    """A form of this family, for those who may do what it *needs*."""
    return _route("POST", path, needs)


def _route(method: str, path: str, needs: Permission) -> Callable[[View], View]:
    def register(view: View) -> View:
        @functools.wraps(view)
        def guarded(**values: Any) -> ResponseReturnValue:
            actor()
            permissions.require(roles(), needs)
            return view(**values)

        blueprint.add_url_rule(path, view_func=guarded, methods=[method])
        return view

    return register


def actor() -> User:
    """Who asks; an error that shows the way in for nobody, for an API token without the scope ``admin``, and without a second factor."""
    who = require_person(Scope.ADMIN)
    if second_factor_missing():
        raise SecondFactorFirst
    return who


def page(template: str, section: str, **values: Any) -> str:
    """A page of the admin's, with the way to those of its neighbours that are open to who asks."""
    may = permissions.held(roles())
    tabs = [(name, str(text), url_for(f"admin.{name}")) for name, text, needs in SECTIONS if needs in may]
    return render_template(f"admin/{template}.html", tabs=tabs, section=section, **values)


def done(sentence: str, endpoint: str, **where: Any) -> ResponseReturnValue:
    """Say what happened and go on."""
    flash(sentence)
    return redirect(url_for(endpoint, **where), 303)


def refused(error: MusicConnectError, endpoint: str, **where: Any) -> ResponseReturnValue:
    """Say why it did not happen, where the act was asked for."""
    flash(sentences.told(error), "problem")
    return redirect(url_for(endpoint, **where), 303)


def sliced(rows: list[Any], endpoint: str, **where: Any) -> tuple[list[Any], str]:
    """One page of *rows*, which hold one more than fits when there are more, and the address of the next."""
    if len(rows) <= ON_A_PAGE:
        return rows, ""
    shown = rows[:ON_A_PAGE]
    kept = {name: value for name, value in where.items() if value}
    return shown, url_for(endpoint, before=shown[-1].id, **kept)


def cursor() -> str | None:
    """Behind which row the page begins."""
    return request.args.get("before") or None


def sent(name: str) -> str:
    """A field of the form, without the blanks around it."""
    return request.form.get(name, "").strip()


def told_role(name: str) -> str:
    """A role as people read it."""
    known = {
        "admin": _("Admin"),
        "moderator": _("Moderator"),
        "artist": _("Artist"),
        "listener": _("Listener"),
    }
    return known.get(name, name)
