"""People and their roles."""

from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts import roles
from appliance.accounts.models import RoleName
from appliance.accounts.permissions import Permission
from appliance.errors import Conflict
from appliance.errors import Invalid
from web.admin import entrance
from web.security import step_up


@dataclass(frozen=True, slots=True)
class Line:
    """A person as the list shows them."""

    id: str
    email: str
    name: str
    roles: list[str]
    active: bool
    since: datetime
    is_admin: bool
    is_moderator: bool
    oneself: bool


@entrance.get("/people", Permission.PEOPLE_MANAGE)
def people() -> str:
    """Everybody with an account, newest first."""
    address = request.args.get("q", "").strip()[:254]
    role = request.args.get("role", "")
    role = role if role in set(RoleName) else ""
    found = roles.page(address=address, role=role, before=entrance.cursor(), limit=entrance.ON_A_PAGE + 1)
    rows, older = entrance.sliced(found, "admin.people", q=address, role=role)
    held = roles.held_by(rows)
    oneself = entrance.actor().id
    return entrance.page(
        "people",
        "people",
        q=address,
        role=role,
        choices={"": _("Everybody"), **{str(name): entrance.told_role(name) for name in RoleName}},
        lines=[
            Line(
                id=row.id,
                email=row.email,
                name=row.display_name,
                roles=[entrance.told_role(name) for name in sorted(held[row.id] - {RoleName.LISTENER})],
                active=row.active,
                since=row.created_at,
                is_admin=RoleName.ADMIN in held[row.id],
                is_moderator=RoleName.MODERATOR in held[row.id],
                oneself=row.id == oneself,
            )
            for row in rows
        ],
        older=older,
        first=request.args.get("before") is None,
    )


@entrance.post("/people/<user_id>", Permission.PEOPLE_MANAGE)
def change_person(user_id: str) -> ResponseReturnValue:
    """Grant or revoke a role, deactivate or activate an account."""
    act, role = entrance.sent("act"), entrance.sent("role")
    actor, now = entrance.actor().id, clock.now()
    back = {"q": entrance.sent("q") or None, "role": entrance.sent("shown_role") or None}
    step_up.require()
    try:
        if act == "grant":
            user = roles.grant(user_id, role, actor=actor, now=now)
        elif act == "revoke":
            user = roles.revoke(user_id, role, actor=actor, now=now)
        elif act == "deactivate":
            user = roles.deactivate(user_id, actor=actor, now=now)
        elif act == "activate":
            user = roles.activate(user_id, actor=actor, now=now)
        else:
            raise Invalid("There is no such act.", field="act")
    except (Invalid, Conflict) as error:
        return entrance.refused(error, "admin.people", **back)
    told = {
        "grant": _("%(email)s is now: %(role)s.", email=user.email, role=entrance.told_role(role)),
        "revoke": _("%(email)s is no longer: %(role)s.", email=user.email, role=entrance.told_role(role)),
        "deactivate": _("The account of %(email)s is closed, and signed out everywhere.", email=user.email),
        "activate": _("%(email)s can sign in again.", email=user.email),
    }
    return entrance.done(told[act], "admin.people", **back)
