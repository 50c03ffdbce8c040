"""Who must have a second factor, who has one, and what goes with the last."""

from collections.abc import Collection
from datetime import datetime

from appliance.accounts.factor_models import Passkey
from appliance.accounts.factor_models import RecoveryCode
from appliance.accounts.factor_models import TotpKey
from appliance.accounts.factor_models import TrustedDevice
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.errors import Conflict


def required(roles: Collection[str], *, handles_money: bool = False) -> bool:
    """Pure: whether somebody with these roles must have a second factor; *handles_money* for owners of artists that earn."""
    return RoleName.ADMIN in roles or handles_money


def missing(user: User, roles: Collection[str], *, handles_money: bool = False) -> bool:
    """Pure: True while this person must have a second factor and has none; until then such rights rest.

    The demo's accounts are let off: everybody knows their passwords, so they work on the machine itself only.
    """
    return required(roles, handles_money=handles_money) and user.second_factor_since is None and not user.demo


def settle(user: User, *, needed: bool = False, now: datetime) -> None:
    """Bring what is kept beside the password up to date, inside the transaction that added or removed a factor.

    ``Conflict`` when the last one of somebody went who *needed* it. With the last one go recovery codes and trusted devices: without
    a second factor they open nothing, and with the next one there are new ones.
    """
    has = (
        TotpKey.select().where(TotpKey.user == user.id).exists()
        or Passkey.select().where(Passkey.user == user.id).exists()
    )
    if not has and needed:
        raise Conflict("Your role needs a second factor. Add another one, then you can remove this one.")
    since = (user.second_factor_since or now) if has else None
    User.update(second_factor_since=since).where(User.id == user.id).execute()
    user.second_factor_since = since
    if not has:
        RecoveryCode.delete().where(RecoveryCode.user == user.id).execute()
        TrustedDevice.delete().where(TrustedDevice.user == user.id).execute()


def take_all(user: User, *, now: datetime) -> None:
    """Remove every factor of this person, inside the transaction of the act: the way out for who lost all of them."""
    TotpKey.delete().where(TotpKey.user == user.id).execute()
    Passkey.delete().where(Passkey.user == user.id).execute()
    settle(user, now=now)
