"""Download codes: nobody guesses them, one person has each, and they end when they are said to."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from appliance import database
from appliance.accounts.models import User
from appliance.catalog.models import Release
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.mail import Message
from appliance.memberships import access
from appliance.memberships.models import Purchase
from appliance.shop import codes
from appliance.shop import delivery
from appliance.shop.models import CodeBatch
from appliance.shop.models import DownloadCode
from appliance.shop.models import Order
from appliance.shop.orders import Buyer
from tests.makers import NOW
from tests.makers import make_user


def make(release: Release, number: int = 1, **more: object) -> tuple[CodeBatch, list[str]]:
    batch = codes.make(release, number, actor=release.artist.owner, now=NOW, **more)  # type: ignore[arg-type]
    return batch, [code for code, _ in codes.every(batch)]


def test_codes_are_many_and_no_two_alike(release: Release) -> None:
    batch, found = make(release, 1000, name="Vinyl inlay")
    assert len(set(found)) == 1000
    assert all(len(code) == 14 and code[4] == code[9] == "-" for code in found)
    assert not set("".join(found)) & set("01IO")
    assert codes.redeemed([batch]) == {}


@pytest.mark.parametrize("number", [0, -1, 10**12])
def test_a_number_of_codes_that_cannot_be_is_refused(release: Release, number: int) -> None:
    with pytest.raises(Invalid, match="5,000 codes at once"):
        make(release, number)


def test_a_code_opens_its_release_once(release: Release, fan: User) -> None:
    batch, [code] = make(release)
    order = codes.redeem(f" {code.lower().replace('-', ' ')} ", Buyer("", fan), now=NOW)
    assert access.to_release(fan, release, roles=frozenset(), now=NOW).may_download
    assert (order.total_minor, codes.redeemed([batch])) == (0, {batch.id: 1})
    assert "Harbour Lights by Night Ferry is yours" in Message.get(Message.to == fan.email).text
    with pytest.raises(Conflict, match="redeemed already"):
        codes.redeem(code, Buyer("", make_user()), now=NOW)


def test_who_has_it_already_keeps_the_code_for_a_friend(release: Release, fan: User) -> None:
    _batch, [first, second] = make(release, 2)
    codes.redeem(first, Buyer("", fan), now=NOW)
    with pytest.raises(Conflict, match="give it to a friend"):
        codes.redeem(second, Buyer("", fan), now=NOW)
    codes.redeem(second, Buyer("friend@example.com"), now=NOW)


def test_without_an_account_it_waits_for_the_address(release: Release) -> None:
    _batch, [code] = make(release)
    codes.redeem(code, Buyer("later@example.com"), now=NOW)
    assert not Purchase.select().count()
    later = make_user("later@example.com")
    assert delivery.claim(later, now=NOW) == 1
    assert access.to_release(later, release, roles=frozenset(), now=NOW).may_download


@pytest.mark.parametrize("code", ["", "ABCD", "0000-0000-0000", "ABCD-EFGH-JKLM", "x" * 5000, "\x00ß"])
def test_what_is_no_code_opens_nothing(release: Release, fan: User, code: str) -> None:
    make(release)
    with pytest.raises(NotFound, match="There is no such code"):
        codes.redeem(code, Buyer("", fan), now=NOW)


def test_codes_end_on_their_day_or_when_they_are_stopped(release: Release, fan: User) -> None:
    _batch, [ending] = make(release, expires_at=NOW + timedelta(days=1))
    with pytest.raises(Conflict, match="is over"):
        codes.redeem(ending, Buyer("", fan), now=NOW + timedelta(days=1))
    batch, [stopped] = make(release)
    codes.stop(release.artist, batch.id, actor=release.artist.owner, now=NOW)
    with pytest.raises(Conflict, match="opens nothing any more"):
        codes.redeem(stopped, Buyer("", fan), now=NOW)
    with pytest.raises(Invalid, match="has passed"):
        make(release, expires_at=NOW)


def test_of_fifty_who_redeem_one_code_at_once_exactly_one_has_it(release: Release) -> None:
    _batch, [code] = make(release)
    people = [make_user() for _ in range(5)]
    ends: list[str] = []

    def redeem(number: int) -> None:
        buyer = Buyer("", people[number]) if number < 5 else Buyer(f"{number}@example.com")
        try:
            codes.redeem(code, buyer, now=NOW)
            ends.append("yes")
        except MusicConnectError as error:
            ends.append(str(error))
        database.close_thread()

    threads = [threading.Thread(target=redeem, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["This code was redeemed already."] * 49 + ["yes"]
    assert Order.select().count() == 1
    assert DownloadCode.get().order_id == Order.get().id
