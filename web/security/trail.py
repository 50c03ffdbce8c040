"""What people do with their accounts by the pages of Flask-Security, kept in the audit trail; what they are told by letter."""

from typing import Any

from flask import Flask
from flask_security import change_email_confirmed
from flask_security import password_changed
from flask_security import password_reset
from flask_security import user_confirmed
from flask_security import user_not_registered

from appliance import clock
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.database import transaction
from web.security.datastore import SessionUser
from web.security.mailing import letters


def register(app: Flask) -> None:
    """Listen to Flask-Security; its signals come inside the transaction of the act, see ``configuration.TOGETHER``."""
    user_confirmed.connect(confirmed, app)
    password_changed.connect(changed, app)
    password_reset.connect(recovered, app)
    change_email_confirmed.connect(moved, app)
    user_not_registered.connect(joined_twice, app)


def confirmed(app: Flask, user: SessionUser, **_unused: Any) -> None:
    """The address is theirs."""
    _record(Action.ADDRESS_CONFIRMED, user)


def changed(app: Flask, user: SessionUser, **_unused: Any) -> None:
    """They chose another password."""
    _record(Action.CREDENTIAL_CHANGED, user)


def recovered(app: Flask, user: SessionUser, **_unused: Any) -> None:
    """They chose another password by a letter, which also shows that the address is theirs."""
    if user.confirmed_at is None:
        User.update(confirmed_at=clock.now()).where(User.id == user.id).execute()
    _record(Action.CREDENTIAL_RECOVERED, user)


def moved(app: Flask, user: SessionUser, old_email: str, **_unused: Any) -> None:
    """They have another address; the old one is told, for it may have been somebody else who changed it."""
    _record(Action.ADDRESS_CHANGED, user)
    letters().write("address_changed", old_email, now=clock.now(), address=user.email)


def joined_twice(app: Flask, user: SessionUser | None, **_unused: Any) -> None:
    """Somebody wanted an account for an address that has one; kept, and it takes as long as to make one."""
    with transaction():
        subject = f"user:{user.id}" if user else "user:unknown"
        audit.record(
            Action.PERSON_REGISTERED, actor=None, subject=subject, detail={"again": True}, now=clock.now()
        )


def _record(action: Action, user: SessionUser) -> None:
    audit.record(action, actor=user.id, subject=f"user:{user.id}", now=clock.now())
