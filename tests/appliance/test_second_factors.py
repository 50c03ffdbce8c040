"""Second factors, on both engines: codes of an app, codes on paper, and who must have one."""

from __future__ import annotations

import threading
from datetime import datetime
from datetime import timedelta

import pytest
from passlib.totp import TOTP

from appliance import database
from appliance.accounts import passwords
from appliance.accounts import people
from appliance.accounts import recovery_codes
from appliance.accounts import second_factor
from appliance.accounts import totp
from appliance.accounts import trusted_devices
from appliance.accounts.factor_models import TotpKey
from appliance.accounts.letters import Letters
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.mail import Message
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_user

SECRET = "the secret of the node"
HALF_MINUTE = timedelta(seconds=30)


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def user(appliance: Appliance) -> User:
    return make_user("mira@example.com")


def letters() -> Letters:
    return Letters("Tide Collective", "en")


def shown(key: str, at: datetime) -> str:
    return str(TOTP(key=key).generate(time=int(at.timestamp())).token)


def enrolled(user: User) -> str:
    key = totp.new_key()
    totp.enrol(user, key, shown(key, NOW), secret=SECRET, letters=letters(), now=NOW)
    return key


def check(user: User, code: str, at: datetime) -> bool:
    return totp.check(user.id, code, secret=SECRET, now=at)


def test_a_code_works_once_and_about_now(user: User) -> None:
    key = enrolled(user)
    later = NOW + 2 * HALF_MINUTE
    assert not check(user, shown(key, NOW), NOW), "it was used to set the app up"
    assert check(user, shown(key, later), later)
    assert not check(user, shown(key, later), later + timedelta(seconds=5))
    assert not check(user, shown(key, later + timedelta(minutes=5)), later + HALF_MINUTE)


def test_the_clock_of_a_phone_may_be_half_a_minute_off(user: User) -> None:
    key = enrolled(user)
    later = NOW + timedelta(minutes=5)
    assert check(user, shown(key, later - HALF_MINUTE), later)
    assert check(user, shown(key, later + HALF_MINUTE), later)


@pytest.mark.parametrize("code", ["", "000000", "abcdef", "12345", "1234567", "٣٣٣٣٣٣", "\0" * 6, "9" * 5000])
def test_what_is_no_code_is_refused(user: User, code: str) -> None:
    enrolled(user)
    assert not check(user, code, NOW + timedelta(minutes=5))


def test_an_app_is_taken_only_when_it_knows_the_key(user: User) -> None:
    with pytest.raises(Invalid):
        totp.enrol(
            user, totp.new_key(), shown(totp.new_key(), NOW), secret=SECRET, letters=letters(), now=NOW
        )
    assert user.second_factor_since is None


def test_who_guesses_codes_must_wait_ever_longer(user: User) -> None:
    key = enrolled(user)
    at = NOW + timedelta(minutes=5)
    for _ in range(totp.FREE_FAILURES):
        assert not check(user, "000000", at)
    with pytest.raises(Conflict, match="Too many wrong codes"):
        check(user, shown(key, at), at)
    at += totp.FIRST_WAIT
    assert not check(user, "000000", at)
    with pytest.raises(Conflict):
        check(user, shown(key, at + HALF_MINUTE), at + totp.FIRST_WAIT)
    assert check(user, shown(key, at + timedelta(hours=1)), at + timedelta(hours=1))


def test_the_key_is_sealed_with_the_secret_of_the_node(user: User) -> None:
    key = enrolled(user)
    later = NOW + timedelta(minutes=5)
    assert key not in TotpKey.get().sealed
    assert not totp.check(user.id, shown(key, later), secret="another secret", now=later)


def test_the_last_factor_takes_codes_and_devices_with_it(user: User) -> None:
    enrolled(user)
    recovery_codes.renew(user, letters=letters(), now=NOW)
    device = trusted_devices.trust(user, browser="", now=NOW)
    assert User.get_by_id(user.id).second_factor_since == NOW
    with pytest.raises(Conflict):
        totp.remove(user, needed=True, letters=letters(), now=NOW)
    assert totp.is_set_up(user.id)
    totp.remove(user, needed=False, letters=letters(), now=NOW)
    assert User.get_by_id(user.id).second_factor_since is None
    assert recovery_codes.left(user.id) == 0
    assert not trusted_devices.is_trusted(user.id, device, now=NOW)
    assert [row.kind for row in Message.select().order_by(Message.id)] == [
        "authenticator_added",
        "recovery_codes_renewed",
        "authenticator_removed",
    ]


def test_a_recovery_code_works_once_however_it_is_typed(user: User) -> None:
    with pytest.raises(Conflict):
        recovery_codes.renew(user, letters=letters(), now=NOW)
    enrolled(user)
    codes = recovery_codes.renew(user, letters=letters(), now=NOW)
    assert len(set(codes)) == recovery_codes.HOW_MANY
    assert all(recovery_codes.looks_like_one(code) for code in codes)
    assert not recovery_codes.use(make_user(), codes[0], letters=letters(), now=NOW)
    assert recovery_codes.use(user, f" {codes[0].upper()} ", letters=letters(), now=NOW)
    assert not recovery_codes.use(user, codes[0], letters=letters(), now=NOW)
    assert recovery_codes.use(user, codes[1].replace("-", ""), letters=letters(), now=NOW)
    assert recovery_codes.left(user.id) == 8
    fresh = recovery_codes.renew(user, letters=letters(), now=NOW)
    assert not recovery_codes.use(user, codes[2], letters=letters(), now=NOW)
    assert recovery_codes.use(user, fresh[0], letters=letters(), now=NOW)


def test_of_many_who_use_one_recovery_code_at_once_one_gets_in(user: User) -> None:
    enrolled(user)
    code = recovery_codes.renew(user, letters=letters(), now=NOW)[0]
    won: list[bool] = []

    def use() -> None:
        try:
            won.append(recovery_codes.use(user, code, letters=letters(), now=NOW))
        finally:
            database.close_thread()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1


def test_admins_and_who_earns_must_have_a_second_factor_and_the_demo_is_let_off(
    appliance: Appliance,
) -> None:
    assert second_factor.required({RoleName.ADMIN})
    assert second_factor.required({RoleName.LISTENER}, handles_money=True)
    assert not second_factor.required({RoleName.LISTENER, RoleName.ARTIST, RoleName.MODERATOR})
    admin = make_user(roles=(RoleName.ADMIN,))
    assert second_factor.missing(admin, {RoleName.ADMIN})
    enrolled(admin)
    assert not second_factor.missing(admin, {RoleName.ADMIN})
    demo = people.create("demo@example.com", "password123", roles=[RoleName.ADMIN], now=NOW, demo=True)
    assert not second_factor.missing(demo, {RoleName.ADMIN})


def test_an_operator_lets_in_who_lost_everything(user: User) -> None:
    enrolled(user)
    recovery_codes.renew(user, letters=letters(), now=NOW)
    before = User.get_by_id(user.id).fs_uniquifier
    people.reset_second_factor(user, letters=letters(), now=NOW)
    after = User.get_by_id(user.id)
    assert after.second_factor_since is None
    assert after.fs_uniquifier != before
    assert not totp.is_set_up(user.id)
    assert Message.select().order_by(Message.id.desc()).get().kind == "second_factor_reset"


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "8 to 200"),
        ("x" * 201, "8 to 200"),
        ("password123", "Many people"),
        ("PassWord123", "Many people"),
        ("zzzzzzzzzzzzz", "One letter"),
        ("mira@example.com", "itself"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        passwords.require(password, email="Mira@example.com")


def test_a_password_of_plain_words_or_any_script_is_taken() -> None:
    for password in ("harbour lights at low tide", "пароль для гавани", "🌊🌊🌊🌊⚓🌊🌊🌊"):
        assert passwords.matches(password, passwords.hashed(passwords.require(password)))


def test_a_password_is_the_same_however_a_device_writes_its_letters() -> None:
    kept = passwords.hashed(passwords.require("Hafenbrücke bei Nacht"))
    assert kept.startswith("$argon2id$")
    assert passwords.matches("Hafenbru\u0308cke bei Nacht", kept)
    assert not passwords.matches("Hafenbrücke", kept)
    assert not passwords.matches("x", "no hash at all")
