"""Who may see, hear and change what: the decision for every combination of facts, and what always holds."""

import itertools
from dataclasses import replace
from datetime import datetime
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.catalog.models import Audience
from appliance.catalog.models import Quality
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.memberships import access
from appliance.memberships.access import Access
from appliance.memberships.access import Facts
from appliance.memberships.access import Standing
from appliance.memberships.access import WayIn
from appliance.memberships.access import decide
from appliance.memberships.decision import Offer
from appliance.memberships.decision import Perks
from tests.makers import NOW

RIGHTS = (
    "may_see",
    "may_preview",
    "may_play",
    "may_download",
    "may_play_offline",
    "may_edit",
    "may_publish",
    "may_manage",
)
LETTERS = "SPWDOEUM"
HOUR = timedelta(hours=1)
FREE = Perks()
SUPPORTER = Perks(top_quality=Quality.LOSSLESS, early_access=24 * HOUR, exclusives=True, downloads_a_month=10)
SUPERFAN = Perks(
    top_quality=Quality.MASTER,
    early_access=48 * HOUR,
    exclusives=True,
    downloads_a_month=None,
    offline=True,
)
OFFER = Offer("T" * 26, "Supporter", 500, "EUR")
LISTENERS = {
    # Who listens: signed in or not, the perks of their tier, whether they bought it, whether they came by a private link.
    "stranger": Facts(now=NOW),
    "listener": Facts(now=NOW, signed_in=True),
    "supporter": Facts(now=NOW, signed_in=True, member=SUPPORTER),
    "superfan": Facts(now=NOW, signed_in=True, member=SUPERFAN),
    "lapsed": Facts(now=NOW, signed_in=True, member=SUPERFAN, paid_through=NOW),
    "buyer": Facts(now=NOW, signed_in=True, bought=True),
    "keeper": Facts(now=NOW, signed_in=True, bought=True, kept=True),
    "linked": Facts(now=NOW, key_shown=True),
    "linked listener": Facts(now=NOW, key_shown=True, signed_in=True),
}
THINGS = {
    # What is listened to: its state and hour, its audience, whether it is exclusive, whether it was taken down.
    "draft": {"state": ReleaseState.DRAFT},
    "scheduled": {"state": ReleaseState.SCHEDULED, "publish_at": NOW + 72 * HOUR},
    "tomorrow": {"state": ReleaseState.SCHEDULED, "publish_at": NOW + 36 * HOUR},
    "soon": {"state": ReleaseState.SCHEDULED, "publish_at": NOW + 12 * HOUR},
    "soon exclusive": {"state": ReleaseState.SCHEDULED, "publish_at": NOW + 12 * HOUR, "exclusive": True},
    "public": {},
    "for listeners": {"audience": Audience.LISTENERS},
    "for members": {"audience": Audience.MEMBERS},
    "exclusive": {"exclusive": True},
    "down": {"taken_down": True},
}
# What each may: see, preview, hear the whole (W), download, take offline; and the best quality. One column a listener, in their order.
TABLE = {
    "draft":          "-----       -----       -----       -----       -----       -----       SPWDOmaster SPW--master SPW-Omaster",
    "scheduled":      "-----       -----       -----       -----       -----       -----       SPWDOmaster SPW--master SPW-Omaster",
    "tomorrow":       "-----       -----       -----       SPWDOmaster -----       -----       SPWDOmaster SPW--master SPW-Omaster",
    "soon":           "-----       -----       SPWD-lossl. SPWDOmaster -----       -----       SPWDOmaster SPW--master SPW-Omaster",
    "soon exclusive": "-----       -----       SPWD-lossl. SPWDOmaster -----       -----       SPWDOmaster SPW--master SPW-Omaster",
    "public":         "SPW--medium SPW--medium SPWD-lossl. SPWDOmaster SPW--medium SPWDOmaster SPWDOmaster SPW--master SPW-Omaster",
    "for listeners":  "SP---       SPW--medium SPWD-lossl. SPWDOmaster SPW--medium SPWDOmaster SPWDOmaster SPW--master SPW-Omaster",
    "for members":    "SP---       SP---       SPWD-lossl. SPWDOmaster SP---       SPWDOmaster SPWDOmaster SPW--master SPW-Omaster",
    "exclusive":      "SP---       SP---       SPWD-lossl. SPWDOmaster SP---       SPWDOmaster SPWDOmaster SPW--master SPW-Omaster",
    "down":           "-----       -----       -----       -----       -----       -----       -----       -----       -----      ",
}  # fmt: skip
OURS = {
    # What those who make it may, of a draft and of everything else; nothing about listeners changes anything for them.
    Standing.CONTRIBUTOR: ("SPWDOE--", "SPWDO---"),
    Standing.MANAGER: ("SPWDOEU-", "SPWDOEU-"),
    Standing.OWNER: ("SPWDOEUM", "SPWDOEUM"),
    Standing.ADMIN: ("SPWDOEUM", "SPWDOEUM"),
}
PERKS = (FREE, SUPPORTER, SUPERFAN)


def granted(right: Access) -> str:
    return "".join(
        letter if getattr(right, name) else "-" for letter, name in zip(LETTERS, RIGHTS, strict=True)
    )


@pytest.mark.parametrize(("who", "what"), list(itertools.product(LISTENERS, THINGS)))
def test_what_a_listener_may(who: str, what: str) -> None:
    right = decide(replace(LISTENERS[who], opened_by=OFFER, **THINGS[what]))
    column = 12 * list(LISTENERS).index(who)
    letters, quality = TABLE[what][column : column + 5], TABLE[what][column + 5 : column + 12].strip()
    assert granted(right) == f"{letters}---"
    assert right.top_quality.startswith(quality.rstrip(".")) if quality else right.top_quality is Quality.LOW
    assert right.reason.endswith(".")
    # A way in is offered where it leads somewhere, and to nobody who must not know what is there.
    assert (right.way_in is not None) == (right.may_see and not right.may_play)
    assert (
        (right.tier == OFFER) == (right.way_in is WayIn.TIER) == (letters == "SP---" and "liste" not in what)
    )


@pytest.mark.parametrize(
    ("standing", "state", "audience", "exclusive", "who"),
    list(
        itertools.product(
            [one for one in Standing if one is not Standing.PUBLIC],
            ReleaseState,
            Audience,
            (False, True),
            LISTENERS,
        )
    ),
)
def test_to_those_who_make_it_all_of_it_is_open(
    standing: Standing, state: ReleaseState, audience: Audience, exclusive: bool, who: str
) -> None:
    facts = replace(
        LISTENERS[who], standing=standing, state=state, audience=audience, exclusive=exclusive, publish_at=NOW
    )
    right = decide(facts)
    assert granted(right) == OURS[standing][state is not ReleaseState.DRAFT]
    assert (right.top_quality, right.downloads_a_month, right.until) == (Quality.MASTER, None, None)
    down = decide(replace(facts, taken_down=True))
    assert granted(down) == "S-------"
    assert down.taken_down


def test_who_bought_one_track_of_what_was_withdrawn_sees_where_it_stands_and_hears_no_other() -> None:
    part = Facts(now=NOW, signed_in=True, state=ReleaseState.DRAFT, kept_part=True)
    assert granted(decide(part)) == "S-------"
    assert granted(decide(replace(part, taken_down=True))) == "--------"


def test_a_moderator_sees_what_was_taken_down_and_nothing_else_that_is_not_theirs() -> None:
    moderator = Facts(now=NOW, signed_in=True, moderates=True)
    assert granted(decide(replace(moderator, taken_down=True))) == "S-------"
    assert granted(decide(replace(moderator, state=ReleaseState.DRAFT))) == "--------"


def test_a_supporter_hears_a_day_before_the_public_and_a_superfan_two_to_the_second() -> None:
    second = timedelta(seconds=1)
    for perks, hours in ((SUPPORTER, 24), (SUPERFAN, 48)):
        for early_by, heard in ((-second, True), (second, False), (timedelta(), True)):
            facts = Facts(
                now=NOW,
                state=ReleaseState.SCHEDULED,
                publish_at=NOW + hours * HOUR + early_by,
                signed_in=True,
                member=perks,
            )
            assert decide(facts).may_play == decide(facts).may_see == heard


def test_a_right_by_a_membership_says_when_it_ends_and_every_other_has_no_end() -> None:
    paid = NOW + 5 * HOUR
    member = Facts(now=NOW, signed_in=True, member=SUPPORTER, paid_through=paid)
    assert decide(member).until == paid
    assert decide(replace(member, exclusive=True)).until == paid
    assert decide(replace(member, bought=True)).until is None
    assert decide(replace(member, now=paid)).until is None
    assert decide(replace(member, bought=True, kept=True, state=ReleaseState.DRAFT)).until is None
    assert decide(replace(member, member=FREE)).until is None
    assert decide(replace(member, state=ReleaseState.DRAFT, key_shown=True)).until is None


def test_a_member_of_a_tier_without_exclusives_is_shown_the_one_that_has_them() -> None:
    modest = Facts(now=NOW, signed_in=True, member=Perks(early_access=24 * HOUR), opened_by=OFFER)
    right = decide(replace(modest, exclusive=True))
    assert (right.may_preview, right.may_play, right.way_in, right.tier) == (True, False, WayIn.TIER, OFFER)
    # Nobody can be sent to a tier that is not there.
    assert decide(replace(modest, exclusive=True, opened_by=None)).way_in is None
    assert decide(Facts(now=NOW, exclusive=True)).way_in is WayIn.SIGN_IN


perks = st.builds(
    Perks,
    top_quality=st.sampled_from(Quality),
    early_access=st.integers(0, 96).map(lambda hours: hours * HOUR),
    exclusives=st.booleans(),
    downloads_a_month=st.none() | st.integers(0, 20),
    offline=st.booleans(),
)
instants = st.integers(-100, 100).map(lambda hours: NOW + hours * HOUR)


@st.composite
def situations(draw: st.DrawFn) -> Facts:
    """Anything that can be: a member is signed in, and has what is free besides the perks of their tier."""
    free = draw(st.sampled_from([FREE, Perks(top_quality=Quality.HIGH, downloads_a_month=2, offline=True)]))
    member = draw(st.none() | perks)
    return Facts(
        standing=draw(st.sampled_from(Standing)),
        state=draw(st.sampled_from(ReleaseState)),
        now=draw(instants),
        publish_at=draw(st.none() | instants),
        audience=draw(st.sampled_from(Audience)),
        exclusive=draw(st.booleans()),
        taken_down=draw(st.booleans()),
        key_shown=draw(st.booleans()),
        signed_in=member is not None or draw(st.booleans()),
        moderates=draw(st.booleans()),
        bought=(kept := draw(st.booleans())) or draw(st.booleans()),
        kept=kept,
        kept_part=draw(st.booleans()),
        free=free,
        member=member.joined(free) if member else None,
        paid_through=draw(st.none() | instants) if member else None,
        opened_by=draw(st.none() | st.just(OFFER)),
    )


def weaker(less: Access, more: Access) -> bool:
    ladder = list(Quality)
    numbers = [one.downloads_a_month for one in (less, more)]
    counted = numbers[1] is None or (numbers[0] is not None and numbers[0] <= numbers[1])
    return (
        counted
        and ladder.index(less.top_quality) <= ladder.index(more.top_quality)
        and all(getattr(more, name) or not getattr(less, name) for name in RIGHTS)
    )


@given(situations(), st.sampled_from(("signed_in", "key_shown", "bought", "moderates")))
def test_signing_in_a_link_a_purchase_and_a_role_never_take_anything_away(facts: Facts, name: str) -> None:
    facts = replace(facts, kept=facts.kept and name != "bought")
    assert weaker(
        decide(replace(facts, **{name: False})) if name != "signed_in" or not facts.member else decide(facts),
        decide(replace(facts, **{name: True})),
    )


@given(situations(), st.sampled_from(Standing), st.sampled_from(Standing))
def test_more_standing_never_takes_anything_away(facts: Facts, one: Standing, other: Standing) -> None:
    less, more = (other, one) if one.reaches(other) else (one, other)
    assert weaker(decide(replace(facts, standing=less)), decide(replace(facts, standing=more)))


@given(situations(), perks)
def test_a_membership_and_a_better_one_never_take_anything_away(facts: Facts, more: Perks) -> None:
    before = facts.member or facts.free
    assert weaker(
        decide(facts), decide(replace(facts, signed_in=True, member=before.joined(more), paid_through=None))
    )


@given(situations())
def test_a_membership_that_lasts_longer_never_takes_anything_away(facts: Facts) -> None:
    later = replace(facts, paid_through=facts.paid_through + HOUR if facts.paid_through else None)
    assert weaker(decide(facts), decide(later))


@given(situations(), st.sampled_from(("exclusive", "taken_down")))
def test_to_shut_a_thing_never_opens_it_to_anybody(facts: Facts, name: str) -> None:
    if name == "taken_down" and facts.moderates:
        # A moderator learns of a draft when it is taken down, and hears no more of it.
        assert not decide(replace(facts, taken_down=True)).may_play
        return
    assert weaker(decide(replace(facts, **{name: True})), decide(replace(facts, **{name: False})))


@given(situations())
def test_who_has_lapsed_has_what_a_free_listener_has(facts: Facts) -> None:
    lapsed = replace(facts, signed_in=True, member=SUPERFAN.joined(facts.free), paid_through=facts.now)
    assert decide(lapsed) == decide(replace(lapsed, member=None, paid_through=None))


@given(situations(), st.integers(0, 100))
def test_as_time_passes_a_release_comes_nearer_and_never_goes_away_again(facts: Facts, hours: int) -> None:
    lasting = replace(facts, paid_through=None)
    assert weaker(decide(lasting), decide(replace(lasting, now=lasting.now + hours * HOUR)))


@given(situations(), st.integers(0, 100))
def test_as_time_passes_a_membership_ends_once(facts: Facts, hours: int) -> None:
    later = facts.now + hours * HOUR
    if facts.paid_through and facts.now >= facts.paid_through:
        assert decide(replace(facts, now=later)) == decide(facts)
    until = decide(facts).until
    assert until is None or until > facts.now


@given(situations())
def test_nobody_from_outside_ever_changes_anything(facts: Facts) -> None:
    right = decide(replace(facts, standing=Standing.PUBLIC))
    assert not (right.may_edit or right.may_publish or right.may_manage)


@given(situations())
def test_what_was_taken_down_is_heard_by_nobody(facts: Facts) -> None:
    right = decide(replace(facts, taken_down=True))
    assert not (right.may_preview or right.may_play or right.may_download or right.may_play_offline)
    assert not (right.may_edit or right.may_publish)


@given(perks, perks)
def test_joined_perks_are_the_better_of_both(one: Perks, other: Perks) -> None:
    both = one.joined(other)
    assert both == other.joined(one)
    assert both.joined(one) == both
    assert one.joined(one) == one


def test_what_can_be_played_is_what_there_is_up_to_the_top() -> None:
    made = ["lossless", "low", "high"]
    bought = decide(Facts(now=NOW, signed_in=True, bought=True))
    assert access.playable(Track(), bought, made) == [Quality.LOW, Quality.HIGH, Quality.LOSSLESS]
    assert access.playable(Track(), decide(Facts(now=NOW)), made) == [Quality.LOW]
    assert access.playable(Track(), access.NOTHING, made) == []
    # What may be seen is not always what may be heard.
    assert access.playable(Track(), decide(Facts(now=NOW, exclusive=True)), made) == []


def test_a_decision_knows_no_time_but_the_one_it_is_told() -> None:
    assert decide(Facts(now=datetime.max.replace(tzinfo=NOW.tzinfo))).may_play
