"""Who may see, hear and change what."""

import pytest

from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Quality
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.memberships import access
from appliance.memberships.access import Standing
from appliance.startup import Appliance
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user

NOBODY: frozenset[str] = frozenset()
ADMIN = frozenset({RoleName.LISTENER, RoleName.ADMIN})


@pytest.mark.parametrize(
    ("standing", "state", "rights"),
    [
        (Standing.PUBLIC, ReleaseState.DRAFT, (False, False, False)),
        (Standing.PUBLIC, ReleaseState.PUBLISHED, (True, True, False)),
        (Standing.OWNER, ReleaseState.DRAFT, (True, True, True)),
        (Standing.OWNER, ReleaseState.PUBLISHED, (True, True, True)),
        (Standing.ADMIN, ReleaseState.DRAFT, (True, True, True)),
        (Standing.ADMIN, ReleaseState.PUBLISHED, (True, True, True)),
    ],
)
def test_rights_follow_from_standing_and_state(
    standing: Standing, state: ReleaseState, rights: tuple[bool, bool, bool]
) -> None:
    decided = access.decide(standing, state)
    assert (decided.may_see, decided.may_play, decided.may_edit) == rights
    assert decided.reason.endswith(".")


def test_a_draft_is_for_those_who_make_it(appliance: Appliance) -> None:
    owner, other = make_user(), make_user()
    release = make_release(make_artist(owner))
    assert access.require_edit(owner, release, roles=NOBODY).may_edit
    assert access.require_edit(other, release, roles=ADMIN).may_edit
    for who in (other, None):
        with pytest.raises(NotFound):
            access.require_sight(who, release, roles=NOBODY)
        with pytest.raises(NotFound):
            access.require_edit(who, release, roles=NOBODY)


def test_the_role_of_an_admin_without_a_person_opens_nothing(appliance: Appliance) -> None:
    with pytest.raises(NotFound):
        access.require_sight(None, make_release(), roles=ADMIN)


def test_what_is_public_is_seen_and_not_touched(appliance: Appliance) -> None:
    release, other = make_release(), make_user(roles=(RoleName.ARTIST,))
    release.state = ReleaseState.PUBLISHED
    for who in (other, None):
        assert access.require_sight(who, release, roles=frozenset({RoleName.ARTIST})).may_play
        with pytest.raises(NotAllowed):
            access.require_edit(who, release, roles=NOBODY)
        with pytest.raises(NotAllowed):
            access.require_artist(who, release.artist, roles=NOBODY)


def test_what_can_be_played_is_what_there_is_up_to_the_top() -> None:
    made = ["lossless", "low", "high"]
    free = access.decide(Standing.PUBLIC, ReleaseState.PUBLISHED)
    assert access.playable(Track(), free, made) == [Quality.LOW, Quality.HIGH, Quality.LOSSLESS]
    limited = access.Access(True, True, False, Quality.MEDIUM, "")
    assert access.playable(Track(), limited, made) == [Quality.LOW]
    none = access.decide(Standing.PUBLIC, ReleaseState.DRAFT)
    assert access.playable(Track(), none, made) == []


def test_an_owner_is_known_by_id() -> None:
    assert access.standing(User(id="A"), Artist(owner="A"), roles=NOBODY) is Standing.OWNER
    assert access.standing(User(id="B"), Artist(owner="A"), roles=NOBODY) is Standing.PUBLIC
