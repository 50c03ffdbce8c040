"""Where people are signed in: every browser holds a secret of its own, so that each can be seen, and ended at once.

A session is found by one query, its person with it. Ending one also ends the signed addresses that its person was given to hear music.
"""

import hashlib
import secrets
from datetime import datetime
from datetime import timedelta

from appliance import measures
from appliance import revocations
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.factor_models import AccountSession
from appliance.accounts.factor_models import TrustedDevice
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.errors import NotFound
from appliance.prepared import Prepared

IDLE = timedelta(days=7)
REMEMBERED = timedelta(days=90)
"""After how long without a visit a session ends, by whether somebody asked to stay signed in."""
SEEN_EVERY = timedelta(minutes=5)
FRESH = timedelta(minutes=15)
"""How long somebody who has proved who they are may do what is dangerous."""
MOST_FAILURES = 5
_by_digest = Prepared(
    lambda digest: (
        AccountSession.select(AccountSession, User).join(User).where(AccountSession.digest == digest)
    ),
    AccountSession.user,
)


def begin(user: User, *, browser: str, address: str, remembered: bool, way: str, now: datetime) -> str:
    """Sign somebody in who proved who they are by *way*; returns the secret of this session for their browser alone."""
    token = secrets.token_urlsafe(24)
    with transaction():
        AccountSession.create(
            user=user.id,
            digest=_digest(token),
            browser=browser[:100],
            address=address[:50],
            remembered=remembered,
            created_at=now,
            verified_at=now,
            seen_at=now,
        )
        audit.record(
            Action.SIGN_IN,
            actor=user.id,
            subject=f"user:{user.id}",
            detail={"by": way, "from": address},
            now=now,
        )
    measures.SIGN_INS.labels(_way(way), "let_in").inc()
    return token


def note_failure(user: User | None, *, way: str, address: str, now: datetime) -> None:
    """Keep that somebody tried to sign in as *user* and could not; ``None`` when there is no such account."""
    subject = f"user:{user.id}" if user else "user:unknown"
    detail = {"by": way, "from": address}
    with transaction():
        audit.record(Action.SIGN_IN_FAILED, actor=None, subject=subject, detail=detail, now=now)
    measures.SIGN_INS.labels(_way(way), "refused").inc()


def _way(way: str) -> str:
    """*way* as it is counted: the first step of ours, or that it was an account elsewhere, whatever plugins call theirs."""
    first = way.partition("+")[0]
    return first if first in {"password", "passkey", "second", "setup"} else "elsewhere"


def recognise(token: str, *, now: datetime) -> AccountSession | None:
    """The living session with this secret, its person joined, or ``None``; one query."""
    rows = _by_digest(_digest(token)) if token else ()
    row = rows[0] if rows else None
    if row is None or not row.user.active or now - row.seen_at > _lasts(row):
        return None
    return row


def touch(row: AccountSession, *, browser: str, address: str, now: datetime) -> bool:
    """Note roughly when and where from a session was seen last; False when that was noted a moment ago."""
    if now - row.seen_at < SEEN_EVERY:
        return False
    AccountSession.update(seen_at=now, browser=browser[:100], address=address[:50]).where(
        AccountSession.id == row.id
    ).execute()
    return True


def of_user(user_id: str, *, now: datetime) -> list[AccountSession]:
    """Where this person is signed in, the latest visit first."""
    rows = AccountSession.select().where(AccountSession.user == user_id)
    living = [row for row in rows if now - row.seen_at <= _lasts(row)]
    return sorted(living, key=lambda row: row.seen_at, reverse=True)


def end(user: User, session_id: str, *, now: datetime) -> None:
    """End one session of this person at once; ``NotFound`` when it is not theirs."""
    with transaction():
        wanted = (AccountSession.id == session_id) & (AccountSession.user == user.id)
        if not AccountSession.delete().where(wanted).execute():
            raise NotFound("There is no such session.")
        revocations.revoke(f"listener:{user.id}", now=now)
        audit.record(
            Action.SESSION_REVOKED,
            actor=user.id,
            subject=f"user:{user.id}",
            detail={"session": session_id},
            now=now,
        )


def sign_out(token: str, *, now: datetime) -> None:
    """End the session with this secret, as its own person asks; nothing happens when there is none."""
    with transaction():
        row = AccountSession.get_or_none(AccountSession.digest == _digest(token))
        if row is not None:
            AccountSession.delete().where(AccountSession.id == row.id).execute()
            revocations.revoke(f"listener:{row.user_id}", now=now)


def end_all(user_id: str, *, now: datetime) -> str:
    """End all of this person's sessions, trusted devices and streams, and return their new ``fs_uniquifier``.

    Call it inside the transaction of the act. The new one also voids every link that a message to them still holds.
    """
    fresh = secrets.token_hex(16)
    User.update(fs_uniquifier=fresh).where(User.id == user_id).execute()
    AccountSession.delete().where(AccountSession.user == user_id).execute()
    TrustedDevice.delete().where(TrustedDevice.user == user_id).execute()
    revocations.revoke(f"listener:{user_id}", now=now)
    return fresh


def is_fresh(row: AccountSession, *, now: datetime) -> bool:
    """Pure: whether whoever sits there proved a moment ago who they are."""
    return bool(now - row.verified_at <= FRESH)


def verified(row: AccountSession, *, now: datetime) -> None:
    """They proved it anew."""
    AccountSession.update(verified_at=now, failures=0).where(AccountSession.id == row.id).execute()
    row.verified_at = now


def not_verified(row: AccountSession, *, way: str, now: datetime) -> bool:
    """They could not prove it; after some times the session ends, for then it is somebody else who sits there. True if it did."""
    with transaction():
        failures = AccountSession.failures + 1
        AccountSession.update(failures=failures).where(AccountSession.id == row.id).execute()
        audit.record(
            Action.STEP_UP_FAILED,
            actor=row.user.id,
            subject=f"user:{row.user.id}",
            detail={"by": way, "session": row.id},
            now=now,
        )
        over = (AccountSession.id == row.id) & (AccountSession.failures >= MOST_FAILURES)
        ended = bool(AccountSession.delete().where(over).execute())
        if ended:
            revocations.revoke(f"listener:{row.user.id}", now=now)
    return ended


def expire(*, now: datetime) -> int:
    """Forget sessions and trusted devices whose time is up; returns how many sessions."""
    TrustedDevice.delete().where(TrustedDevice.expires_at <= now).execute()
    short = ~AccountSession.remembered & (AccountSession.seen_at < now - IDLE)
    return int(AccountSession.delete().where(short | (AccountSession.seen_at < now - REMEMBERED)).execute())


def _lasts(row: AccountSession) -> timedelta:
    return REMEMBERED if row.remembered else IDLE


def _digest(token: str) -> str:
    # Its bits are random: no slow hash makes them harder to find.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
