"""Tiers of an artist, who is a member, and what that opens."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from appliance import database
from appliance import revocations
from appliance.accounts import audit
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.models import Quality
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.memberships import access
from appliance.memberships import early
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.memberships.access import Standing
from appliance.memberships.access import WayIn
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Purchase
from appliance.memberships.models import Tier
from appliance.memberships.money import handles_money
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.queries import counted

HOUR = timedelta(hours=1)
NOBODY: frozenset[str] = frozenset()
ADMIN = frozenset({RoleName.LISTENER, RoleName.ADMIN})


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture(autouse=True)
def asked_anew(appliance: Appliance) -> Iterator[None]:
    revocations.forget()
    yield
    revocations.forget()


def tier_of(artist: Artist, kind: str = "supporter") -> Tier:
    return next(row for row in tiers.of_artist(artist) if row.kind == kind)


def make_member(artist: Artist, kind: str = "supporter", **said: object) -> tuple[User, Membership]:
    user = make_user()
    made = granting.grant(
        artist,
        user.email,
        tier_id=tier_of(artist, kind).id,
        origin="gift",
        actor=artist.owner,
        now=NOW,
        **said,  # type: ignore[arg-type]
    )
    return user, made


def published(artist: Artist, **fields: object) -> Release:
    release = make_release(artist, **fields)
    add_track(release)
    return publishing.publish(release, now=NOW)[0]


def test_every_artist_begins_with_the_three_tiers_of_the_house() -> None:
    free, supporter, superfan = tiers.of_artist(make_artist())
    assert [(row.kind, row.price_minor, row.currency) for row in (free, supporter, superfan)] == [
        ("free", 0, "EUR"),
        ("supporter", 500, "EUR"),
        ("superfan", 1000, "EUR"),
    ]
    assert [row.top_quality for row in (free, supporter, superfan)] == ["medium", "lossless", "master"]
    assert [row.early_access_hours for row in (free, supporter, superfan)] == [0, 24, 48]
    assert [row.downloads_a_month for row in (free, supporter, superfan)] == [0, 10, None]
    assert [row.direct_messages_a_month for row in (free, supporter, superfan)] == [0, 0, 5]
    assert [row.merchandise_discount_percent for row in (free, supporter, superfan)] == [0, 0, 20]
    for flag, has in (
        ("exclusives", (False, True, True)),
        ("monthly_qa", (False, True, True)),
        ("live_sessions", (False, False, True)),
        ("virtual_backstage", (False, False, True)),
        ("offline", (False, False, True)),
    ):
        assert tuple(getattr(row, flag) for row in (free, supporter, superfan)) == has


def test_an_artist_from_before_has_the_tiers_of_the_house_and_one_made_by_an_older_server_too() -> None:
    artist = make_artist()
    scripts = (
        "0014_tiers",
        "0022_subscriptions",
        "0024_shop",
        "0026_merchandise",
        "0027_gifts",
        "0029_papers",
        "0030_receipt_taxes",
        "0034_kept_and_asked",
    )
    runner = database.Runner(database.proxy.obj, str(database.MIGRATIONS))
    made = [{**row.__data__, "id": ""} for row in tiers.of_artist(artist)]
    with database.transaction():
        migrations = [row.load() for row in runner.migrations() if row.name in scripts]
        for migration in reversed(migrations):
            migration.down(runner.migrator, database.proxy.obj)
        for migration in migrations:
            migration.up(runner.migrator, database.proxy.obj)
    assert [{**row.__data__, "id": ""} for row in tiers.of_artist(artist)] == made
    # What nothing is stored of is as it is for everybody, and made when somebody looks after it.
    Tier.delete().execute()
    assert access.to_release(None, published(artist), roles=NOBODY, now=NOW).top_quality is Quality.MEDIUM
    tiers.add(artist, {"name": "Crew", "price_minor": 700}, actor=artist.owner, now=NOW)
    assert [row.kind for row in tiers.of_artist(artist)] == ["free", "supporter", "superfan", ""]


def test_a_tier_is_renamed_priced_and_described_and_the_trail_tells_of_it() -> None:
    artist = make_artist()
    said = {"name": "Deckhand", "about": "Row with us.", "price_minor": 700, "annual_price_minor": 7000}
    row = tiers.edit(tier_of(artist), said, actor=artist.owner, now=NOW)
    assert {name: getattr(row, name) for name in said} == said
    (entry,) = audit.entries(wanted=audit.Filter(action="tier.changed"))
    assert audit.facts(entry)["fields"] == sorted(said)
    assert tiers.edit(row, said, actor=artist.owner, now=NOW).version == row.version


def test_of_two_who_edit_a_tier_the_second_is_told() -> None:
    artist = make_artist()
    row = tier_of(artist)
    tiers.edit(row, {"name": "Deckhand"}, actor=artist.owner, now=NOW, made_from=row.version)
    with pytest.raises(Stale):
        tiers.edit(row, {"name": "Stoker"}, actor=artist.owner, now=NOW, made_from=row.version)


IMPOSSIBLE = (
    ("free", {"price_minor": 100}, "price_minor"),
    ("free", {"annual_price_minor": 100}, "price_minor"),
    ("free", {"early_access_hours": 1}, "early_access_hours"),
    ("free", {"exclusives": True}, "exclusives"),
    ("supporter", {"price_minor": 0}, "price_minor"),
    ("supporter", {"price_minor": -1}, "price_minor"),
    ("supporter", {"price_minor": 10**9}, "price_minor"),
    ("supporter", {"price_minor": "5"}, "price_minor"),
    ("supporter", {"price_minor": True}, "price_minor"),
    ("supporter", {"annual_price_minor": 499}, "annual_price_minor"),
    ("supporter", {"annual_price_minor": 6001}, "annual_price_minor"),
    ("supporter", {"currency": "XXX"}, "currency"),
    ("supporter", {"top_quality": "best"}, "top_quality"),
    ("supporter", {"early_access_hours": 721}, "early_access_hours"),
    ("supporter", {"downloads_a_month": 10_001}, "downloads_a_month"),
    ("supporter", {"merchandise_discount_percent": 101}, "merchandise_discount_percent"),
    ("supporter", {"offline": "yes"}, "offline"),
    ("supporter", {"name": " "}, "name"),
    ("supporter", {"kind": "free"}, "kind"),
)


def test_what_a_tier_cannot_be_is_told_with_its_field() -> None:
    artist = make_artist()
    for kind, fields, field in IMPOSSIBLE:
        row = tier_of(artist, kind)
        with pytest.raises(Invalid) as caught:
            tiers.edit(row, fields, actor=artist.owner, now=NOW)  # type: ignore[arg-type]
        assert caught.value.field == field
        assert tiers.find(artist, row.id).version == row.version == 1


def test_an_artist_asks_for_one_currency() -> None:
    artist = make_artist()
    tiers.edit(tier_of(artist), {"currency": "jpy"}, actor=artist.owner, now=NOW)
    added = tiers.add(artist, {"name": "Crew", "price_minor": 900}, actor=artist.owner, now=NOW)
    assert {row.currency for row in tiers.of_artist(artist)} == {"JPY"}
    assert tiers.of_artist(artist)[-1] == added


def test_an_archived_tier_keeps_its_members_and_takes_no_new_ones() -> None:
    artist = make_artist()
    fan, _membership = make_member(artist)
    tiers.archive(tier_of(artist), actor=artist.owner, now=NOW)
    release = published(artist, audience="members")
    assert access.to_release(fan, release, roles=NOBODY, now=NOW).may_play
    archived = tiers.of_artist(artist, archived=True)[-1]
    with pytest.raises(Invalid, match="archived"):
        granting.grant(
            artist, make_user().email, tier_id=archived.id, origin="gift", actor=artist.owner, now=NOW
        )
    # Those outside are led to the tier that can still be had.
    right = access.to_release(None, release, roles=NOBODY, now=NOW)
    assert right.tier is not None
    assert right.tier.name == "Superfan"
    tiers.restore(archived, actor=artist.owner, now=NOW)
    assert len(tiers.of_artist(artist)) == 3


def test_the_free_tier_is_renamed_and_never_archived() -> None:
    artist = make_artist()
    free = tiers.edit(tier_of(artist, "free"), {"name": "Shore"}, actor=artist.owner, now=NOW)
    with pytest.raises(Conflict):
        tiers.archive(free, actor=artist.owner, now=NOW)
    with pytest.raises(Invalid):
        granting.grant(artist, make_user().email, tier_id=free.id, origin="gift", actor=artist.owner, now=NOW)


def test_tiers_are_put_in_order_and_are_not_without_number() -> None:
    artist = make_artist()
    tiers.move(tier_of(artist, "superfan"), -1, now=NOW)
    assert [row.kind for row in tiers.of_artist(artist)] == ["free", "superfan", "supporter"]
    tiers.move(tier_of(artist, "superfan"), -5, now=NOW)
    assert [row.kind for row in tiers.of_artist(artist)] == ["superfan", "free", "supporter"]
    for number in range(tiers.MOST_TIERS - 3):
        tiers.add(artist, {"name": f"Crew {number}", "price_minor": 100}, actor=artist.owner, now=NOW)
    with pytest.raises(Conflict):
        tiers.add(artist, {"name": "One more", "price_minor": 100}, actor=artist.owner, now=NOW)


def test_less_for_a_tier_shuts_what_is_heard_by_it_at_once_and_more_does_not() -> None:
    artist = make_artist()
    since = revocations.epoch()
    tiers.edit(tier_of(artist), {"top_quality": "master"}, actor=artist.owner, now=NOW)
    assert not revocations.ended([f"artist:{artist.id}"], since=since)
    tiers.edit(tier_of(artist), {"top_quality": "high"}, actor=artist.owner, now=NOW)
    assert revocations.ended([f"artist:{artist.id}"], since=since)


def test_a_gift_opens_what_its_tier_says_until_its_end() -> None:
    artist = make_artist()
    release = published(artist)
    exclusive = tracks.edit(tracks.of_release(release)[0], {"exclusive": True}, now=NOW)
    fan, _membership = make_member(artist, through=NOW + 5 * HOUR)
    right = access.to_track(fan, exclusive, roles=NOBODY, now=NOW)
    assert (right.may_play, right.top_quality, right.until) == (True, Quality.LOSSLESS, NOW + 5 * HOUR)
    assert (right.may_download, right.downloads_a_month, right.may_play_offline) == (True, 10, False)
    lapsed = access.to_track(fan, exclusive, roles=NOBODY, now=NOW + 5 * HOUR)
    assert lapsed == access.to_track(make_user(), exclusive, roles=NOBODY, now=NOW)
    assert (lapsed.may_preview, lapsed.may_play, lapsed.way_in) == (True, False, WayIn.TIER)
    assert lapsed.tier is not None
    assert (lapsed.tier.name, lapsed.tier.price_minor) == ("Supporter", 500)


def test_a_membership_is_of_one_artist() -> None:
    fan, _membership = make_member(make_artist())
    other = published(make_artist(name="Other"), audience="members")
    assert not access.to_release(fan, other, roles=NOBODY, now=NOW).may_play


def test_one_is_a_member_once_and_again_when_it_is_over() -> None:
    artist = make_artist()
    fan, first = make_member(artist, through=NOW + HOUR)
    said = {"tier_id": tier_of(artist, "superfan").id, "origin": "press", "actor": artist.owner}
    with pytest.raises(Conflict, match="member already"):
        granting.grant(artist, fan.email, now=NOW, **said)  # type: ignore[arg-type]
    again = granting.grant(artist, fan.email.upper(), now=NOW + HOUR, **said)  # type: ignore[arg-type]
    assert Membership.get_by_id(first.id).ended_at == NOW + HOUR
    assert granting.current(fan, artist, now=NOW + HOUR) == again


def test_of_many_who_make_the_same_person_a_member_at_once_one_does() -> None:
    artist = make_artist()
    fan, tier = make_user(), tier_of(artist)
    problems: list[BaseException] = []

    def once_more() -> None:
        try:
            granting.grant(
                artist,
                fan.email,
                tier_id=tier.id,
                origin="gift",
                actor=artist.owner,
                now=NOW,
            )
        except Conflict as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=once_more) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(problems) == 3
    assert Membership.select().where(Membership.ended_at.is_null()).count() == 1


def test_a_membership_is_extended_changed_and_ended_and_each_shuts_what_was_given_before() -> None:
    artist = make_artist()
    fan, made = make_member(artist, through=NOW + HOUR, note="From the boat")
    subject = f"member:{fan.id}:{artist.id}"
    assert len(subject) <= 60
    for act in (
        lambda: granting.change(made, {"paid_through": None}, actor=artist.owner, now=NOW),
        lambda: granting.change(made, {"tier": tier_of(artist, "superfan").id}, actor=artist.owner, now=NOW),
        lambda: granting.end(made, actor=artist.owner, now=NOW),
    ):
        since = revocations.epoch()
        act()
        assert revocations.ended([subject], since=since)
    assert [entry.action for entry in audit.entries(wanted=audit.Filter(subject=f"artist:{artist.id}"))][
        :4
    ] == ["membership.ended", "membership.changed", "membership.changed", "membership.granted"]
    with pytest.raises(Conflict, match="over"):
        granting.change(made, {"note": ""}, actor=artist.owner, now=NOW)
    assert granting.of_artist(artist, limit=10) == []


def test_a_grant_that_cannot_be_names_the_field() -> None:
    artist, friend = make_artist(), make_user()
    sound = {"email": friend.email, "tier_id": tier_of(artist).id, "origin": "gift"}
    for said, field in (
        ({"origin": "paid"}, "origin"),
        ({"through": NOW}, "paid_through"),
        ({"through": NOW + timedelta(days=9000)}, "paid_through"),
        ({"tier_id": "none"}, "tier"),
        ({"email": "nobody"}, "email"),
    ):
        asked = {**sound, **said}
        email = str(asked.pop("email"))
        with pytest.raises(Invalid) as caught:
            granting.grant(artist, email, actor=artist.owner, now=NOW, **asked)  # type: ignore[arg-type]
        assert caught.value.field == field
    with pytest.raises(NotFound):
        sound["email"] = "nobody@example.com"
        email = sound.pop("email")
        granting.grant(artist, email, actor=artist.owner, now=NOW, **sound)  # type: ignore[arg-type]


def test_what_somebody_pays_for_is_not_changed_by_hand() -> None:
    artist = make_artist()
    _fan, made = make_member(artist)
    Membership.update(origin=Origin.PAID).execute()
    for act in (
        lambda: granting.end(made, actor=artist.owner, now=NOW),
        lambda: granting.change(made, {"note": "x"}, actor=artist.owner, now=NOW),
    ):
        with pytest.raises(Conflict, match="paid"):
            act()


def test_members_hear_a_scheduled_release_before_others_and_nobody_else_learns_of_it() -> None:
    artist = make_artist()
    release = make_release(artist)
    add_track(release)
    publishing.schedule(release, NOW + 30 * HOUR, now=NOW)
    release = releases.find(release.id)
    supporter, _one = make_member(artist)
    superfan, _two = make_member(artist, "superfan")

    def heard(who: User | None, hours: int) -> bool:
        now = NOW + hours * HOUR
        listed = early.releases_for(who, artist, roles=NOBODY, now=now) == [release]
        assert access.to_release(who, release, roles=NOBODY, now=now).may_see == listed
        return listed

    assert [heard(superfan, hours) for hours in (0, 6)] == [True, True]
    assert [heard(supporter, hours) for hours in (5, 6)] == [False, True]
    assert not any(heard(who, 29) for who in (None, make_user()))
    with pytest.raises(NotFound):
        access.require_sight(make_user(), release, roles=NOBODY, now=NOW + 29 * HOUR)


def test_what_was_bought_is_heard_whole_and_downloaded_until_it_is_refunded() -> None:
    artist, buyer = make_artist(), make_user()
    release = published(artist, audience="members")
    one, other = tracks.of_release(release)[0], add_track(release, title="Tide")
    bought = Purchase.create(user=buyer.id, artist=artist.id, track=one.id, bought_at=NOW)
    rights = access.to_tracks(buyer, [one, other], roles=NOBODY, now=NOW)
    assert [rights[row.id].may_download for row in (one, other)] == [True, False]
    assert (rights[one.id].top_quality, rights[one.id].until) == (Quality.MASTER, None)
    assert not access.to_release(buyer, release, roles=NOBODY, now=NOW).may_play
    Purchase.update(release=release.id, track=None).where(Purchase.id == bought.id).execute()
    assert access.to_release(buyer, release, roles=NOBODY, now=NOW).may_play
    assert access.to_track(buyer, other, roles=NOBODY, now=NOW).may_play
    Purchase.update(refunded_at=NOW).where(Purchase.id == bought.id).execute()
    assert not access.to_release(buyer, release, roles=NOBODY, now=NOW).may_play


def test_an_artist_who_was_paid_handles_money() -> None:
    artist = make_artist()
    _fan, _gift = make_member(artist)
    assert not handles_money(artist.owner)
    Membership.update(origin=Origin.PAID).execute()
    assert handles_money(artist.owner)
    assert not handles_money(make_user())
    other = make_artist(name="Other")
    Purchase.create(user=make_user().id, artist=other.id, bought_at=NOW)
    assert handles_money(other.owner)


def test_a_track_that_becomes_exclusive_and_a_smaller_audience_shut_what_is_heard() -> None:
    release = published(make_artist())
    track = tracks.of_release(release)[0]
    since = revocations.epoch()
    tracks.edit(track, {"exclusive": False}, now=NOW)
    releases.edit(release, {"audience": "everyone"}, now=NOW)
    subjects = [f"track:{track.id}", f"release:{release.id}"]
    assert not revocations.ended(subjects, since=since)
    tracks.edit(track, {"exclusive": True}, now=NOW)
    assert revocations.ended(subjects[:1], since=since)
    releases.edit(release, {"audience": "members"}, now=NOW)
    assert revocations.ended(subjects[1:], since=since)


def test_a_draft_is_for_those_who_make_it() -> None:
    owner, other = make_user(), make_user()
    release = make_release(make_artist(owner))
    assert access.require_edit(owner, release, roles=NOBODY, now=NOW).may_edit
    assert access.require_edit(other, release, roles=ADMIN, now=NOW).may_edit
    for who in (other, None):
        for require in (access.require_sight, access.require_edit, access.require_publish):
            with pytest.raises(NotFound):
                require(who, release, roles=NOBODY, now=NOW)


def test_the_role_of_an_admin_without_a_person_opens_nothing() -> None:
    with pytest.raises(NotFound):
        access.require_sight(None, make_release(), roles=ADMIN, now=NOW)


def test_what_is_public_is_seen_and_not_touched() -> None:
    release, other = make_release(), make_user(roles=(RoleName.ARTIST,))
    release.state = ReleaseState.PUBLISHED
    for who in (other, None):
        assert access.require_sight(who, release, roles=frozenset({RoleName.ARTIST}), now=NOW).may_play
        with pytest.raises(NotAllowed):
            access.require_edit(who, release, roles=NOBODY, now=NOW)
        with pytest.raises(NotAllowed):
            access.require_publish(who, release, roles=NOBODY, now=NOW)
        with pytest.raises(NotAllowed):
            access.require_artist(who, release.artist, roles=NOBODY)


def test_a_contributor_edits_drafts_and_publishes_nothing() -> None:
    release, helper = make_release(), make_user()
    members.join(release.artist, helper, MemberRole.CONTRIBUTOR, now=NOW)
    assert access.require_edit(helper, release, roles=NOBODY, now=NOW).may_play
    with pytest.raises(NotAllowed, match="owner and the managers"):
        access.require_publish(helper, release, roles=NOBODY, now=NOW)
    release.state = ReleaseState.PUBLISHED
    with pytest.raises(NotAllowed, match="owner and the managers"):
        access.require_edit(helper, release, roles=NOBODY, now=NOW)


def test_each_act_on_an_artist_asks_for_its_standing() -> None:
    artist, helper = make_artist(), make_user()
    members.join(artist, helper, MemberRole.MANAGER, now=NOW)
    assert access.require_artist(helper, artist, roles=NOBODY, least=Standing.MANAGER) is Standing.MANAGER
    with pytest.raises(NotAllowed, match="Only the owner of"):
        access.require_artist(helper, artist, roles=NOBODY, least=Standing.OWNER)
    assert access.require_artist(helper, artist, roles=ADMIN, least=Standing.OWNER) is Standing.ADMIN


def test_a_private_link_opens_its_own_release_and_no_other() -> None:
    artist = make_artist()
    open_, shut, keyless = (make_release(artist) for _ in range(3))
    open_.private_key, shut.private_key = "a" * 43, "b" * 43
    rights = access.to_releases(None, [open_, shut, keyless], roles=NOBODY, keys={"a" * 43, ""}, now=NOW)
    assert [rights[row.id].may_play for row in (open_, shut, keyless)] == [True, False, False]


def test_the_rights_on_a_list_take_four_queries_however_long_it_is() -> None:
    person = make_user()
    rows: list[Release] = []
    for number, role in enumerate((None, MemberRole.CONTRIBUTOR, MemberRole.MANAGER, MemberRole.OWNER) * 3):
        artist = make_artist(person if role is MemberRole.OWNER else None, name=f"Act {number}")
        if role in (MemberRole.CONTRIBUTOR, MemberRole.MANAGER):
            members.join(artist, person, role, now=NOW)
        rows.append(make_release(artist))
    with counted() as queries:
        rights = access.to_releases(person, rows, roles=NOBODY, now=NOW)
    assert len(queries) == 4
    assert [rights[row.id].may_publish for row in rows] == [False, False, True, True] * 3
    for who, roles, asked in ((None, NOBODY, 1), (person, ADMIN, 0)):
        with counted() as queries:
            access.to_releases(who, rows, roles=roles, now=NOW)
        assert len(queries) == asked
    listed = [add_track(rows[0], title=f"Track {number}") for number in range(30)]
    with counted() as queries:
        assert len(access.to_tracks(person, listed, roles=NOBODY, now=NOW)) == 30
    assert len(queries) == 4


def test_an_owner_is_known_by_id() -> None:
    assert access.standing(User(id="A"), Artist(id="X", owner="A"), roles=NOBODY) is Standing.OWNER
    assert access.standing(User(id="B"), Artist(id="X", owner="A"), roles=NOBODY) is Standing.PUBLIC
