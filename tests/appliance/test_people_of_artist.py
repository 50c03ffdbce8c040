"""The people of an artist, invitations, and what an artist says on their page; on both engines."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import database
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import artist_page
from appliance.catalog import artists
from appliance.catalog import invitations
from appliance.catalog import members
from appliance.catalog.member_models import ArtistAddress
from appliance.catalog.member_models import ArtistMember
from appliance.catalog.member_models import Invitation
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.servers.site import picture_file

LATER = NOW + timedelta(days=1)


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def roles(artist: Artist) -> list[tuple[str, str]]:
    return [(row.user_id, row.role) for row in members.of_artist(artist)]


def joined(artist: Artist, role: MemberRole = MemberRole.CONTRIBUTOR) -> User:
    """Somebody who works on the artist."""
    user = make_user()
    members.join(artist, user, role, now=NOW)
    return user


def trail() -> list[str]:
    return [entry.action for entry in reversed(audit.entries())]


# --- members


def test_who_makes_an_artist_owns_it(appliance: Appliance) -> None:
    owner = make_user()
    artist = make_artist(owner)
    assert roles(artist) == [(owner.id, "owner")]
    assert artists.run_by(owner) == [artist]
    assert trail() == ["artist.created"]


def test_whoever_works_on_an_artist_finds_it(appliance: Appliance) -> None:
    artist = make_artist(name="Night Ferry")
    make_artist(name="Somebody else's")
    helper = joined(artist)
    assert artists.run_by(helper) == [artist]


def test_an_artist_from_before_has_its_owner_as_a_member(appliance: Appliance, database_url: str) -> None:
    owner = make_user()
    make_artist(owner)
    script = Path(database.MIGRATIONS) / "0003_people.py"
    runner = database.Runner(database.proxy.obj, str(database.MIGRATIONS))
    with database.transaction():
        migration = next(row for row in runner.migrations() if row.name == script.stem).load()
        migration.down(runner.migrator, database.proxy.obj)
        migration.up(runner.migrator, database.proxy.obj)
    member = ArtistMember.get()
    assert (member.user_id, member.role, member.since) == (owner.id, "owner", NOW)


def test_a_role_is_changed(appliance: Appliance) -> None:
    artist = make_artist()
    helper = joined(artist)
    changed = members.change_role(artist, helper.id, "manager", actor=artist.owner, now=LATER)
    assert changed.role == MemberRole.MANAGER
    members.change_role(artist, helper.id, "manager", actor=artist.owner, now=LATER)
    assert trail().count(Action.MEMBER_CHANGED) == 1
    for role in ("owner", "admin", "", "MANAGER"):
        with pytest.raises(Invalid):
            members.change_role(artist, helper.id, role, actor=artist.owner, now=LATER)


def test_the_owner_can_neither_leave_nor_step_down(appliance: Appliance) -> None:
    artist = make_artist()
    joined(artist, MemberRole.MANAGER)
    with pytest.raises(Conflict, match="hand it over"):
        members.remove(artist, artist.owner_id, actor=artist.owner, now=LATER)
    with pytest.raises(Conflict, match="hand it over"):
        members.change_role(artist, artist.owner_id, "contributor", actor=artist.owner, now=LATER)
    assert roles(artist)[0] == (artist.owner_id, "owner")


def test_a_member_leaves_or_is_taken_off(appliance: Appliance) -> None:
    artist = make_artist()
    first, second = joined(artist), joined(artist)
    members.remove(artist, first.id, actor=first, now=LATER)
    members.remove(artist, second.id, actor=artist.owner, now=LATER)
    with pytest.raises(NotFound):
        members.remove(artist, second.id, actor=artist.owner, now=LATER)
    assert roles(artist) == [(artist.owner_id, "owner")]
    left = [
        audit.facts(row)["left"] for row in reversed(audit.entries()) if row.action == "artist.member_removed"
    ]
    assert left == [True, False]


def test_an_artist_is_handed_over_and_has_one_owner(appliance: Appliance) -> None:
    artist = make_artist()
    owner, heir = artist.owner, joined(artist)
    members.transfer(artist, heir.id, actor=owner, now=LATER)
    assert roles(artist) == [(heir.id, "owner"), (owner.id, "manager")]
    assert artists.by_id(artist.id).owner_id == heir.id
    with pytest.raises(Conflict, match="already"):
        members.transfer(artists.by_id(artist.id), heir.id, actor=heir, now=LATER)
    assert trail()[-1] == "artist.handed_over"


def test_an_artist_is_handed_over_to_its_people_only(appliance: Appliance) -> None:
    artist = make_artist()
    with pytest.raises(NotFound):
        members.transfer(artist, make_user().id, actor=artist.owner, now=LATER)


def test_who_handed_it_over_cannot_do_so_again_from_an_old_window(appliance: Appliance) -> None:
    artist = make_artist()
    owner, heir, other = artist.owner, joined(artist), joined(artist)
    members.transfer(artist, heir.id, actor=owner, now=LATER)
    with pytest.raises(Conflict, match="not own"):
        members.transfer(artist, other.id, actor=owner, now=LATER)
    assert roles(artist)[0] == (heir.id, "owner")


def test_the_database_refuses_a_second_owner(appliance: Appliance) -> None:
    artist = make_artist()
    with pytest.raises(database.peewee.IntegrityError), database.transaction():
        ArtistMember.create(artist=artist.id, user=make_user().id, role=MemberRole.OWNER, since=NOW)


# --- invitations


def test_an_invitation_is_accepted_once(appliance: Appliance) -> None:
    artist, guest = make_artist(), make_user("mira@example.com")
    made, token = invitations.invite(artist, " Mira@Example.com ", "manager", actor=artist.owner, now=NOW)
    assert token not in str(made.__data__)
    assert [row.id for row in invitations.for_person(guest, LATER)] == [made.id]
    assert [row.id for row in invitations.of_artist(artist, LATER)] == [made.id]
    found = invitations.find(token)
    assert invitations.accept(found, guest, link_shown=True, now=LATER) == artist
    assert roles(artist)[-1] == (guest.id, "manager")
    assert invitations.for_person(guest, LATER) == invitations.of_artist(artist, LATER) == []
    with pytest.raises(Conflict, match="over"):
        invitations.accept(found, guest, link_shown=True, now=LATER)
    assert trail()[-2:] == ["artist.member_invited", "artist.member_joined"]


def test_only_the_address_it_was_meant_for_may_answer(appliance: Appliance) -> None:
    artist, other = make_artist(), make_user()
    made, _ = invitations.invite(artist, "mira@example.com", "manager", actor=artist.owner, now=NOW)
    for answer in (invitations.accept, invitations.decline):
        with pytest.raises(NotAllowed):
            answer(made, other, link_shown=True, now=LATER)
    assert len(roles(artist)) == 1


def test_an_account_made_after_the_invitation_needs_its_link(appliance: Appliance) -> None:
    """Else whoever guesses an address registers it and walks in."""
    artist = make_artist()
    made, _ = invitations.invite(artist, "mira@example.com", "manager", actor=artist.owner, now=NOW)
    guest = make_user("mira@example.com", now=LATER)
    User.update(confirmed_at=None).where(User.id == guest.id).execute()
    guest = User.get_by_id(guest.id)
    with pytest.raises(NotAllowed, match="link"):
        invitations.accept(made, guest, link_shown=False, now=LATER)
    invitations.accept(made, guest, link_shown=True, now=LATER)
    assert len(roles(artist)) == 2


@pytest.mark.parametrize("token", ["", "x", "mc_" + "a" * 43, "\ud800", "a" * 100_000])
def test_a_guessed_token_is_none(appliance: Appliance, token: str) -> None:
    artist = make_artist()
    invitations.invite(artist, "mira@example.com", "manager", actor=artist.owner, now=NOW)
    with pytest.raises(NotFound):
        invitations.find(token)


def test_an_invitation_ends_after_fourteen_days(appliance: Appliance) -> None:
    artist, guest = make_artist(), make_user("mira@example.com")
    made, _ = invitations.invite(artist, guest.email, "manager", actor=artist.owner, now=NOW)
    assert invitations.waiting(made, NOW + timedelta(days=13))
    with pytest.raises(Conflict, match="over"):
        invitations.accept(made, guest, link_shown=True, now=NOW + timedelta(days=14))
    assert invitations.for_person(guest, NOW + timedelta(days=14)) == []


def test_a_revoked_or_declined_invitation_is_over(appliance: Appliance) -> None:
    artist, guest = make_artist(), make_user("mira@example.com")
    made, _ = invitations.invite(artist, guest.email, "manager", actor=artist.owner, now=NOW)
    invitations.revoke(artist, made.id, actor=artist.owner, now=LATER)
    with pytest.raises(Conflict, match="over"):
        invitations.accept(made, guest, link_shown=True, now=LATER)
    with pytest.raises(NotFound):
        invitations.revoke(artist, made.id, actor=artist.owner, now=LATER)
    again, _ = invitations.invite(artist, guest.email, "contributor", actor=artist.owner, now=LATER)
    invitations.decline(again, guest, link_shown=False, now=LATER)
    assert roles(artist) == [(artist.owner_id, "owner")]
    assert trail()[-2:] == ["artist.member_invited", "artist.invitation_declined"]


def test_an_invitation_of_another_artist_cannot_be_revoked(appliance: Appliance) -> None:
    mine, other = make_artist(), make_artist()
    made, _ = invitations.invite(other, "mira@example.com", "manager", actor=other.owner, now=NOW)
    with pytest.raises(NotFound):
        invitations.revoke(mine, made.id, actor=mine.owner, now=LATER)
    assert invitations.waiting(invitations.by_id(made.id), LATER)


def test_inviting_again_ends_the_link_before(appliance: Appliance) -> None:
    artist, guest = make_artist(), make_user("mira@example.com")
    first, _ = invitations.invite(artist, guest.email, "manager", actor=artist.owner, now=NOW)
    invitations.invite(artist, guest.email, "contributor", actor=artist.owner, now=LATER)
    assert [row.role for row in invitations.of_artist(artist, LATER)] == ["contributor"]
    with pytest.raises(Conflict):
        invitations.accept(first, guest, link_shown=True, now=LATER)


@pytest.mark.parametrize(("email", "role"), [("nobody", "manager"), ("", "manager"), ("a@b.co", "owner")])
def test_an_address_or_role_that_cannot_be_is_refused(appliance: Appliance, email: str, role: str) -> None:
    artist = make_artist()
    with pytest.raises(Invalid):
        invitations.invite(artist, email, role, actor=artist.owner, now=NOW)


def test_who_is_there_already_is_not_invited(appliance: Appliance) -> None:
    artist = make_artist()
    with pytest.raises(Conflict, match="already"):
        invitations.invite(artist, artist.owner.email, "manager", actor=artist.owner, now=NOW)


def test_so_many_invitations_and_no_more(appliance: Appliance) -> None:
    artist = make_artist()
    for number in range(invitations.MOST_OPEN):
        invitations.invite(artist, f"{number}@example.com", "manager", actor=artist.owner, now=NOW)
    with pytest.raises(Conflict, match="50"):
        invitations.invite(artist, "more@example.com", "manager", actor=artist.owner, now=NOW)


def test_a_member_who_accepts_keeps_the_higher_role(appliance: Appliance) -> None:
    artist, guest = make_artist(), make_user("mira@example.com")
    made, _ = invitations.invite(artist, guest.email, "contributor", actor=artist.owner, now=NOW)
    members.join(artist, guest, MemberRole.MANAGER, now=NOW)
    invitations.accept(made, guest, link_shown=True, now=LATER)
    assert roles(artist)[-1] == (guest.id, "manager")


def at_once(*acts: Callable[[], object]) -> list[Exception | None]:
    """What each act raised when all began together."""
    barrier, raised = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except MusicConnectError as error:
            raised[number] = error  # type: ignore[call-overload]
        finally:
            database.close_thread()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(raised)


def test_two_windows_that_accept_at_once_make_one_member(appliance: Appliance) -> None:
    artist, guest = make_artist(), make_user("mira@example.com")
    made, _ = invitations.invite(artist, guest.email, "manager", actor=artist.owner, now=NOW)
    raised = at_once(*[lambda: invitations.accept(made, guest, link_shown=True, now=LATER)] * 3)
    assert sorted(type(error).__name__ for error in raised) == ["Conflict", "Conflict", "NoneType"]
    assert len(roles(artist)) == 2
    assert trail().count("artist.member_joined") == 1


def test_two_transfers_at_once_leave_one_owner(appliance: Appliance) -> None:
    artist = make_artist()
    owner, one, other = artist.owner, joined(artist), joined(artist)
    raised = at_once(
        lambda: members.transfer(artist, one.id, actor=owner, now=LATER),
        lambda: members.transfer(artist, other.id, actor=owner, now=LATER),
    )
    assert sorted(type(error).__name__ for error in raised) == ["Conflict", "NoneType"]
    held = [role for _, role in roles(artist)]
    assert sorted(held) == ["contributor", "manager", "owner"]
    assert artists.by_id(artist.id).owner_id == roles(artist)[0][0]


def test_an_heir_who_leaves_while_the_artist_is_handed_over_leaves_no_hole(appliance: Appliance) -> None:
    artist = make_artist()
    owner, heir = artist.owner, joined(artist)
    raised = at_once(
        lambda: members.transfer(artist, heir.id, actor=owner, now=LATER),
        lambda: members.remove(artist, heir.id, actor=heir, now=LATER),
    )
    assert sum(error is not None for error in raised) == 1
    held = dict(roles(artist))
    assert held[artists.by_id(artist.id).owner_id] == "owner"


# --- the page


def test_an_artist_says_who_they_are(appliance: Appliance) -> None:
    artist = make_artist()
    sent = {
        "name": "Night  Ferry Trio",
        "about": "We play *slowly*.",
        "location": "Sassnitz",
        "accent": "#1F6F6B",
        "links": [
            {"url": "https://www.example.com/us", "label": ""},
            {"url": "example.org", "label": "Shop"},
            {"url": "us@example.com", "label": "Write"},
        ],
    }
    changed = artist_page.edit(artist, sent, actor=artist.owner, now=LATER)
    assert (changed.name, changed.location, changed.accent) == ("Night Ferry Trio", "Sassnitz", "#1f6f6b")
    assert [(row.label, row.url) for row in artist_page.links_of(changed)] == [
        ("example.com", "https://www.example.com/us"),
        ("Shop", "https://example.org"),
        ("Write", "mailto:us@example.com"),
    ]
    assert changed.version == artist.version + 1
    assert audit.facts(audit.entries()[0]) == {"fields": sorted(sent)}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://example.com",
        "https://",
        "https:example.com",
        "https://user:word@example.com",
        "https://bank.example@evil.example",
        "http://[",
        "http://example.com:99999",
        "https://localhost",
        "https://exa mple.com",
        "https:\\\\example.com",
        "mailto:",
        "mailto:javascript:x@y.z",
        "",
        "https://example.com/" + "a" * 500,
        None,
        7,
    ],
)
def test_a_link_leads_to_the_web_or_a_mailbox(url: object) -> None:
    with pytest.raises(Invalid):
        artist_page.checked_link(url, "Here")


def test_at_most_twelve_links(appliance: Appliance) -> None:
    artist = make_artist()
    row = {"url": "https://example.com", "label": "Here"}
    artist_page.edit(artist, {"links": [row] * 12}, actor=artist.owner, now=LATER)
    for wrong in ([row] * 13, "https://example.com", [1], None):
        with pytest.raises(Invalid):
            artist_page.edit(artist, {"links": wrong}, actor=artist.owner, now=LATER)


@pytest.mark.parametrize(
    ("field", "value"),
    [("accent", "red"), ("accent", "#12345"), ("name", " "), ("slug", "-x"), ("slug", "Ä"), ("owner", "x")],
)
def test_what_cannot_be_is_refused_by_its_field(appliance: Appliance, field: str, value: str) -> None:
    artist = make_artist()
    with pytest.raises(Invalid) as refused:
        artist_page.edit(artist, {field: value, "location": "Nowhere"}, actor=artist.owner, now=LATER)
    assert refused.value.field == field
    assert artists.by_id(artist.id).location == ""


def test_the_second_of_two_editors_is_told(appliance: Appliance) -> None:
    artist = make_artist()
    artist_page.edit(artist, {"location": "Sassnitz"}, actor=artist.owner, now=LATER, made_from=1)
    with pytest.raises(Stale):
        artist_page.edit(artist, {"location": "Trelleborg"}, actor=artist.owner, now=LATER, made_from=1)
    assert artists.by_id(artist.id).location == "Sassnitz"


def test_a_former_address_leads_on_and_is_nobody_elses(appliance: Appliance) -> None:
    artist = make_artist(name="Night Ferry")
    moved = artist_page.edit(artist, {"slug": "nf"}, actor=artist.owner, now=LATER)
    assert moved.slug == "nf"
    assert artists.moved_to("night-ferry") == "nf"
    assert artists.moved_to("nf") == artists.moved_to("nobody") == ""
    with pytest.raises(Conflict, match="taken"):
        make_artist(slug="night-ferry")
    assert make_artist(name="Night Ferry").slug == "night-ferry-2"
    other = make_artist(name="Other")
    for slug in ("night-ferry", "nf"):
        with pytest.raises(Conflict, match="taken"):
            artist_page.edit(other, {"slug": slug}, actor=other.owner, now=LATER)
    back = artist_page.edit(moved, {"slug": "night-ferry"}, actor=artist.owner, now=LATER)
    assert (back.slug, artists.moved_to("nf"), artists.moved_to("night-ferry")) == (
        "night-ferry",
        "night-ferry",
        "",
    )


def test_nobody_keeps_addresses_without_end(appliance: Appliance) -> None:
    artist = make_artist()
    for number in range(artist_page.MOST_ADDRESSES):
        artist = artist_page.edit(artist, {"slug": f"address-{number}"}, actor=artist.owner, now=LATER)
    with pytest.raises(Conflict, match="former addresses"):
        artist_page.edit(artist, {"slug": "one-more"}, actor=artist.owner, now=LATER)
    assert artist_page.edit(artist, {"slug": "address-3"}, actor=artist.owner, now=LATER).slug == "address-3"


def test_an_artist_has_a_picture_and_takes_it_away(appliance: Appliance, tmp_path: Path) -> None:
    artist = make_artist()
    with picture_file(tmp_path).open("rb") as picture:
        shown = artist_page.set_picture(artist, picture, store=appliance.store, actor=artist.owner, now=LATER)
    assert shown.picture_key.startswith(f"artwork/{artist.id}/")
    assert shown.colour.startswith("#")
    assert appliance.store.stat(f"{shown.picture_key}/600.webp").size_bytes > 0
    assert artist_page.remove_picture(shown, actor=artist.owner, now=LATER).picture_key == ""


def test_an_artist_without_releases_is_removed_with_all_that_is_theirs(appliance: Appliance) -> None:
    artist = make_artist(name="Night Ferry")
    joined(artist)
    invitations.invite(artist, "mira@example.com", "manager", actor=artist.owner, now=NOW)
    artist = artist_page.edit(artist, {"slug": "nf"}, actor=artist.owner, now=LATER)
    artists.delete(artist, actor=artist.owner, now=LATER)
    for model in (Artist, ArtistMember, Invitation, ArtistAddress):
        assert model.select().count() == 0
    assert trail()[-1] == "artist.removed"
    assert make_artist(name="Night Ferry").slug == "night-ferry"


def test_an_artist_with_a_release_stays(appliance: Appliance) -> None:
    release = make_release()
    with pytest.raises(Conflict):
        artists.delete(release.artist, actor=release.artist.owner, now=LATER)
