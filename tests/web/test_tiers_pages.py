"""Tiers, members, early hours, exclusives and takedowns as people and programs see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.catalog import publishing
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.web.test_studio import Browser

pytestmark = pytest.mark.usefixtures("nobody_works")
REASON = "Somebody else owns the recording."


@pytest.fixture
def release(appliance: Appliance, artist: Person) -> Release:
    made = site.make_release(artist, published=True)
    site.make_track(made, appliance, title="Low Tide")
    exclusive = site.make_track(made, appliance, title="High Water")
    tracks.edit(exclusive, {"exclusive": True}, now=clock.now())
    return made


def tier_of(artist: Artist, kind: str) -> Tier:
    return next(row for row in tiers.of_artist(artist) if row.kind == kind)


def make_member(artist: Artist, person: Person, kind: str = "supporter") -> Membership:
    return granting.grant(
        artist,
        person.user.email,
        tier_id=tier_of(artist, kind).id,
        origin="gift",
        actor=artist.owner,
        now=clock.now(),
    )


def test_an_exclusive_track_is_seen_previewed_and_led_to_its_tier_by_everybody_else(
    client: FlaskClient, release: Release, stranger: Person, artist: Person
) -> None:
    path = f"/@{release.artist.slug}/{release.slug}"
    page = client.get(path).get_data(as_text=True)
    assert "Members hear the whole of it." in page
    high_water = tracks.of_release(release)[1]
    page = client.get(f"{path}/{high_water.slug}").get_data(as_text=True)
    assert f'href="/@{release.artist.slug}#tiers"' in page
    assert "Supporter, €5 a month" in page
    refused = client.post(f"/api/v1/tracks/{high_water.id}/play")
    assert (refused.status_code, refused.json["detail"]) == (403, "Members hear the whole of it.")
    told = client.get(f"/api/v1/tracks/{high_water.id}").json
    assert (told["exclusive"], told["qualities"], told["access"]["way_in"]) == (True, [], "tier")
    assert told["access"]["tier"]["price_minor"] == 500
    assert told["preview_url"]
    make_member(release.artist, stranger)
    heard = client.post(f"/api/v1/tracks/{high_water.id}/play", headers=stranger.headers)
    assert heard.json["qualities"] == ["low", "high", "lossless"]
    assert client.post(f"/api/v1/tracks/{high_water.id}/play", headers=artist.headers).status_code == 200


def test_who_is_no_member_hears_what_the_free_tier_says(
    client: FlaskClient, release: Release, stranger: Person
) -> None:
    low_tide = tracks.of_release(release)[0]
    for headers in ({}, stranger.headers):
        assert client.get(f"/api/v1/tracks/{low_tide.id}", headers=headers).json["qualities"] == ["low"]
    assert client.post(f"/api/v1/tracks/{low_tide.id}/offline", headers=stranger.headers).status_code == 403
    make_member(release.artist, stranger, "superfan")
    assert client.post(f"/api/v1/tracks/{low_tide.id}/offline", headers=stranger.headers).status_code == 200


def test_the_page_of_an_artist_says_what_one_can_be_and_how(
    app: Flask, release: Release, stranger: Person
) -> None:
    visitor, browser = app.test_client(), site.signed_in(app, stranger)
    path = f"/@{release.artist.slug}"
    page = visitor.get(path).get_data(as_text=True)
    assert all(name in page for name in ("Free", "Supporter", "Superfan", "€10 a month"))
    assert "New releases 24 hours before everybody else" in page
    assert "Nobody can pay for a membership here yet" in page
    make_member(release.artist, stranger)
    page = browser.get(path).get_data(as_text=True)
    assert ("Your tier" in page, "You are a member." in page) == (True, True)
    account = browser.get("/account").get_data(as_text=True)
    assert ("Night Ferry" in account, "Exclusive tracks" in account, "without an end" in account) == (
        True,
        True,
        True,
    )


def test_a_member_finds_a_release_before_everybody_else(
    app: Flask, appliance: Appliance, artist: Person, stranger: Person, client: FlaskClient
) -> None:
    release = site.make_release(artist, title="Not Yet")
    site.make_track(release, appliance)
    publishing.schedule(release, clock.now() + timedelta(hours=20), now=clock.now())
    make_member(release.artist, stranger)
    path = f"/@{release.artist.slug}"
    page = site.signed_in(app, stranger).get(path).get_data(as_text=True)
    assert ("Not Yet" in page, "Before everybody else" in page) == (True, True)
    assert "before everybody else." in site.signed_in(app, stranger).get(f"{path}/not-yet").get_data(
        as_text=True
    )
    assert "Not Yet" not in client.get(path).get_data(as_text=True)
    other = site.make_person()
    for where in (f"{path}/not-yet", f"/listen/release/{release.id}.json", f"/api/v1/releases/{release.id}"):
        assert client.get(where).status_code == 404
        assert client.get(where, headers=other.headers).status_code == 404
        assert client.get(where, headers=stranger.headers).status_code == 200


def test_tiers_are_edited_by_forms_and_what_is_wrong_loses_nothing(
    app: Flask, artist: Person, release: Release
) -> None:
    browser = Browser(site.signed_in(app, artist))
    slug, supporter = release.artist.slug, tier_of(release.artist, "supporter")
    path = f"/studio/artists/{slug}/tiers/{supporter.id}"
    wrong = browser.send(path, version="1", name="Deckhand", price_minor="five")
    page = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert ('value="Deckhand"' in page, "Write the price like this: 5.00." in page) == (True, True)
    sent = {"name": "Deckhand", "price_minor": "4,50", "annual_price_minor": "45", "downloads_a_month": ""}
    assert browser.send(path, version="1", **sent).status_code == 200
    now = tiers.find(release.artist, supporter.id)
    assert (now.name, now.price_minor, now.annual_price_minor, now.downloads_a_month) == (
        "Deckhand",
        450,
        4500,
        None,
    )
    late = browser.send(path, version="1", name="Stoker")
    assert late.status_code == 409
    assert "Stored by somebody else meanwhile: Deckhand" in late.get_data(as_text=True)
    browser.send(f"/studio/artists/{slug}/tiers", name="Crew", price="7")
    assert [row.name for row in tiers.of_artist(release.artist)] == ["Free", "Deckhand", "Superfan", "Crew"]
    browser.send(f"{path}/move", direction="down")
    browser.send(f"{path}/archive")
    assert [row.name for row in tiers.of_artist(release.artist)] == ["Free", "Superfan", "Crew"]
    assert "Archived" in browser.client.get(f"/studio/artists/{slug}/tiers").get_data(as_text=True)


def test_members_are_made_changed_and_ended_by_forms(
    app: Flask, artist: Person, stranger: Person, release: Release
) -> None:
    browser = Browser(site.signed_in(app, artist))
    path = f"/studio/artists/{release.artist.slug}/members"
    tier = tier_of(release.artist, "supporter")
    nobody = browser.send(path, email="nobody@example.com", tier=tier.id, origin="gift")
    assert nobody.status_code == 422
    assert 'value="nobody@example.com"' in nobody.get_data(as_text=True)
    last = (clock.now() + timedelta(days=30)).date()
    browser.send(path, email=stranger.user.email, tier=tier.id, origin="press", last=last.isoformat())
    (made,) = granting.of_artist(release.artist, limit=10)
    assert made.paid_through.date() == last + timedelta(days=1)
    page = browser.client.get(path).get_data(as_text=True)
    assert (f'value="{last}"' in page, stranger.user.email in page) == (True, True)
    superfan = tier_of(release.artist, "superfan")
    browser.send(f"{path}/{made.id}", tier=superfan.id, last=last.isoformat(), version="1")
    changed = granting.find(release.artist, made.id)
    assert (changed.tier_id, changed.paid_through) == (superfan.id, made.paid_through)
    browser.send(f"{path}/{made.id}/end")
    assert granting.of_artist(release.artist, limit=10) == []


def test_programs_read_tiers_and_give_memberships(
    client: FlaskClient, artist: Person, stranger: Person, release: Release
) -> None:
    base = f"/api/v1/artists/{release.artist.slug}"
    free, supporter, _superfan = client.get(f"{base}/tiers").json["items"]
    assert client.post(f"{base}/tiers", json={"name": "x"}, headers=stranger.headers).status_code == 403
    added = client.post(f"{base}/tiers", json={"name": "Crew", "price_minor": 700}, headers=artist.headers)
    assert (added.status_code, added.json["currency"]) == (201, "EUR")
    where = f"{base}/tiers/{added.json['id']}"
    changed = client.patch(where, json={"archived": True, "offline": True}, headers=artist.headers)
    assert (changed.json["archived"], changed.json["offline"]) == (True, True)
    refused = client.patch(f"{base}/tiers/{free['id']}", json={"archived": True}, headers=artist.headers)
    assert refused.status_code == 409
    sent = {"email": stranger.user.email, "tier": supporter["id"], "origin": "gift"}
    made = client.post(f"{base}/memberships", json=sent, headers=artist.headers)
    assert (made.status_code, made.json["tier"]["name"]) == (201, "Supporter")
    (mine,) = client.get("/api/v1/memberships", headers=stranger.headers).json["items"]
    assert (mine["artist"]["slug"], mine["tier"]["top_quality"]) == (release.artist.slug, "lossless")
    assert client.get(f"{base}/memberships", headers=stranger.headers).status_code == 403
    one = f"{base}/memberships/{made.json['id']}"
    until = (clock.now() + timedelta(days=3)).isoformat()
    assert client.patch(one, json={"paid_through": until}, headers=artist.headers).status_code == 200
    stale = {**artist.headers, "If-Match": made.headers["ETag"]}
    assert client.patch(one, json={"note": "late"}, headers=stale).status_code == 412
    assert client.delete(one, headers=artist.headers).status_code == 204
    assert client.get("/api/v1/memberships", headers=stranger.headers).json["items"] == []


def test_what_was_taken_down_is_nowhere_for_the_public_and_told_to_its_people(
    app: Flask, client: FlaskClient, artist: Person, stranger: Person, release: Release
) -> None:
    moderator = site.make_person(roles=(RoleName.MODERATOR,), scopes=tuple(Scope))
    browser = Browser(site.signed_in(app, moderator))
    path, track = f"/@{release.artist.slug}/{release.slug}", tracks.of_release(release)[0]
    made = browser.send("/admin/takedowns", what=f"http://localhost{path}/{track.slug}", reason=REASON)
    assert made.status_code == 200
    assert client.get(f"{path}/{track.slug}").status_code == 404
    assert "Low Tide" not in client.get(path).get_data(as_text=True)
    browser.send("/admin/takedowns", what=path, reason=REASON)
    make_member(release.artist, stranger, "superfan")
    for headers in ({}, stranger.headers):
        for where in (path, f"/embed/release/{release.id}", f"/api/v1/tracks/{track.id}"):
            assert client.get(where, headers=headers).status_code == 404
        for where in ("/", f"/@{release.artist.slug}", "/feed.atom", "/search?q=Harbour", "/api/v1/releases"):
            assert "Harbour Lights" not in client.get(where, headers=headers).get_data(as_text=True)
    # Those behind it are told, and can neither hear nor change it.
    own = Browser(site.signed_in(app, artist))
    assert "The collective took this down" in own.client.get(path).get_data(as_text=True)
    assert REASON in own.client.get(f"/studio/releases/{release.id}").get_data(as_text=True)
    told = client.get(f"/api/v1/releases/{release.id}", headers=artist.headers).json
    assert {
        (one["access"]["taken_down"], one["preview_url"], "original" in one) for one in told["tracks"]
    } == {(True, None, False)}
    assert client.post(f"/api/v1/tracks/{track.id}/play", headers=artist.headers).status_code == 403
    for method, where in (
        ("PATCH", f"/api/v1/releases/{release.id}"),
        ("PATCH", f"/api/v1/tracks/{track.id}"),
        ("DELETE", f"/api/v1/tracks/{track.id}"),
    ):
        frozen = client.open(where, method=method, json={"title": "x"}, headers=artist.headers)
        assert (frozen.status_code, "given back" in frozen.json["detail"]) == (403, True)
    assert browser.client.get(path).status_code == 200
    page = browser.client.get("/admin/takedowns").get_data(as_text=True)
    assert page.count(REASON) == 2
    browser.send(f"/admin/takedowns/release/{release.id}/restore")
    browser.send(f"/admin/takedowns/track/{track.id}/restore")
    assert "Low Tide" in client.get(path).get_data(as_text=True)


def test_programs_of_moderators_take_down_and_give_back(
    client: FlaskClient, artist: Person, release: Release
) -> None:
    moderator = site.make_person(roles=(RoleName.MODERATOR,))
    where = f"/api/v1/releases/{release.id}/takedown"
    assert client.put(where, json={"reason": REASON}, headers=artist.headers).status_code == 403
    made = client.put(where, json={"reason": REASON}, headers=moderator.headers)
    assert (made.status_code, made.json["subject"]) == (201, release.id)
    assert client.put(where, json={"reason": REASON}, headers=moderator.headers).status_code == 409
    (listed,) = client.get("/api/v1/takedowns", headers=moderator.headers).json["items"]
    assert listed == made.json
    assert client.get("/api/v1/takedowns", headers=artist.headers).status_code == 403
    assert client.delete(where, headers=moderator.headers).status_code == 204
    assert client.get(f"/api/v1/releases/{release.id}").status_code == 200


def test_what_is_down_does_not_go_out_by_itself(
    appliance: Appliance, artist: Person, client: FlaskClient
) -> None:
    release = site.make_release(artist)
    site.make_track(release, appliance)
    now = clock.now()
    publishing.schedule(release, now + timedelta(hours=1), now=now)
    moderator = site.make_person(roles=(RoleName.MODERATOR,))
    where = f"/api/v1/releases/{release.id}/takedown"
    client.put(where, json={"reason": REASON}, headers=moderator.headers)
    assert publishing.publish_due(now=now + timedelta(hours=2)) == []
    client.delete(where, headers=moderator.headers)
    assert len(publishing.publish_due(now=now + timedelta(hours=2))) == 1


def test_a_page_of_a_hundred_tracks_asks_no_more_than_one_of_two(
    app: Flask, appliance: Appliance, artist: Person, stranger: Person, release: Release
) -> None:
    make_member(release.artist, stranger)
    browser, path = site.signed_in(app, stranger), f"/@{release.artist.slug}/{release.slug}"
    few = least(lambda: browser.get(path))
    for number in range(98):
        made = site.make_track(release, appliance, title=f"Track {number}")
        if number % 3 == 0:
            tracks.edit(made, {"exclusive": True}, now=clock.now())
    assert browser.get(path).get_data(as_text=True).count("data-track=") == 100
    assert least(lambda: browser.get(path)) == few
