"""The permission in a media address: read as it was written, and by nobody forged."""

import string

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance.catalog.models import Quality
from appliance.errors import NotAllowed
from appliance.memberships import media_tokens
from appliance.memberships.media_tokens import Grant

SECRET = "secret"
NOW_S = 1_800_000_000
GRANT = Grant("TRACK.RUN", frozenset({Quality.LOW, Quality.HIGH}), NOW_S + 600, "LISTENER")


def signed(grant: Grant = GRANT, *, secret: str = SECRET, now_s: int = NOW_S) -> str:
    return media_tokens.sign(grant, secret=secret, now_s=now_s)


def test_a_grant_comes_back_as_it_was_given() -> None:
    for qualities in (frozenset(), frozenset({Quality.MASTER}), frozenset(Quality)):
        grant = Grant("A.B", qualities, NOW_S + 1, "")
        assert media_tokens.read(signed(grant), secret=SECRET, now_s=NOW_S) == grant


def test_a_token_can_stand_in_an_address_as_it_is() -> None:
    assert set(signed()) <= set(string.ascii_letters + string.digits + "-_.")


def test_it_works_until_its_last_second() -> None:
    token = signed()
    assert media_tokens.read(token, secret=SECRET, now_s=NOW_S + 599) == GRANT
    for now_s in (NOW_S + 600, NOW_S + 10**9):
        with pytest.raises(NotAllowed, match="expired"):
            media_tokens.read(token, secret=SECRET, now_s=now_s)


def test_the_key_is_another_one_every_day_and_by_secret() -> None:
    tokens = {signed(), signed(now_s=NOW_S + 86_400), signed(secret="other")}
    assert len({token.partition(".")[2] for token in tokens}) == 3
    with pytest.raises(NotAllowed, match="not valid"):
        media_tokens.read(signed(secret="other"), secret=SECRET, now_s=NOW_S)


def test_a_day_that_was_swapped_is_found_out() -> None:
    other = signed(now_s=NOW_S + 86_400)
    forged = f"{other.partition('.')[0]}.{signed().partition('.')[2]}"
    with pytest.raises(NotAllowed):
        media_tokens.read(forged, secret=SECRET, now_s=NOW_S)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80) | st.text(string.ascii_letters + "-_.=+/", max_size=200))
def test_no_text_at_all_is_taken_for_a_token(text: str) -> None:
    with pytest.raises(NotAllowed):
        media_tokens.read(text, secret=SECRET, now_s=NOW_S)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(signed()) - 1), st.sampled_from(string.printable + "é\ud800"))
def test_no_letter_can_be_changed(at: int, letter: str) -> None:
    token = signed()
    forged = token[:at] + letter + token[at + 1 :]
    if forged != token:
        with pytest.raises(NotAllowed):
            media_tokens.read(forged, secret=SECRET, now_s=NOW_S)


def test_it_opens_its_own_asset_and_qualities_only() -> None:
    media_tokens.require(GRANT, "TRACK.RUN", "low")
    for asset, quality in (("TRACK.RUN", "lossless"), ("TRACK.OTHER", "low"), ("", ""), ("TRACK.RUN", "")):
        with pytest.raises(NotAllowed):
            media_tokens.require(GRANT, asset, quality)
    assert media_tokens.allowed(["low", "medium", "high"], GRANT) == ["low", "high"]
