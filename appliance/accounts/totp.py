"""Codes of an authenticator app (RFC 6238): each works once, and who guesses must wait ever longer.

The key that app and server share is sealed with a key made of the node's secret, so that a copy of the database alone makes no codes.
"""

import base64
import hashlib
import logging
from datetime import datetime
from datetime import timedelta

from cryptography.fernet import Fernet
from cryptography.fernet import InvalidToken
from passlib import exc
from passlib.totp import TOTP

from appliance import database
from appliance.accounts import audit
from appliance.accounts import second_factor
from appliance.accounts.audit import Action
from appliance.accounts.factor_models import TotpKey
from appliance.accounts.letters import Letters
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import Invalid

log = logging.getLogger(__name__)

FREE_FAILURES = 5
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
WRONG = N_("This code is not right. Use the one that the app shows now.")


def new_key() -> str:
    """A key for an app, 160 random bits in base32."""
    return str(TOTP.new().base32_key)


def address(key: str, *, email: str, collective: str) -> str:
    """What the picture says that an app reads."""
    # A colon separates the two in the label, so neither may hold one.
    issuer = collective.replace(":", " ").strip() or "MusicConnect"
    return str(TOTP(key=key).to_uri(label=email.replace(":", " "), issuer=issuer))


def enrol(user: User, key: str, code: str, *, secret: str, letters: Letters, now: datetime) -> None:
    """Let the app with *key* be this person's second factor; ``Invalid`` when *code* shows that it does not know the key."""
    counter = _counter(key, code, 0, now)
    if counter is None:
        raise Invalid(WRONG, field="code")
    with transaction():
        TotpKey.delete().where(TotpKey.user == user.id).execute()
        TotpKey.create(user=user.id, sealed=sealed(key, secret), last_counter=counter, created_at=now)
        second_factor.settle(user, now=now)
        audit.record(Action.TOTP_ADDED, actor=user.id, subject=f"user:{user.id}", now=now)
        letters.write("authenticator_added", user.email, now=now)


def is_set_up(user_id: str) -> bool:
    """Whether this person has an app."""
    return bool(TotpKey.select().where(TotpKey.user == user_id).exists())


def check(user_id: str, code: str, *, secret: str, now: datetime) -> bool:
    """True when *code* is the one of this instant and was not used before; ``Conflict`` after too many wrong ones."""
    with transaction():
        row = database.locked(TotpKey.select().where(TotpKey.user == user_id)).get_or_none()
        if row is None:
            return False
        if row.failed_at and now < row.failed_at + _wait(row.failures):
            raise Conflict(
                "Too many wrong codes. Wait {minutes} minutes, or use a recovery code.",
                minutes=1 + int((row.failed_at + _wait(row.failures) - now).total_seconds() // 60),
            )
        key = _open(row.sealed, secret)
        counter = _counter(key, code, row.last_counter, now) if key else None
        if counter is None:
            TotpKey.update(failures=TotpKey.failures + 1, failed_at=now).where(
                TotpKey.user == user_id
            ).execute()
            return False
        TotpKey.update(last_counter=counter, failures=0, failed_at=None).where(
            TotpKey.user == user_id
        ).execute()
        return True


def remove(user: User, *, needed: bool, letters: Letters, now: datetime) -> None:
    """Take the app away; ``Conflict`` when it is the last second factor of who needs one."""
    with transaction():
        if not TotpKey.delete().where(TotpKey.user == user.id).execute():
            return
        second_factor.settle(user, needed=needed, now=now)
        audit.record(Action.TOTP_REMOVED, actor=user.id, subject=f"user:{user.id}", now=now)
        letters.write("authenticator_removed", user.email, now=now)


def sealed(key: str, secret: str) -> str:
    """*key* as it is stored."""
    return _cipher(secret).encrypt(key.encode()).decode()


def _counter(key: str, code: str, last: int, now: datetime) -> int | None:
    """The number of the half minute that *code* is of, if it is of about now and newer than *last*."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        match = TOTP(key=key).match(digits, time=int(now.timestamp()), last_counter=last or None)
    except (exc.TokenError, ValueError):
        return None
    return int(match.counter) if match else None


def _wait(failures: int) -> timedelta:
    if failures < FREE_FAILURES:
        return timedelta(0)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(failures - FREE_FAILURES, 10)))


def _cipher(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"totp\0" + secret.encode()).digest()))


def _open(sealed: str, secret: str) -> str:
    try:
        return _cipher(secret).decrypt(sealed.encode()).decode()
    except InvalidToken:
        # The node has another secret than when this was sealed; recovery codes and passkeys still work.
        log.error("authenticator key cannot be opened: the secret key has changed")
        return ""
