"""The permission in a media address: read as it was written, by nobody forged, and over when the right behind it is."""

import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance import database
from appliance import revocations
from appliance.catalog.models import Quality
from appliance.errors import NotAllowed
from appliance.memberships import media_tokens
from appliance.memberships.media_tokens import Grant
from appliance.startup import Appliance

SECRET = "secret"
NOW_S = 1_800_000_000
ASSET = "TRACK.RUN"
GRANT = Grant(
    asset=ASSET,
    qualities=frozenset({Quality.LOW, Quality.HIGH}),
    expires_at_s=NOW_S + 600,
    epoch=7,
    listener="LISTENER",
    artist="ARTIST",
    release="RELEASE",
)
TOKEN = media_tokens.sign(GRANT, secret=SECRET)


def read(token: str, asset: str = ASSET, *, now_s: int = NOW_S) -> Grant:
    return media_tokens.read(token, asset, secret=SECRET, now_s=now_s)


def signed(*, secret: str = SECRET, **changed: object) -> str:
    return media_tokens.sign(replace(GRANT, **changed), secret=secret)  # type: ignore[arg-type]


def test_a_grant_comes_back_as_it_was_given() -> None:
    for qualities in (frozenset[str](), frozenset({Quality.MASTER}), frozenset(Quality)):
        grant = replace(GRANT, qualities=qualities, listener="", epoch=0, expires_at_s=NOW_S + 1)
        assert read(media_tokens.sign(grant, secret=SECRET)) == grant


def test_a_token_can_stand_in_an_address_as_it_is_and_keeps_it_short() -> None:
    assert set(TOKEN) <= set(string.ascii_letters + string.digits + "-_.")
    assert ".." not in signed(listener=""), "some proxies take two dots for a way up"
    longest = "01M7XV3QRS0KG0EQDX7R7YNTGR"
    assert (
        len(
            signed(
                listener=longest, artist=longest, release=longest, qualities=frozenset(Quality), epoch=10**9
            )
        )
        < 130
    )


def test_it_works_until_its_last_second() -> None:
    assert read(TOKEN, now_s=NOW_S + 599) == GRANT
    for now_s in (NOW_S + 600, NOW_S + 10**9):
        with pytest.raises(NotAllowed, match="expired"):
            read(TOKEN, now_s=now_s)


def test_a_clock_that_was_wrong_makes_no_permission_that_lasts() -> None:
    tomorrow = signed(expires_at_s=NOW_S + 86_400 + 600)
    with pytest.raises(NotAllowed, match="expired"):
        media_tokens.read(tomorrow, ASSET, secret=SECRET, now_s=NOW_S, longest_s=600)
    assert media_tokens.read(tomorrow, ASSET, secret=SECRET, now_s=NOW_S + 86_400, longest_s=600)
    a_little_ahead = signed(expires_at_s=NOW_S + 600 + media_tokens.SKEW_S)
    assert media_tokens.read(a_little_ahead, ASSET, secret=SECRET, now_s=NOW_S, longest_s=600)


def test_the_key_is_another_one_every_day_and_by_secret() -> None:
    assert media_tokens._key(SECRET, 1) != media_tokens._key(SECRET, 2)
    with pytest.raises(NotAllowed, match="not valid"):
        read(signed(secret="other"))


def test_one_made_before_midnight_lasts_over_it() -> None:
    midnight = (NOW_S // 86_400 + 1) * 86_400
    for expires_at_s in (midnight - 1, midnight, midnight + 300):
        assert read(signed(expires_at_s=expires_at_s), now_s=expires_at_s - 1)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80) | st.text(string.ascii_letters + "-_.=+/", max_size=200))
def test_no_text_at_all_is_taken_for_a_token(text: str) -> None:
    with pytest.raises(NotAllowed):
        read(text)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(TOKEN) - 1), st.sampled_from(string.printable + "é\ud800"))
def test_no_letter_can_be_changed(at: int, letter: str) -> None:
    forged = TOKEN[:at] + letter + TOKEN[at + 1 :]
    if forged != TOKEN:
        with pytest.raises(NotAllowed):
            read(forged)


def test_no_part_of_it_can_be_moved_to_another() -> None:
    other = signed(qualities=frozenset(Quality), expires_at_s=NOW_S + 500, listener="OTHER")
    mine, theirs = TOKEN.split("."), other.split(".")
    for at in range(len(mine)):
        if mine[at] != theirs[at]:
            with pytest.raises(NotAllowed):
                read(".".join([*mine[:at], theirs[at], *mine[at + 1 :]]))
    for wrong in (
        TOKEN + "=",
        TOKEN + ".",
        "." + TOKEN,
        TOKEN.upper(),
        "0" + TOKEN,
        TOKEN.rpartition(".")[0],
    ):
        with pytest.raises(NotAllowed):
            read(wrong)


def test_it_opens_its_own_asset_and_qualities_only() -> None:
    media_tokens.require(GRANT, "low")
    for quality in ("lossless", "", "LOW"):
        with pytest.raises(NotAllowed):
            media_tokens.require(GRANT, quality)
    for asset in ("TRACK.OTHER", "TRACK", "", "TRACK.RUN.", "track.run"):
        with pytest.raises(NotAllowed):
            read(TOKEN, asset)


@pytest.fixture
def asked_anew(appliance: Appliance) -> Iterator[None]:
    revocations.forget()
    yield
    revocations.forget()


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize(
    "subject",
    ["listener:LISTENER", "member:LISTENER:ARTIST", "artist:ARTIST", "release:RELEASE", "track:TRACK"],
)
def test_it_ends_with_whatever_it_is_about(subject: str) -> None:
    grant = replace(GRANT, epoch=revocations.epoch())
    media_tokens.require_standing(grant)
    with database.transaction():
        revocations.revoke(
            "listener:OTHER", "member:LISTENER:OTHER", "track:RUN", now=datetime.fromtimestamp(NOW_S, UTC)
        )
    media_tokens.require_standing(grant)
    with database.transaction():
        revocations.revoke(subject, now=datetime.fromtimestamp(NOW_S, UTC))
    with pytest.raises(NotAllowed, match="ended"):
        media_tokens.require_standing(grant)
    media_tokens.require_standing(replace(grant, epoch=revocations.epoch()))
