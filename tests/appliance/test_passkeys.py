"""Passkeys, on both engines, with an authenticator in software: what opens an account, and everything that does not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from appliance.accounts import passkeys
from appliance.accounts.factor_models import Passkey
from appliance.accounts.letters import Letters
from appliance.accounts.models import User
from appliance.accounts.passkeys import Party
from appliance.accounts.passkeys import WrongPasskey
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_user
from tests.servers.authenticator import Authenticator

HERE = Party("music.example", "https://music.example", "Tide Collective", "the secret of the node")


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def user(appliance: Appliance) -> User:
    return make_user("mira@example.com")


def letters() -> Letters:
    return Letters("Tide Collective", "en")


def phone() -> Authenticator:
    return Authenticator(HERE.host, HERE.origin)


def register(user: User, device: Authenticator, name: str = "Phone") -> Passkey:
    answer = device.make(passkeys.creation_options(user, HERE, now=NOW))
    return passkeys.register(user, answer, name=name, party=HERE, letters=letters(), now=NOW)


def asked(*, purpose: str = "sign-in") -> str:
    return passkeys.request_options(HERE, purpose=purpose, now=NOW)


def test_a_passkey_is_made_used_and_removed(user: User) -> None:
    device = phone()
    row = register(user, device)
    assert user.second_factor_since == NOW
    answer = device.use(asked(), handle=user.id.encode())
    found = passkeys.authenticate(answer, party=HERE, purpose="sign-in", now=NOW)
    assert found.user.id == user.id
    kept = Passkey.get_by_id(row.id)
    assert (kept.sign_count, kept.last_used_at) == (device.counter, NOW)
    with pytest.raises(NotFound):
        passkeys.remove(make_user(), row.id, needed=False, letters=letters(), now=NOW)
    with pytest.raises(Conflict):
        passkeys.remove(user, row.id, needed=True, letters=letters(), now=NOW)
    passkeys.remove(user, row.id, needed=False, letters=letters(), now=NOW)
    assert user.second_factor_since is None
    with pytest.raises(WrongPasskey):
        passkeys.authenticate(device.use(asked()), party=HERE, purpose="sign-in", now=NOW)


def test_an_answer_is_taken_once(user: User) -> None:
    device = phone()
    register(user, device)
    answer = device.use(asked())
    passkeys.authenticate(answer, party=HERE, purpose="sign-in", now=NOW)
    Passkey.update(sign_count=0).execute()
    with pytest.raises(WrongPasskey):
        passkeys.authenticate(answer, party=HERE, purpose="sign-in", now=NOW)


def test_an_answer_to_another_question_opens_nothing(user: User) -> None:
    device = phone()
    register(user, device)
    for options in (
        asked(purpose=f"step-up:{user.id}"),
        passkeys.request_options(replace(HERE, secret="another node"), purpose="sign-in", now=NOW),
        passkeys.request_options(HERE, purpose="sign-in", now=NOW - passkeys.LIVES - timedelta(seconds=2)),
        passkeys.request_options(HERE, purpose="sign-in", now=NOW + timedelta(minutes=1)),
        passkeys.creation_options(user, HERE, now=NOW),
        json.dumps({"challenge": "AAAA"}),
    ):
        with pytest.raises(WrongPasskey):
            passkeys.authenticate(device.use(options), party=HERE, purpose="sign-in", now=NOW)


def test_a_passkey_of_another_place_person_or_key_opens_nothing(user: User) -> None:
    device = phone()
    register(user, device)
    false_page = replace(device, origin="https://music.example.evil")
    other_host = replace(device, host="evil.example")
    other_key = Authenticator(HERE.host, HERE.origin, credential_id=device.credential_id)
    unknown = phone()
    for wrong in (false_page, other_host, other_key, unknown):
        with pytest.raises(WrongPasskey):
            passkeys.authenticate(wrong.use(asked()), party=HERE, purpose="sign-in", now=NOW)
    with pytest.raises(WrongPasskey):
        passkeys.authenticate(
            device.use(asked()), party=HERE, purpose="sign-in", user_id=make_user().id, now=NOW
        )
    with pytest.raises(WrongPasskey):
        answer = device.use(asked(), handle=b"somebody else")
        passkeys.authenticate(answer, party=HERE, purpose="sign-in", now=NOW)
    User.update(active=False).where(User.id == user.id).execute()
    with pytest.raises(WrongPasskey):
        passkeys.authenticate(device.use(asked()), party=HERE, purpose="sign-in", now=NOW)


def test_alone_it_must_have_seen_its_owner_and_after_the_password_it_need_not(user: User) -> None:
    device = phone()
    register(user, device)
    device.verifies = False
    with pytest.raises(WrongPasskey):
        passkeys.authenticate(device.use(asked()), party=HERE, purpose="sign-in", now=NOW)
    assert passkeys.authenticate(device.use(asked()), party=HERE, purpose="sign-in", verified=False, now=NOW)


def test_a_copy_whose_counter_lags_opens_nothing(user: User) -> None:
    device = phone()
    register(user, device)
    copy = replace(device)
    passkeys.authenticate(device.use(asked()), party=HERE, purpose="sign-in", now=NOW)
    with pytest.raises(WrongPasskey):
        passkeys.authenticate(copy.use(asked()), party=HERE, purpose="sign-in", now=NOW)


def test_a_passkey_is_kept_once_with_a_name_and_not_without_end(user: User) -> None:
    device = phone()
    for name in ("", " ", "x" * 61):
        with pytest.raises(Invalid):
            register(user, device, name)
    register(user, device)
    with pytest.raises(Conflict):
        register(make_user(), device)
    while Passkey.select().count() < passkeys.MOST:
        register(user, phone())
    with pytest.raises(Conflict, match="at most 20"):
        register(user, phone())


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "[]",
        "null",
        "7",
        '"x"',
        "{" * 9000,
        "[" * 19_000,
        "\0",
        '{"id": "x", "rawId": "x", "type": "public-key", "response": {}}',
        '{"id": 1, "rawId": [], "type": {}, "response": null}',
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "AA", "attestationObject": "AA", '
        '"authenticatorData": "AA", "signature": "AA"}}',
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30", "attestationObject": "oA", '
        '"authenticatorData": "AA", "signature": "\ud800"}}',
    ],
)
def test_rubbish_is_refused_in_one_sentence(user: User, answer: str) -> None:
    with pytest.raises(WrongPasskey):
        passkeys.register(user, answer, name="x", party=HERE, letters=letters(), now=NOW)
    with pytest.raises(WrongPasskey):
        passkeys.authenticate(answer, party=HERE, purpose="sign-in", now=NOW)


def test_every_changed_letter_of_an_answer_is_refused(user: User) -> None:
    device = phone()
    register(user, device)
    good = device.use(asked())
    said = json.loads(good)
    for part in ("authenticatorData", "signature", "clientDataJSON"):
        text = said["response"][part]
        for place in range(0, len(text) - 2, 9):
            changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
            wrong = json.dumps({**said, "response": {**said["response"], part: changed}})
            with pytest.raises(WrongPasskey):
                passkeys.authenticate(wrong, party=HERE, purpose="sign-in", now=NOW)
    assert passkeys.authenticate(good, party=HERE, purpose="sign-in", now=NOW)
