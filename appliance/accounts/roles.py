"""Who may do what on the whole platform: granting and revoking roles, and closing an account without losing what hangs on it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import peewee

from appliance import database
from appliance import revocations
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts import sessions
from appliance.accounts.audit import Action
from appliance.accounts.models import Role
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.accounts.models import UserRole
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound

GRANTABLE = (RoleName.ADMIN, RoleName.MODERATOR)
"""Roles that are given by hand; the others follow from what a person does."""


def find(user_id: str) -> User:
    """The account with this id, or ``NotFound``."""
    user = User.get_or_none(User.id == user_id)
    if user is None:
        raise NotFound("There is no such account.")
    return user


def grant(user_id: str, role: str, *, actor: str | None, now: datetime) -> User:
    """Give this person the role; nothing happens when they hold it already."""
    wanted = _grantable(role)
    with database.transaction():
        user = find(user_id)
        if not user.active:
            raise Conflict("This account is deactivated; activate it first.")
        if wanted not in people.roles_of(user):
            people.give_role(user.id, wanted)
            revocations.revoke(f"listener:{user.id}", now=now)
            audit.record(
                Action.ROLE_GRANTED, actor=actor, subject=f"user:{user.id}", detail={"role": wanted}, now=now
            )
    return user


def revoke(user_id: str, role: str, *, actor: str | None, now: datetime) -> User:
    """Take the role from this person; ``Conflict`` for the last admin, and for an admin's own role."""
    unwanted = _grantable(role)
    with database.transaction():
        user = find(user_id)
        if unwanted not in people.roles_of(user):
            return user
        if unwanted is RoleName.ADMIN:
            if user.id == actor:
                raise Conflict("You cannot take the role of an admin from yourself; ask another admin.")
            _keep_one_admin(user)
        UserRole.delete().where(
            UserRole.user == user.id, UserRole.role.in_(Role.select(Role.id).where(Role.name == unwanted))
        ).execute()
        revocations.revoke(f"listener:{user.id}", now=now)
        audit.record(
            Action.ROLE_REVOKED, actor=actor, subject=f"user:{user.id}", detail={"role": unwanted}, now=now
        )
    return user


def deactivate(user_id: str, *, actor: str | None, now: datetime) -> User:
    """Close this account: every session ends at once, no token works; ``Conflict`` for the last admin and for oneself."""
    with database.transaction():
        user = find(user_id)
        if not user.active:
            return user
        if user.id == actor:
            raise Conflict("You cannot deactivate your own account; ask another admin.")
        if RoleName.ADMIN in people.roles_of(user):
            _keep_one_admin(user)
        User.update(active=False).where(User.id == user.id).execute()
        sessions.end_all(user.id, now=now)
        audit.record(Action.PERSON_DEACTIVATED, actor=actor, subject=f"user:{user.id}", now=now)
    return user


def activate(user_id: str, *, actor: str | None, now: datetime) -> User:
    """Open a closed account again; its person signs in anew."""
    with database.transaction():
        user = find(user_id)
        if not user.active:
            User.update(active=True).where(User.id == user.id).execute()
            audit.record(Action.PERSON_ACTIVATED, actor=actor, subject=f"user:{user.id}", now=now)
    return user


def page(*, address: str = "", role: str = "", before: str | None = None, limit: int = 50) -> list[User]:
    """Accounts, newest first; only those whose address begins with *address*, and who hold *role*."""
    query = User.select().order_by(User.id.desc()).limit(limit)
    if address.strip():
        query = query.where(User.email.startswith(address.strip().lower()))
    if role:
        holders = UserRole.select(UserRole.user).join(Role).where(Role.name == role)
        query = query.where(User.id.in_(holders))
    if before:
        query = query.where(User.id < before)
    return list(query)


def held_by(users: Iterable[User]) -> dict[str, frozenset[str]]:
    """The names of the roles of each of *users*, by id, by one query."""
    ids = [user.id for user in users]
    held: dict[str, set[str]] = {user_id: set() for user_id in ids}
    if ids:
        links: Any = UserRole.select(UserRole.user, Role.name).join(Role).where(UserRole.user.in_(ids))
        for user_id, name in links.tuples():
            held[user_id].add(name)
    return {user_id: frozenset(names) for user_id, names in held.items()}


def an_admin_exists() -> bool:
    """Whether anybody can look after this node."""
    return bool(_admins().exists())


def _admins() -> "peewee.ModelSelect[User]":
    return User.select().join(UserRole).join(Role).where(Role.name == RoleName.ADMIN, User.active)


def _keep_one_admin(user: User) -> None:
    # Two admins who remove each other at once: the second waits for this row, and then finds nobody else.
    database.locked(Role.select().where(Role.name == RoleName.ADMIN)).get()
    if not _admins().where(User.id != user.id).exists():
        raise Conflict("This is the last admin; make somebody else an admin first.")


def _grantable(role: str) -> RoleName:
    if role not in GRANTABLE:
        raise Invalid("This role cannot be given by hand.", field="role")
    return RoleName(role)
