"""Accounts elsewhere that open one here: linked by the person who has both, found again by who the other place says they are.

An address proves nothing about an account that is here already: whoever has it signs in as always and links the other account. Else a place
that is careless with addresses would open the accounts of others.
"""

from __future__ import annotations

import secrets
from datetime import datetime

import peewee

from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts.audit import Action
from appliance.accounts.letters import Letters
from appliance.accounts.models import SignInIdentity
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.hookspecs import ForeignAccount
from appliance.mail.rendering import one_line

LONGEST_ISSUER, LONGEST_SUBJECT = 300, 255
MOST = 10
AGAIN = N_("This was sent twice. Start again.")


def person_of(foreign: ForeignAccount, *, way: str, registration: bool, now: datetime) -> tuple[User, bool]:
    """Whose account *foreign* opens, and whether it was made just now.

    ``Conflict`` when the address has an account here that is not linked, ``Invalid`` when the other place does not stand for the
    address, ``NotAllowed`` when nobody may join or the account is closed.
    """
    with transaction():
        row = _find(foreign)
        if row is not None:
            if not row.user.active:
                raise NotAllowed("This account is deactivated.")
            SignInIdentity.update(last_used_at=now, email=foreign.email[:254]).where(
                SignInIdentity.id == row.id
            ).execute()
            known: User = row.user
            return known, False
        if not foreign.email or not foreign.email_verified:
            raise Invalid(
                "Your address is not confirmed there. Confirm it there first, or join with a password and link your account then."
            )
        email = people.address(foreign.email)
        if User.select().where(User.email == email).exists():
            raise Conflict(
                "There is an account for this address here. Sign in to it as you always do; then link the other one on the page of "
                "your account."
            )
        if not registration:
            raise NotAllowed("Registration is closed here.")
        user = _joined(email, foreign.name, now=now)
        audit.record(
            Action.PERSON_REGISTERED, actor=user.id, subject=f"user:{user.id}", detail={"by": way}, now=now
        )
        _add(user, foreign, way=way, now=now)
    return user, True


def link(
    user: User, foreign: ForeignAccount, *, way: str, label: str, letters: Letters, now: datetime
) -> None:
    """Let *foreign* open this account from now on, which its person is told by mail; ``Conflict`` when it opens another one."""
    with transaction():
        row = _find(foreign)
        if row is not None and row.user_id == user.id:
            return
        if row is not None:
            raise Conflict("This account elsewhere is linked to another account here. Unlink it there first.")
        if SignInIdentity.select().where(SignInIdentity.user == user.id).count() >= MOST:
            raise Conflict("At most {most} accounts elsewhere can be linked.", most=MOST)
        _add(user, foreign, way=way, now=now)
        letters.write("identity_linked", user.email, now=now, label=label)


def unlink(user: User, identity_id: str, *, letters: Letters, now: datetime) -> None:
    """Let it open this account no more; ``NotFound`` when it does not."""
    with transaction():
        mine = (SignInIdentity.id == identity_id) & (SignInIdentity.user == user.id)
        row = SignInIdentity.get_or_none(mine)
        if row is None or not SignInIdentity.delete().where(mine).execute():
            raise NotFound("This account elsewhere is not linked.")
        _note(Action.IDENTITY_UNLINKED, row, now=now)
        letters.write("identity_unlinked", user.email, now=now, label=row.issuer)


def of_user(user: User) -> list[SignInIdentity]:
    """What opens this account, the oldest first."""
    return list(
        SignInIdentity.select().where(SignInIdentity.user == user.id).order_by(SignInIdentity.created_at)
    )


def _joined(email: str, name: str, *, now: datetime) -> User:
    # Nobody knows this password; who wants one asks for a letter to choose it.
    password, display_name = secrets.token_urlsafe(48), one_line(name)[: people.LONGEST_NAME]
    try:
        with transaction():
            return people.create(email, password, roles=(), now=now, display_name=display_name)
    except peewee.IntegrityError as error:
        # Another one with the same address was a moment faster: the unique index lets one in.
        raise Conflict(AGAIN) from error


def _find(foreign: ForeignAccount) -> SignInIdentity | None:
    if not 0 < len(foreign.issuer) <= LONGEST_ISSUER or not 0 < len(foreign.subject) <= LONGEST_SUBJECT:
        raise Invalid("This answer proves nothing. Start again.")
    query = SignInIdentity.select(SignInIdentity, User).join(User)
    found: SignInIdentity | None = query.where(
        SignInIdentity.issuer == foreign.issuer, SignInIdentity.subject == foreign.subject
    ).first()
    return found


def _add(user: User, foreign: ForeignAccount, *, way: str, now: datetime) -> None:
    try:
        with transaction():
            row = SignInIdentity.create(
                user=user.id,
                way=way,
                issuer=foreign.issuer,
                subject=foreign.subject,
                email=foreign.email[:254],
                created_at=now,
            )
    except peewee.IntegrityError as error:
        raise Conflict(AGAIN) from error
    _note(Action.IDENTITY_LINKED, row, now=now)


def _note(action: Action, row: SignInIdentity, *, now: datetime) -> None:
    detail = {"by": row.way, "issuer": row.issuer, "identity": row.id}
    audit.record(action, actor=row.user_id, subject=f"user:{row.user_id}", detail=detail, now=now)
