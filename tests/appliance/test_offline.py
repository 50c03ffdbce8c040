"""What a browser may keep, and the key it keeps it under: bound to the person, the session, the track, and the right."""

from datetime import timedelta

import pytest

from appliance.accounts.models import User
from appliance.catalog.models import Quality
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.errors import Conflict
from appliance.errors import NotAllowed
from appliance.memberships import offline
from appliance.memberships.access import Access
from appliance.memberships.offline import Offer
from tests.makers import NOW

WHOLE = Access(may_see=True, may_play=True, may_play_offline=True, top_quality=Quality.MASTER)
ONLINE_ONLY = Access(may_see=True, may_play=True, top_quality=Quality.MASTER)
LADDER = [Rendition(quality=quality, size_bytes=100 + n) for n, quality in enumerate(Quality)]


def somebody(name: str = "A", sign_in: str = "1") -> User:
    return User(id=name, fs_uniquifier=sign_in)


def offered(
    user: User | None = None,
    *,
    track: str = "T",
    right: Access = WHOLE,
    session: str = "s",
    secret: str = "x",
) -> Offer:
    given = user or somebody()
    return offline.offer(given, Track(id=track), right, LADDER, session=session, secret=secret, now=NOW)


def test_the_key_is_the_same_while_one_stays_signed_in() -> None:
    assert offered().key == offered().key
    assert len(offered().key) == 32


@pytest.mark.parametrize(
    "other",
    [
        {"user": somebody("B")},
        {"user": somebody(sign_in="2")},
        {"session": "t"},
        {"track": "U"},
        {"secret": "y"},
    ],
    ids=["person", "all sessions ended", "session", "track", "server"],
)
def test_everything_else_gets_another_key(other: dict) -> None:
    assert offered(**other).key != offered().key


def test_no_two_parts_run_into_each_other() -> None:
    assert offered(somebody("AB", "1")).key != offered(somebody("A", "B1")).key


def test_the_owner_is_one_for_all_tracks_and_tells_nothing() -> None:
    assert offered().owner == offered(track="U").owner == offline.owner(somebody(), session="s", secret="x")
    assert offered().owner != offered(session="t").owner
    assert offered().owner != "A" and offered().key.hex()[:24] != offered().owner


def test_the_best_that_every_browser_plays_is_kept_for_thirty_days() -> None:
    found = offered()
    assert (found.quality, found.size_bytes) == (Quality.HIGH, 102)
    assert found.expires_at == NOW + timedelta(days=30)
    low = Access(may_see=True, may_play=True, may_play_offline=True, top_quality=Quality.LOW)
    assert offered(right=low).quality == Quality.LOW


def test_who_may_only_listen_online_gets_nothing() -> None:
    with pytest.raises(NotAllowed):
        offered(right=ONLINE_ONLY)


def test_what_is_not_ready_cannot_be_kept() -> None:
    with pytest.raises(Conflict):
        offline.offer(somebody(), Track(id="T"), WHOLE, [], session="s", secret="x", now=NOW)
