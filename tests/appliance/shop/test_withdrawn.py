"""What an artist withdraws stays with those who bought it before; what is taken down is shut for everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import takedowns
from appliance.catalog import tracks
from appliance.catalog.models import Quality
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.memberships import access
from appliance.memberships.access import Access
from appliance.payments import RefundFact
from appliance.shop import prices
from appliance.shop.models import Kind
from appliance.shop.models import OrderState
from appliance.shop.quotes import Wish
from tests.appliance.shop.conftest import buy
from tests.appliance.shop.conftest import tell
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_user
from tests.shop_till import Till

LATER = NOW + timedelta(hours=1)


def right(user: User, row: Release | Track) -> Access:
    ask = access.to_release if isinstance(row, Release) else access.to_track
    row = releases.find(row.id) if isinstance(row, Release) else tracks.find(row.id)
    return ask(user, row, roles=frozenset(), now=LATER)  # type: ignore[operator]


def only_track(release: Release) -> Track:
    return Track.get(Track.release == release.id)


def bought(fan: User, till: Till, kind: Kind, subject: str) -> str:
    order = buy(Wish(kind, subject), fan)
    return tell(order.id, till.paid(order.id, at=NOW)).id


@pytest.mark.usefixtures("artist")
def test_who_bought_it_goes_on_hearing_and_downloading_it(till: Till, release: Release, fan: User) -> None:
    bought(fan, till, Kind.RELEASE, release.id)
    publishing.take_back(release, now=LATER)
    for row in (release, only_track(release)):
        found = right(fan, row)
        assert (found.may_see, found.may_play, found.may_download, found.may_play_offline) == (True,) * 4
        assert (found.top_quality, found.downloads_a_month, found.until) == (Quality.MASTER, None, None)
        assert (found.may_edit, found.may_publish) == (False, False)
        assert "stays yours" in found.reason
        assert right(make_user(), row) == access.NOTHING
    # Whether it waits for another day, or is out again, changes nothing for them.
    publishing.schedule(release, LATER + timedelta(days=9), now=LATER)
    assert right(fan, release).may_download
    publishing.publish(releases.find(release.id), now=LATER)
    assert right(fan, release).reason == "You bought this."


def test_a_takedown_and_a_refund_shut_what_was_kept(till: Till, release: Release, fan: User) -> None:
    order = bought(fan, till, Kind.RELEASE, release.id)
    publishing.take_back(release, now=LATER)
    admin = make_user(roles=(RoleName.ADMIN,))
    takedowns.take_down(releases.find(release.id), "A claim", actor=admin, now=LATER)
    assert right(fan, release) == access.NOTHING
    takedowns.restore(releases.find(release.id), actor=admin, now=LATER)
    assert right(fan, release).may_play
    tell(order, RefundFact("re", f"pay_{order}_1", 700, "EUR", LATER))
    assert right(fan, release) == access.NOTHING


def test_a_track_that_was_bought_stays_and_the_rest_of_its_release_is_shut(
    till: Till, release: Release, fan: User
) -> None:
    track, other = only_track(release), add_track(release, title="High Tide")
    prices.set_track(track, 100, pay_more=False, actor=release.artist.owner, now=NOW)
    bought(fan, till, Kind.TRACK, track.id)
    publishing.take_back(release, now=LATER)
    assert right(fan, track).may_download
    assert right(fan, other) == access.NOTHING
    whole = right(fan, release)
    assert (whole.may_see, whole.may_play, whole.may_download) == (True, False, False)


def test_what_an_artist_adds_to_a_draft_is_heard_by_nobody_else(
    till: Till, release: Release, fan: User
) -> None:
    bought(fan, till, Kind.RELEASE, release.id)
    publishing.take_back(release, now=NOW)
    added = add_track(release, title="Not done yet", now=LATER)
    assert right(fan, added) == access.NOTHING
    publishing.publish(releases.find(release.id), now=LATER)
    assert right(fan, added).may_download


def test_who_orders_it_ahead_after_that_waits_for_its_day(till: Till, release: Release, fan: User) -> None:
    publishing.take_back(release, now=NOW - timedelta(hours=2))
    publishing.schedule(release, NOW + timedelta(days=9), now=NOW - timedelta(hours=1))
    prices.set_release(release, 700, pay_more=True, preorder=True, actor=release.artist.owner, now=NOW)
    bought(fan, till, Kind.RELEASE, release.id)
    assert right(fan, release) == access.NOTHING


def test_what_was_ordered_before_and_paid_after_is_theirs(till: Till, release: Release, fan: User) -> None:
    order = buy(Wish(Kind.RELEASE, release.id), fan)
    publishing.take_back(release, now=LATER)
    paid = tell(order.id, till.paid(order.id, at=LATER + timedelta(days=9)))
    assert paid.state == OrderState.PAID
    assert right(fan, release).may_download
