"""People and their tokens."""

import subprocess
import sys
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from appliance.accounts import people
from appliance.accounts import tokens
from appliance.accounts.models import ApiToken
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from tests.makers import NOW
from tests.makers import PASSWORD
from tests.makers import make_user

pytestmark = pytest.mark.usefixtures("appliance")


def test_an_account_is_confirmed_hashed_and_a_listener() -> None:
    user = people.create(" Ana@Example.com ", PASSWORD, roles=[RoleName.ADMIN], now=NOW)
    assert (user.email, user.confirmed_at, user.demo) == ("ana@example.com", NOW, False)
    assert PasswordHasher().verify(user.password, PASSWORD)
    assert people.roles_of(user) == {RoleName.LISTENER, RoleName.ADMIN}
    assert people.find("ANA@example.com").id == user.id


def test_a_password_is_hashed_by_three_passes_over_64_mebibytes() -> None:
    # In a process of its own: the tests hash cheaply.
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from appliance.accounts import passwords; print(passwords.hashed('low tide at nine'))",
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert said.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_an_address_is_taken_in_any_spelling() -> None:
    people.create("ana@example.com", PASSWORD, roles=[], now=NOW)
    with pytest.raises(Conflict):
        people.create("ANA@EXAMPLE.COM", PASSWORD, roles=[], now=NOW)
    assert User.select().count() == 1


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@example",
        "a b@example.com",
        "a@b@c.de",
        "a\0@b.de",
        "x" * 65 + "@b.de",
    ],
)
def test_what_is_no_address_is_told(email: str) -> None:
    with pytest.raises(Invalid) as caught:
        people.create(email, PASSWORD, roles=[], now=NOW)
    assert caught.value.field == "email"


@pytest.mark.parametrize("password", ["", "1234567", "x" * 201])
def test_a_password_has_its_length(password: str) -> None:
    with pytest.raises(Invalid, match="8 to 200"):
        people.create("ana@example.com", password, roles=[], now=NOW)


def test_a_password_in_any_script_is_taken() -> None:
    user = people.create("ana@example.com", "夜のフェリー港の灯", roles=[], now=NOW)
    assert PasswordHasher().verify(user.password, "夜のフェリー港の灯")


def test_a_role_can_be_given_twice() -> None:
    user = make_user()
    for _ in range(2):
        people.give_role(user.id, RoleName.ARTIST)
    assert people.roles_of(user) == {RoleName.LISTENER, RoleName.ARTIST}


def test_nobody_is_found_by_an_unknown_address() -> None:
    with pytest.raises(NotFound):
        people.find("nobody@example.com")


def test_a_demo_account_is_known_as_one() -> None:
    make_user()
    assert not people.demo_accounts_exist()
    people.create("fan@demo.com", "password123", roles=[], now=NOW, demo=True)
    assert people.demo_accounts_exist()


def test_a_token_is_recognised_until_it_expires() -> None:
    user = make_user()
    token = tokens.mint(user, now=NOW, days=1, scopes=[Scope.READ])
    row = tokens.recognise(token, NOW + timedelta(hours=23))
    assert row is not None
    assert (row.user.id, row.scopes) == (user.id, "read")
    assert tokens.recognise(token, NOW + timedelta(days=1)) is None
    assert tokens.recognise(token + "x", NOW) is None
    assert tokens.recognise("\ud800", NOW) is None


def test_a_token_of_a_disabled_account_is_not_recognised() -> None:
    user = make_user()
    token = tokens.mint(user, now=NOW)
    User.update(active=False).execute()
    assert tokens.recognise(token, NOW) is None


def test_the_last_use_is_noted_roughly() -> None:
    token = tokens.mint(make_user(), now=NOW)
    for minutes, noted in ((0, 0), (4, 0), (6, 6)):
        tokens.recognise(token, NOW + timedelta(minutes=minutes))
        assert ApiToken.get().last_used_at == NOW + timedelta(minutes=noted)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "root"]])
def test_an_unknown_scope_is_told(scopes: list[str]) -> None:
    with pytest.raises(Invalid, match="one of read, write, admin"):
        tokens.mint(make_user(), now=NOW, scopes=scopes)


def test_two_tokens_have_nothing_in_common() -> None:
    user = make_user()
    first, second = (tokens.mint(user, now=NOW) for _ in range(2))
    assert first != second
    assert first.startswith("mc_")
    assert len(first) > 40
