"""The door of the admin's pages: who may come in, and what all of these pages share."""

from typing import Any

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import takedowns
from appliance.errors import MusicConnectError
from appliance.errors import NotAllowed
from web import sentences
from web.request_cycle import require_person
from web.request_cycle import roles

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

ON_A_PAGE = 50
SECTIONS = (
    ("overview", lazy_gettext("Overview")),
    ("collective", lazy_gettext("Collective")),
    ("featured", lazy_gettext("Featured")),
    ("people", lazy_gettext("People")),
    ("artists", lazy_gettext("Artists")),
    ("jobs", lazy_gettext("Jobs")),
    ("storage", lazy_gettext("Storage")),
    ("plugins", lazy_gettext("Plugins")),
    ("health", lazy_gettext("Health")),
    ("takedowns", lazy_gettext("Takedowns")),
    ("trail", lazy_gettext("Audit trail")),
)


MODERATED = frozenset({"admin.takedowns", "admin.take_down", "admin.restore"})
"""What moderators may use; every other page is for admins."""


@blueprint.before_request
def only_admins() -> None:
    """No page of this family for anybody else, nor for an API token without the scope ``admin``."""
    if request.endpoint in MODERATED:
        moderator()
    else:
        admin()


def moderator() -> User:
    """The moderator or admin who asks; an error for everybody else."""
    who = require_person(Scope.ADMIN)
    takedowns.require_moderator(roles())
    return who


def admin() -> User:
    """The admin who asks; an error that shows the way in for everybody else."""
    who = require_person(Scope.ADMIN)
    if RoleName.ADMIN not in roles():
        raise NotAllowed("These pages are for the admins of the collective.")
    return who


def page(template: str, section: str, **values: Any) -> str:
    """A page of the admin's, with the way to its neighbours."""
    everything = RoleName.ADMIN in roles()
    tabs = [
        (name, str(text), url_for(f"admin.{name}"))
        for name, text in SECTIONS
        if everything or f"admin.{name}" in MODERATED
    ]
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
