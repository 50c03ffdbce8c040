"""Codes on paper for the day the phone is gone: ten of them, each works once in place of the second factor."""

import hashlib
import secrets
from datetime import datetime

from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.factor_models import RecoveryCode
from appliance.accounts.letters import Letters
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.errors import Conflict

HOW_MANY = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike on paper."""
_GROUPS, _GROUP = 4, 4


def renew(user: User, *, letters: Letters, now: datetime) -> list[str]:
    """New codes in clear text, which are shown this once; the codes before work no more. ``Conflict`` without a second factor."""
    codes = [_new() for _ in range(HOW_MANY)]
    with transaction():
        if user.second_factor_since is None:
            raise Conflict("Set up a second factor first; the codes stand in for it.")
        RecoveryCode.delete().where(RecoveryCode.user == user.id).execute()
        RecoveryCode.insert_many([{"user": user.id, "digest": _digest(code)} for code in codes]).execute()
        audit.record(Action.RECOVERY_CODES_RENEWED, actor=user.id, subject=f"user:{user.id}", now=now)
        letters.write("recovery_codes_renewed", user.email, now=now)
    return codes


def left(user_id: str) -> int:
    """How many codes of this person still work."""
    unused = (RecoveryCode.user == user_id) & RecoveryCode.used_at.is_null()
    return int(RecoveryCode.select().where(unused).count())


def use(user: User, code: str, *, letters: Letters, now: datetime) -> bool:
    """True when *code* is one of this person's that was never used, and now it was; of two at once one wins."""
    wanted = (RecoveryCode.user == user.id) & (RecoveryCode.digest == _digest(code))
    with transaction():
        unused = RecoveryCode.update(used_at=now).where(wanted & RecoveryCode.used_at.is_null())
        if not unused.execute():
            return False
        audit.record(
            Action.RECOVERY_CODE_USED,
            actor=user.id,
            subject=f"user:{user.id}",
            detail={"left": left(user.id)},
            now=now,
        )
        letters.write("recovery_code_used", user.email, now=now, left=left(user.id))
    return True


def looks_like_one(code: str) -> bool:
    """Pure: whether somebody typed a recovery code rather than one of an app."""
    return len(_bare(code)) == _GROUPS * _GROUP


def _new() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def _bare(code: str) -> str:
    return "".join(letter for letter in code.lower() if letter.isalnum())


def _digest(code: str) -> str:
    # 79 random bits need no slow hash.
    return hashlib.sha256(_bare(code).encode("utf-8", "surrogatepass")).hexdigest()
