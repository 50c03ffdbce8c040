"""Who may see, hear and change what."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.models import Audience
from appliance.catalog.models import Quality
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.memberships import access
from appliance.memberships.access import Access
from appliance.memberships.access import Standing
from appliance.memberships.access import WayIn
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.queries import counted

NOBODY: frozenset[str] = frozenset()
ADMIN = frozenset({RoleName.LISTENER, RoleName.ADMIN})
RIGHTS = (
    "may_see",
    "may_preview",
    "may_play",
    "may_play_offline",
    "may_edit",
    "may_publish",
    "may_manage",
)

# What each standing may do: see, preview, play, take offline, edit, publish, manage.
TABLE: dict[tuple[Standing, bool], str] = {
    (Standing.CONTRIBUTOR, True): "SPWOE--",
    (Standing.CONTRIBUTOR, False): "SPWO---",
    (Standing.MANAGER, True): "SPWOEP-",
    (Standing.MANAGER, False): "SPWOEP-",
    (Standing.OWNER, True): "SPWOEPM",
    (Standing.OWNER, False): "SPWOEPM",
    (Standing.ADMIN, True): "SPWOEPM",
    (Standing.ADMIN, False): "SPWOEPM",
}
"""Those who make it, by whether it is a draft; neither audience nor key nor session changes anything for them."""
PUBLIC_TABLE: dict[tuple[bool, Audience, bool, bool], str] = {
    # (published, audience, key shown, signed in)
    (False, Audience.EVERYONE, False, False): "-------",
    (False, Audience.EVERYONE, False, True): "-------",
    (False, Audience.EVERYONE, True, False): "SPW----",
    (False, Audience.EVERYONE, True, True): "SPWO---",
    (False, Audience.LISTENERS, False, False): "-------",
    (False, Audience.LISTENERS, False, True): "-------",
    (False, Audience.LISTENERS, True, False): "SPW----",
    (False, Audience.LISTENERS, True, True): "SPWO---",
    (True, Audience.EVERYONE, False, False): "SPW----",
    (True, Audience.EVERYONE, False, True): "SPWO---",
    (True, Audience.EVERYONE, True, False): "SPW----",
    (True, Audience.EVERYONE, True, True): "SPWO---",
    (True, Audience.LISTENERS, False, False): "SP-----",
    (True, Audience.LISTENERS, False, True): "SPWO---",
    (True, Audience.LISTENERS, True, False): "SPW----",
    (True, Audience.LISTENERS, True, True): "SPWO---",
}
"""Everybody else."""
EVERY = list(itertools.product(Standing, ReleaseState, Audience, (False, True), (False, True)))


def granted(right: Access) -> str:
    return "".join(
        letter if getattr(right, name) else "-" for letter, name in zip("SPWOEPM", RIGHTS, strict=True)
    )


@pytest.mark.parametrize(("standing", "state", "audience", "key_shown", "signed_in"), EVERY)
def test_rights_follow_from_standing_state_audience_key_and_session(
    standing: Standing, state: ReleaseState, audience: Audience, key_shown: bool, signed_in: bool
) -> None:
    right = access.decide(standing, state, audience=audience, key_shown=key_shown, signed_in=signed_in)
    published = state is ReleaseState.PUBLISHED
    if standing is Standing.PUBLIC:
        assert granted(right) == PUBLIC_TABLE[published, audience, key_shown, signed_in]
    else:
        assert granted(right) == TABLE[standing, state is ReleaseState.DRAFT]
    assert right.reason.endswith(".")
    # A way in is offered where it leads somewhere, and to nobody who must not know what is there.
    assert (right.way_in is WayIn.SIGN_IN) == (right.may_see and not right.may_play)


standings = st.sampled_from(Standing)
states = st.sampled_from(ReleaseState)
audiences = st.sampled_from(Audience)


def weaker(less: Access, more: Access) -> bool:
    ladder = list(Quality)
    return ladder.index(less.top_quality) <= ladder.index(more.top_quality) and all(
        getattr(more, name) or not getattr(less, name) for name in RIGHTS
    )


@given(standings, states, audiences, st.booleans())
def test_signing_in_never_takes_anything_away(
    standing: Standing, state: ReleaseState, audience: Audience, key_shown: bool
) -> None:
    out, inside = (
        access.decide(standing, state, audience=audience, key_shown=key_shown, signed_in=signed_in)
        for signed_in in (False, True)
    )
    assert weaker(out, inside)


@given(standings, states, audiences, st.booleans())
def test_a_private_link_never_takes_anything_away(
    standing: Standing, state: ReleaseState, audience: Audience, signed_in: bool
) -> None:
    without, with_key = (
        access.decide(standing, state, audience=audience, key_shown=key_shown, signed_in=signed_in)
        for key_shown in (False, True)
    )
    assert weaker(without, with_key)


@given(standings, standings, states, audiences, st.booleans(), st.booleans())
def test_more_standing_never_takes_anything_away(
    one: Standing, other: Standing, state: ReleaseState, audience: Audience, key_shown: bool, signed_in: bool
) -> None:
    less, more = (other, one) if one.reaches(other) else (one, other)
    rights = [
        access.decide(who, state, audience=audience, key_shown=key_shown, signed_in=signed_in)
        for who in (less, more)
    ]
    assert weaker(*rights)


@given(states, audiences, st.booleans(), st.booleans())
def test_nobody_from_outside_ever_changes_anything(
    state: ReleaseState, audience: Audience, key_shown: bool, signed_in: bool
) -> None:
    right = access.decide(Standing.PUBLIC, state, audience=audience, key_shown=key_shown, signed_in=signed_in)
    assert not (right.may_edit or right.may_publish or right.may_manage)


def test_a_draft_is_for_those_who_make_it(appliance: Appliance) -> None:
    owner, other = make_user(), make_user()
    release = make_release(make_artist(owner))
    assert access.require_edit(owner, release, roles=NOBODY).may_edit
    assert access.require_edit(other, release, roles=ADMIN).may_edit
    for who in (other, None):
        for require in (access.require_sight, access.require_edit, access.require_publish):
            with pytest.raises(NotFound):
                require(who, release, roles=NOBODY)


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
            access.require_publish(who, release, roles=NOBODY)
        with pytest.raises(NotAllowed):
            access.require_artist(who, release.artist, roles=NOBODY)


def test_a_contributor_edits_drafts_and_publishes_nothing(appliance: Appliance) -> None:
    release, helper = make_release(), make_user()
    members.join(release.artist, helper, MemberRole.CONTRIBUTOR, now=NOW)
    assert access.require_edit(helper, release, roles=NOBODY).may_play
    with pytest.raises(NotAllowed, match="owner and the managers"):
        access.require_publish(helper, release, roles=NOBODY)
    release.state = ReleaseState.PUBLISHED
    with pytest.raises(NotAllowed, match="owner and the managers"):
        access.require_edit(helper, release, roles=NOBODY)


def test_each_act_on_an_artist_asks_for_its_standing(appliance: Appliance) -> None:
    artist, helper = make_artist(), make_user()
    members.join(artist, helper, MemberRole.MANAGER, now=NOW)
    assert access.require_artist(helper, artist, roles=NOBODY, least=Standing.MANAGER) is Standing.MANAGER
    with pytest.raises(NotAllowed, match="Only the owner of"):
        access.require_artist(helper, artist, roles=NOBODY, least=Standing.OWNER)
    assert access.require_artist(helper, artist, roles=ADMIN, least=Standing.OWNER) is Standing.ADMIN


def test_a_private_link_opens_its_own_release_and_no_other(appliance: Appliance) -> None:
    artist = make_artist()
    open_, shut, keyless = (make_release(artist) for _ in range(3))
    open_.private_key, shut.private_key = "a" * 43, "b" * 43
    rights = access.to_releases(None, [open_, shut, keyless], roles=NOBODY, keys={"a" * 43, ""})
    assert [rights[row.id].may_play for row in (open_, shut, keyless)] == [True, False, False]


def test_the_standing_on_a_list_takes_one_query(appliance: Appliance) -> None:
    person = make_user()
    rows: list[Release] = []
    for number, role in enumerate((None, MemberRole.CONTRIBUTOR, MemberRole.MANAGER, MemberRole.OWNER) * 3):
        artist = make_artist(person if role is MemberRole.OWNER else None, name=f"Act {number}")
        if role in (MemberRole.CONTRIBUTOR, MemberRole.MANAGER):
            members.join(artist, person, role, now=NOW)
        rows.append(make_release(artist))
    with counted() as queries:
        rights = access.to_releases(person, rows, roles=NOBODY)
    assert len(queries) == 1
    assert [rights[row.id].may_publish for row in rows] == [False, False, True, True] * 3
    for who, roles in ((None, NOBODY), (person, ADMIN)):
        with counted() as queries:
            access.to_releases(who, rows, roles=roles)
        assert len(queries) == 0


def test_what_can_be_played_is_what_there_is_up_to_the_top() -> None:
    made = ["lossless", "low", "high"]
    free = access.decide(Standing.PUBLIC, ReleaseState.PUBLISHED)
    assert access.playable(Track(), free, made) == [Quality.LOW, Quality.HIGH, Quality.LOSSLESS]
    limited = Access(may_see=True, may_play=True, top_quality=Quality.MEDIUM)
    assert access.playable(Track(), limited, made) == [Quality.LOW]
    assert access.playable(Track(), access.NOTHING, made) == []


def test_an_owner_is_known_by_id(appliance: Appliance) -> None:
    assert access.standing(User(id="A"), Artist(id="X", owner="A"), roles=NOBODY) is Standing.OWNER
    assert access.standing(User(id="B"), Artist(id="X", owner="A"), roles=NOBODY) is Standing.PUBLIC
