"""Making and finding people and asking for their roles."""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from appliance.accounts import audit
from appliance.accounts import passwords
from appliance.accounts import second_factor
from appliance.accounts import sessions
from appliance.accounts.audit import Action
from appliance.accounts.letters import Letters
from appliance.accounts.models import Role
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.accounts.models import UserRole
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.prepared import Prepared

LONGEST_NAME = 100
LONGEST_ADDRESS = 254
_roles = Prepared(lambda user_id: Role.select(Role.name).join(UserRole).where(UserRole.user == user_id))
# Deliberately loose: RFC 5321 admits more than any stricter pattern, and only a letter that arrives proves an address.
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}\.[^@\s\x00-\x1f]{1,63}")


def create(
    email: str,
    password: str,
    *,
    roles: Iterable[RoleName],
    now: datetime,
    display_name: str = "",
    demo: bool = False,
) -> User:
    """A new, confirmed account; ``Invalid`` for an address or password that cannot be, ``Conflict`` for one that is taken."""
    email = address(email)
    hashed = passwords.hashed(passwords.require(password, email=email, known_to_all=demo))
    with transaction():
        if User.select().where(User.email == email).exists():
            raise Conflict("There is an account for {email} already.", email=email)
        user = User.create(
            email=email,
            password=hashed,
            display_name=display_name,
            fs_uniquifier=secrets.token_hex(16),
            demo=demo,
            confirmed_at=now,
            created_at=now,
        )
        for name in {RoleName.LISTENER, *roles}:
            give_role(user.id, name)
    return user


def address(email: str) -> str:
    """*email* as accounts keep it; ``Invalid`` for what cannot be one."""
    email = email.strip().lower()
    if len(email) > LONGEST_ADDRESS or not _EMAIL.fullmatch(email):
        raise Invalid("This is not an e-mail address.", field="email")
    return email


def rename(user: User, display_name: str) -> None:
    """Call this person so wherever others see them; an empty name takes it away. ``Invalid`` for one that is too long."""
    if len(display_name) > LONGEST_NAME:
        raise Invalid("A name has at most {most} characters.", most=LONGEST_NAME, field="display_name")
    User.update(display_name=display_name).where(User.id == user.id).execute()


def sign_out_everywhere(user: User, *, now: datetime) -> None:
    """End every session of this person, on all devices, at once, and what they hear there."""
    with transaction():
        sessions.end_all(user.id, now=now)
        audit.record(Action.SIGNED_OUT_EVERYWHERE, actor=user.id, subject=f"person:{user.id}", now=now)


def reset_second_factor(user: User, *, letters: Letters, now: datetime) -> None:
    """Take all second factors of this person away and end their sessions: the operator's way out for who lost every one."""
    with transaction():
        second_factor.take_all(user, now=now)
        sessions.end_all(user.id, now=now)
        audit.record(Action.SECOND_FACTOR_RESET, actor=None, subject=f"user:{user.id}", now=now)
        letters.write("second_factor_reset", user.email, now=now)


def give_role(user_id: str, name: RoleName) -> None:
    """Let this person hold the role; nothing happens when they do already."""
    Role.insert(name=name).on_conflict_ignore().execute()
    UserRole.insert(user=user_id, role=Role.get(Role.name == name)).on_conflict_ignore().execute()


def find(email: str) -> User:
    """The account with this e-mail address, or ``NotFound``."""
    user = User.get_or_none(User.email == email.strip().lower())
    if user is None:
        raise NotFound("There is no account for {email}.", email=email)
    return user


def roles_of(user: User) -> frozenset[str]:
    """The names of this person's roles."""
    return frozenset(role.name for role in _roles(user.id))


def demo_accounts_exist() -> bool:
    """Whether this node has accounts whose password is public."""
    return bool(User.select().where(User.demo).exists())
