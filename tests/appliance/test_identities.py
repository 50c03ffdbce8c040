"""Accounts elsewhere that open one here, on both engines: who gets one, who keeps theirs, and what two at once come to."""

from __future__ import annotations

import threading

import pytest

from appliance import database
from appliance.accounts import identities
from appliance.accounts.letters import Letters
from appliance.accounts.models import SignInIdentity
from appliance.accounts.models import User
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.hookspecs import ForeignAccount
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_user

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture
def database_url(engine: str) -> str:
    """Both engines."""
    return engine


def foreign(**changed: object) -> ForeignAccount:
    return ForeignAccount(  # type: ignore[arg-type]
        **{
            "issuer": "https://id.example",
            "subject": "1815",
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada\nLovelace",
            **changed,
        }
    )


def opened(account: ForeignAccount) -> tuple[User, bool]:
    return identities.person_of(account, way="oidc", registration=True, now=NOW)


def link(user: User, account: ForeignAccount) -> None:
    letters = Letters("X", "en")
    identities.link(user, account, way="oidc", label="Harbour Union", letters=letters, now=NOW)


def test_two_who_come_back_at_once_get_one_account(appliance: Appliance) -> None:
    start, ended, problems = threading.Barrier(3), list[str](), list[BaseException]()

    def come_back() -> None:
        start.wait()
        try:
            ended.append(opened(foreign())[0].id)
        except MusicConnectError:
            ended.append("told to start again")
        except BaseException as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=come_back) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert User.select().count() == SignInIdentity.select().count() == 1
    assert set(ended) <= {User.get().id, "told to start again"}


def test_the_same_name_at_another_issuer_is_somebody_else() -> None:
    first, _fresh = opened(foreign())
    second, fresh = opened(foreign(issuer="https://other.example", email="eve@example.com"))
    assert (first.id != second.id, fresh) == (True, True)
    assert first.display_name == "Ada Lovelace"


def test_letters_of_another_case_are_the_same_address() -> None:
    make_user("ada@example.com")
    with pytest.raises(Conflict, match="There is an account for this address"):
        opened(foreign(email="ADA@Example.com"))


@pytest.mark.parametrize("field", ["issuer", "subject"])
@pytest.mark.parametrize("value", ["", "x" * 1000])
def test_a_name_that_is_none_opens_nothing(field: str, value: str) -> None:
    with pytest.raises(Invalid, match="proves nothing"):
        opened(foreign(**{field: value}))


def test_ten_are_enough_and_one_opens_one_account() -> None:
    user, other = make_user(), make_user()
    for number in range(identities.MOST):
        link(user, foreign(subject=str(number)))
    link(user, foreign(subject="0"))
    with pytest.raises(Conflict, match="At most 10"):
        link(user, foreign(subject="one more"))
    with pytest.raises(Conflict, match="linked to another account"):
        link(other, foreign(subject="0"))
    [*_, last] = identities.of_user(user)
    with pytest.raises(NotFound):
        identities.unlink(other, last.id, letters=Letters("X", "en"), now=NOW)
    identities.unlink(user, last.id, letters=Letters("X", "en"), now=NOW)
    assert len(identities.of_user(user)) == identities.MOST - 1


def test_links_go_with_their_account() -> None:
    user = make_user()
    link(user, foreign())
    User.delete().where(User.id == user.id).execute()
    assert SignInIdentity.select().count() == 0
