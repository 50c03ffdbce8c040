"""Users and roles as Flask-Security sees them, and its hands on our tables."""

import secrets
from typing import Any

from flask_security import PeeweeUserDatastore
from flask_security import RoleMixin
from flask_security import UserMixin

from appliance import clock
from appliance.accounts import audit
from appliance.accounts import models
from appliance.accounts import people
from appliance.accounts import sessions
from appliance.accounts.audit import Action
from appliance.accounts.models import RoleName
from appliance.accounts.models import UserRole
from appliance.database import proxy
from appliance.database import transaction


class SessionRole(RoleMixin, models.Role):
    """A role as Flask-Security sees it."""

    class Meta:
        table_name = "role"


class SessionUser(UserMixin, models.User):
    """A user as Flask-Security sees it; *stand_in* for one who is not there, and whose answer must look the same."""

    stand_in = False

    class Meta:
        table_name = "user"

    @property
    def roles(self) -> list[SessionRole]:
        """The roles, asked for when they are needed."""
        query = SessionRole.select().join(UserRole, on=(UserRole.role == SessionRole.id))
        return list(query.where(UserRole.user == self.id))


def stand_in(email: str) -> SessionUser:
    """Somebody who is not there, for whom the same work is done as for others: so nobody learns that by the clock."""
    nobody = SessionUser(email=email, password=secrets.token_hex(32), fs_uniquifier=secrets.token_hex(16))
    nobody.stand_in = True
    return nobody


class Accounts(PeeweeUserDatastore):
    """The hands of Flask-Security on our tables; *demo* lets the accounts in whose password everybody knows."""

    def __init__(self, *, demo: bool) -> None:
        super().__init__(proxy, SessionUser, SessionRole, UserRole)
        self.demo = demo

    def create_user(self, **values: Any) -> SessionUser:
        """A listener; the datastore's own way sets roles on the row and saves it as if it were there already."""
        known = {"active": True, "fs_uniquifier": secrets.token_hex(16), **values}
        known["email"] = str(known["email"]).lower()
        known.pop("roles", None)
        now = clock.now()
        with transaction():
            user: SessionUser = SessionUser.create(created_at=now, **known)
            people.give_role(user.id, RoleName.LISTENER)
            audit.record(Action.PERSON_REGISTERED, actor=user.id, subject=f"user:{user.id}", now=now)
        return user

    def find_user(self, case_insensitive: bool = False, **values: Any) -> SessionUser | None:
        """The one user with this value, or ``None``; addresses are kept in lower case, so their index serves."""
        if "email" in values:
            values["email"] = str(values["email"]).lower()
        found: SessionUser | None = SessionUser.get_or_none(**values)
        # A demo can be made while the server runs, after it made sure that there is none.
        return found if found is None or self.demo or not found.demo else None

    def set_uniquifier(self, user: SessionUser, uniquifier: str | None = None) -> None:
        """End every session and void every letter of this person, as after a new password."""
        user.fs_uniquifier = sessions.end_all(user.id, now=clock.now())
