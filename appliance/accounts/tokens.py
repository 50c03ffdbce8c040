"""API tokens: minted once, stored hashed, looked up by digest."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta

from appliance import revocations
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import ApiToken
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.prepared import Prepared

PREFIX = "mc_"
_by_digest = Prepared(
    lambda digest: ApiToken.select(ApiToken, User).join(User).where(ApiToken.digest == digest), ApiToken.user
)
LAST_USED_EVERY = timedelta(minutes=5)
MOST_TOKENS = 50
LONGEST_NAME = 100
DEFAULT_DAYS = 90
"""How long a token works for which nothing else is said."""


def mint(
    user: User,
    *,
    now: datetime,
    scopes: Iterable[str] = (Scope.READ, Scope.WRITE),
    name: str = "",
    days: int | None = None,
) -> str:
    """A new token in clear text; this is the only time anyone sees it.

    ``Invalid`` for an unknown scope or too long a name, ``Conflict`` when this person has very many already.
    """
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in set(Scope)]
    if unknown or not wanted:
        raise Invalid("A scope is one of {scopes}.", scopes=", ".join(Scope), field="scope")
    if len(name) > LONGEST_NAME:
        raise Invalid("A name has at most {most} characters.", most=LONGEST_NAME, field="token_name")
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction():
        if ApiToken.select().where(ApiToken.user == user.id).count() >= MOST_TOKENS:
            raise Conflict("One person has at most {most} API tokens; revoke one first.", most=MOST_TOKENS)
        row = ApiToken.create(
            user=user,
            name=name,
            digest=_digest(token),
            scopes=" ".join(wanted),
            created_at=now,
            expires_at=now + timedelta(days=days) if days else None,
        )
        audit.record(
            Action.TOKEN_MINTED,
            actor=user.id,
            subject=f"person:{user.id}",
            now=now,
            detail={"key": row.id, "scopes": wanted},
        )
    return token


def of_user(user: User) -> list[ApiToken]:
    """This person's tokens, newest first."""
    return list(ApiToken.select().where(ApiToken.user == user.id).order_by(ApiToken.id.desc()))


def revoke(user: User, token_id: str, *, now: datetime) -> None:
    """End a token at once; ``NotFound`` when it is not this person's."""
    with transaction():
        gone = ApiToken.delete().where(ApiToken.id == token_id, ApiToken.user == user.id).execute()
        if not gone:
            raise NotFound("There is no such token.")
        # And what a program was given by it to hear music.
        revocations.revoke(f"listener:{user.id}", now=now)
        audit.record(
            Action.TOKEN_REVOKED,
            actor=user.id,
            subject=f"person:{user.id}",
            now=now,
            detail={"key": token_id},
        )


def recognise(token: str, now: datetime) -> ApiToken | None:
    """The live token row for this text, its user joined, or ``None``; notes roughly when it was last used."""
    rows = _by_digest(_digest(token))
    row = rows[0] if rows else None
    if row is None or not row.user.active or (row.expires_at and row.expires_at <= now):
        return None
    if row.last_used_at is None or now - row.last_used_at > LAST_USED_EVERY:
        ApiToken.update(last_used_at=now).where(ApiToken.id == row.id).execute()
    return row


def _digest(token: str) -> str:
    # 256 random bits need no slow hash: they cannot be guessed, only found.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
