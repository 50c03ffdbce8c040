"""The first start: a one-time token, printed on the console, lets whoever runs the machine make the admin and the collective.

While a token waits on a node that has no account at all, its pages are closed. A node that has accounts but no admin, such as
one from before there were admins, stays open for its listeners; the token then makes the admin all the same.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime

from appliance.accounts import audit
from appliance.accounts import passwords
from appliance.accounts import people
from appliance.accounts import roles
from appliance.accounts.audit import Action
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.collective import identity
from appliance.collective.models import SetupToken
from appliance.database import proxy
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.settings import Settings

_ONLY = 1
# The database of which this process knows that its setup is over: that is once and for all, so it is not asked again.
_done_in: object = None


class WrongToken(NotAllowed):
    """The token opens nothing: mistyped, replaced by a newer one, or used. Which of these is nobody's business."""

    def __init__(self) -> None:
        super().__init__(
            "This setup address does not work (any more). 'musicconnect setup-link' prints a new one."
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """What the setup page asks."""

    email: str
    password: str = field(repr=False)
    name: str = ""
    tagline: str = ""
    accent: str = ""
    registration: bool = True


def new_token(*, now: datetime) -> str:
    """A fresh token in clear text, which puts an older one out of use; ``Conflict`` when there is an admin already."""
    token = secrets.token_urlsafe(32)
    with transaction():
        if roles.an_admin_exists():
            raise Conflict(
                "This node has an admin already; 'musicconnect user create --role admin' makes another."
            )
        SetupToken.delete().execute()
        SetupToken.create(id=_ONLY, digest=_digest(token), created_at=now)
    return token


def is_wanted() -> bool:
    """Whether a start should print a setup address: there is no admin, and this is no demo."""
    return not roles.an_admin_exists() and not people.demo_accounts_exist()


def is_over() -> bool:
    """Whether this process has seen already that somebody set the node up."""
    return _done_in is proxy.obj


def is_waiting() -> bool:
    """Whether the pages are closed until somebody sets the node up; asked with every request until it is over."""
    global _done_in
    if is_over():
        return False
    waiting = SetupToken.select().exists() and not User.select().exists()
    if not waiting and User.select().exists():
        _done_in = proxy.obj
    return bool(waiting)


def require(token: str) -> None:
    """``WrongToken`` unless this is the token that waits."""
    row = SetupToken.get_or_none(SetupToken.id == _ONLY)
    # Compared also when there is none, so that the time taken tells nothing.
    if not hmac.compare_digest(row.digest if row else "0" * 64, _digest(token)) or row is None:
        raise WrongToken


def finish(token: str, answers: Answers, *, settings: Settings, now: datetime) -> User:
    """Make the admin and the collective, and use the token up; of two at once, one wins.

    ``Invalid`` names the answer that cannot be, and the token stays good. An address that has an account is taken with its password.
    """
    require(token)
    fixed = identity.current(settings).fixed
    fields = {
        "name": answers.name,
        "tagline": answers.tagline,
        "accent": answers.accent,
        "registration": answers.registration,
    }
    with transaction():
        used = SetupToken.delete().where(SetupToken.digest == _digest(token)).execute()
        if not used or roles.an_admin_exists():
            raise WrongToken
        user = _admin(answers, now=now)
        identity.change(
            {name: value for name, value in fields.items() if name not in fixed},
            version=identity.stored_version(),
            settings=settings,
            actor=user.id,
            now=now,
        )
        audit.record(Action.SETUP_FINISHED, actor=user.id, subject=f"user:{user.id}", now=now)
    identity.forget()
    return user


def _admin(answers: Answers, *, now: datetime) -> User:
    known = User.get_or_none(User.email == answers.email.strip().lower())
    if known is None:
        return people.create(answers.email, answers.password, roles=[RoleName.ADMIN], now=now)
    if not passwords.matches(answers.password, known.password):
        raise Invalid(
            "There is an account for this address already; give its password, and it becomes the admin.",
            field="password",
        )
    if not known.active:
        raise Invalid("This account is deactivated.", field="email")
    people.give_role(known.id, RoleName.ADMIN)
    return known


def _digest(token: str) -> str:
    # 256 random bits need no slow hash: they cannot be guessed, only found.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
