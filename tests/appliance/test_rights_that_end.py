"""Every act that takes a right away: the address that was given before it is refused after it, and the addresses of others stand."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from appliance import revocations
from appliance.accounts import people
from appliance.accounts import roles
from appliance.accounts import sessions
from appliance.accounts import tokens
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog import private_links
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import takedowns
from appliance.catalog import tracks
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.models import Audience
from appliance.catalog.models import Quality
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.errors import NotAllowed
from appliance.memberships import granting
from appliance.memberships import media_tokens
from appliance.memberships import purchases
from appliance.memberships import tiers
from appliance.memberships.media_tokens import Grant
from appliance.memberships.models import Membership
from appliance.memberships.models import Purchase
from appliance.memberships.models import Tier
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user

SOON = NOW + timedelta(hours=10)


@dataclass(frozen=True)
class Scene:
    """Somebody who hears a track by every right there is, and the artist it is of."""

    artist: Artist
    owner: User
    admin: User
    listener: User
    membership: Membership
    bought: Purchase
    session: str
    public: Release
    coming: Release
    """Scheduled, with a private link."""

    def tier(self, kind: str) -> Tier:
        return next(row for row in tiers.of_artist(self.artist) if row.kind == kind)

    def track(self, release: Release) -> Track:
        return Track.get(Track.release == release.id)

    def given(self, release: Release, listener: User | None = None) -> Grant:
        """What the listener is given now for the track of *release*."""
        return Grant(
            asset=f"{self.track(release).id}.RUN",
            qualities=frozenset(Quality),
            expires_at_s=0,
            epoch=revocations.epoch(),
            listener=(listener or self.listener).id,
            artist=self.artist.id,
            release=release.id,
        )


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def scene(appliance: Appliance) -> Iterator[Scene]:
    revocations.forget()
    artist = make_artist()
    listener, owner, admin = make_user(), artist.owner, make_user(roles=(RoleName.ADMIN,))
    roles.grant(listener.id, RoleName.MODERATOR, actor=admin.id, now=NOW)
    with transaction():
        members.join(artist, listener, MemberRole.MANAGER, now=NOW)
    public, coming = make_release(artist), make_release(artist, title="Low Water")
    for release in (public, coming):
        add_track(release)
    public = publishing.publish(public, now=NOW)[0]
    publishing.schedule(coming, SOON, now=NOW)
    superfan = next(row for row in tiers.of_artist(artist) if row.kind == "superfan")
    yield Scene(
        artist=artist,
        owner=owner,
        admin=admin,
        listener=listener,
        membership=granting.grant(
            artist, listener.email, tier_id=superfan.id, origin="gift", actor=owner, now=NOW
        ),
        bought=Purchase.create(user=listener.id, artist=artist.id, release=public.id, bought_at=NOW),
        session=sessions.begin(
            listener, browser="Firefox", address="", remembered=False, way="password", now=NOW
        ),
        public=public,
        coming=private_links.make(coming, now=NOW),
    )
    revocations.forget()


def session_of(scene: Scene) -> str:
    return sessions.of_user(scene.listener.id, now=NOW)[0].id


def end_token(scene: Scene) -> None:
    tokens.revoke(scene.listener, tokens.of_user(scene.listener)[0].id, now=NOW)


OF_THE_LISTENER: dict[str, Callable[[Scene], object]] = {
    "a membership ends": lambda s: granting.end(s.membership, actor=s.owner, now=NOW),
    "a membership goes down": lambda s: granting.change(
        s.membership, {"tier": s.tier("supporter").id}, actor=s.owner, now=NOW
    ),
    "a membership ends sooner": lambda s: granting.change(
        s.membership, {"paid_through": SOON}, actor=s.owner, now=NOW
    ),
    "a purchase is refunded": lambda s: purchases.refund(s.bought, now=NOW),
    "a manager becomes a contributor": lambda s: members.change_role(
        s.artist, s.listener.id, "contributor", actor=s.owner, now=NOW
    ),
    "somebody is no longer one of the artist's people": lambda s: members.remove(
        s.artist, s.listener.id, actor=s.owner, now=NOW
    ),
    "an artist is handed over": lambda s: members.transfer(s.artist, s.listener.id, actor=s.owner, now=NOW),
    "a moderator is none any more": lambda s: roles.revoke(
        s.listener.id, RoleName.MODERATOR, actor=s.admin.id, now=NOW
    ),
    "an account is closed": lambda s: roles.deactivate(s.listener.id, actor=s.admin.id, now=NOW),
    "somebody signs out": lambda s: sessions.sign_out(s.session, now=NOW),
    "somebody signs out everywhere": lambda s: people.sign_out_everywhere(s.listener, now=NOW),
    "one session is ended": lambda s: sessions.end(s.listener, session_of(s), now=NOW),
    "a token of a program is revoked": end_token,
}
OF_THE_PUBLIC: dict[str, Callable[[Scene], object]] = {
    "a tier opens less": lambda s: tiers.edit(
        s.tier("superfan"), {"exclusives": False}, actor=s.owner, now=NOW
    ),
    "a release is taken down": lambda s: takedowns.take_down(s.public, "A claim", actor=s.admin, now=NOW),
    "a track is taken down": lambda s: takedowns.take_down(
        s.track(s.public), "A claim", actor=s.admin, now=NOW
    ),
    "a release is taken back": lambda s: publishing.take_back(s.public, now=NOW),
    "a release is for members now": lambda s: releases.edit(
        s.public, {"audience": Audience.MEMBERS}, now=NOW
    ),
    "a track is exclusive now": lambda s: tracks.edit(s.track(s.public), {"exclusive": True}, now=NOW),
    "a track is removed": lambda s: tracks.remove(s.track(s.public), now=NOW),
}
OF_WHAT_IS_COMING: dict[str, Callable[[Scene], object]] = {
    "it is taken back": lambda s: publishing.take_back(s.coming, now=NOW),
    "it comes later": lambda s: publishing.schedule(s.coming, SOON + timedelta(days=9), now=NOW),
    "its private link is closed": lambda s: private_links.revoke(s.coming, now=NOW),
    "its private link is another one": lambda s: private_links.make(s.coming, now=NOW),
    "it is public, and its private link closed": lambda s: publishing.publish(s.coming, now=NOW),
}


@pytest.mark.parametrize("act", OF_THE_LISTENER)
def test_what_one_person_was_given_ends_with_their_right_and_others_hear_on(scene: Scene, act: str) -> None:
    tokens.mint(scene.listener, now=NOW)
    before, of_a_stranger = scene.given(scene.public), scene.given(scene.public, make_user())
    assert not refused(before)
    OF_THE_LISTENER[act](scene)
    assert refused(before)
    assert not refused(of_a_stranger)
    assert not refused(scene.given(scene.public)), "what they may hear now they are given anew"


@pytest.mark.parametrize("act", OF_THE_PUBLIC)
def test_what_anybody_was_given_ends_with_what_is_on_offer(scene: Scene, act: str) -> None:
    before = scene.given(scene.public, make_user())
    OF_THE_PUBLIC[act](scene)
    assert refused(before)


@pytest.mark.parametrize("act", OF_WHAT_IS_COMING)
def test_what_was_given_of_a_release_on_its_way_ends(scene: Scene, act: str) -> None:
    before, elsewhere = scene.given(scene.coming, make_user()), scene.given(scene.public)
    OF_WHAT_IS_COMING[act](scene)
    assert refused(before)
    assert not refused(elsewhere)


def test_an_act_that_fails_ends_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    before = scene.given(scene.public)
    monkeypatch.setattr("appliance.accounts.audit.record", break_down)
    with pytest.raises(ZeroDivisionError):
        granting.end(scene.membership, actor=scene.owner, now=NOW)
    assert not refused(before)


def test_a_refund_is_made_once(scene: Scene) -> None:
    purchases.refund(scene.bought, now=NOW)
    purchases.refund(scene.bought, now=SOON)
    assert Purchase.get_by_id(scene.bought.id).refunded_at == NOW


def refused(grant: Grant) -> bool:
    try:
        media_tokens.require_standing(grant)
    except NotAllowed:
        return True
    return False
