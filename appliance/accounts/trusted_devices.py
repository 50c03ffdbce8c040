"""Browsers that somebody trusts: for a month they need not show the second factor there, the password they do."""

import hashlib
import secrets
from datetime import datetime
from datetime import timedelta

from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.factor_models import TrustedDevice
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.errors import NotFound

TRUSTED = timedelta(days=30)
MOST = 20


def trust(user: User, *, browser: str, now: datetime) -> str:
    """Trust the browser that is given the secret this returns."""
    token = secrets.token_urlsafe(32)
    with transaction():
        TrustedDevice.create(
            user=user.id,
            digest=_digest(token),
            browser=browser[:100],
            created_at=now,
            last_used_at=now,
            expires_at=now + TRUSTED,
        )
        kept = [row.id for row in of_user(user.id, now=now)[:MOST]]
        TrustedDevice.delete().where(TrustedDevice.user == user.id, TrustedDevice.id.not_in(kept)).execute()
        audit.record(Action.DEVICE_TRUSTED, actor=user.id, subject=f"user:{user.id}", now=now)
    return token


def is_trusted(user_id: str, token: str, *, now: datetime) -> bool:
    """Whether this person trusts the browser that holds *token*; notes that it was used."""
    wanted = (TrustedDevice.user == user_id) & (TrustedDevice.digest == _digest(token))
    used = TrustedDevice.update(last_used_at=now).where(wanted, TrustedDevice.expires_at > now)
    return bool(token and used.execute())


def of_user(user_id: str, *, now: datetime) -> list[TrustedDevice]:
    """The browsers that this person trusts, the newest first."""
    query = TrustedDevice.select().where(TrustedDevice.user == user_id, TrustedDevice.expires_at > now)
    return list(query.order_by(TrustedDevice.id.desc()))


def forget(user: User, device_id: str, *, now: datetime) -> None:
    """Ask for the second factor there again; ``NotFound`` when it is not this person's."""
    with transaction():
        wanted = (TrustedDevice.id == device_id) & (TrustedDevice.user == user.id)
        if not TrustedDevice.delete().where(wanted).execute():
            raise NotFound("There is no such device.")
        audit.record(Action.DEVICE_FORGOTTEN, actor=user.id, subject=f"user:{user.id}", now=now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
