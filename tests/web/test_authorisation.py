"""Who may send what: each address that changes something, against everybody who might try.

An address that is not in the table fails ``test_every_address_that_changes_something_stands_in_the_table``: whoever adds one says here
who is let in.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from appliance import clock
from appliance import jobs
from appliance import mail
from appliance.accounts import tokens
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.catalog import invitations
from appliance.catalog import members
from appliance.catalog import uploads
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.database import new_id
from appliance.ledger.models import Payment
from appliance.library import playlists
from appliance.mail import outbox
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.shop import codes as shop_codes
from appliance.shop import discounts
from appliance.shop.bundle_models import Bundle
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.merchandise.models import Zone
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


class Who(StrEnum):
    """Everybody who might try, each let in wherever the one before is."""

    NOBODY = "nobody"
    STRANGER = "stranger"
    CONTRIBUTOR = "contributor"
    MANAGER = "manager"
    OWNER = "owner"
    ADMIN = "admin"


# Who is the first to be let in, on a draft.
DRAFT: dict[str, Who] = {
    "admin.change_collective": Who.ADMIN,
    "admin.change_featured": Who.ADMIN,
    "admin.change_logo": Who.ADMIN,
    "admin.change_plugin": Who.ADMIN,
    "admin.count_storage": Who.ADMIN,
    "admin.retry_all_jobs": Who.ADMIN,
    "admin.retry_job": Who.ADMIN,
    "admin.send_mail": Who.ADMIN,
    "admin.test_mail": Who.ADMIN,
    "admin.take_down": Who.ADMIN,
    "admin.restore": Who.ADMIN,
    "admin.reconcile_payments": Who.ADMIN,
    "admin.replay_event": Who.ADMIN,
    "api.add_tier": Who.MANAGER,
    "api.edit_tier": Who.MANAGER,
    "api.grant_membership": Who.MANAGER,
    "api.change_membership": Who.MANAGER,
    "api.end_membership": Who.MANAGER,
    "api.take_release_down": Who.ADMIN,
    "api.give_release_back": Who.ADMIN,
    "api.take_track_down": Who.ADMIN,
    "api.give_track_back": Who.ADMIN,
    "api.make_quote": Who.NOBODY,
    "api.make_order": Who.STRANGER,
    "api.agree_on_split": Who.MANAGER,
    "api.request_payout": Who.OWNER,
    "api.replay_payment_event": Who.ADMIN,
    "api.set_catalogue_price": Who.MANAGER,
    "api.set_release_prices": Who.MANAGER,
    "api.describe_seller": Who.MANAGER,
    "api.make_discount": Who.MANAGER,
    "api.stop_discount": Who.MANAGER,
    "api.make_code_batch": Who.MANAGER,
    "api.stop_code_batch": Who.MANAGER,
    "api.begin_subscription": Who.STRANGER,
    "api.add_track": Who.CONTRIBUTOR,
    "api.create_artist": Who.STRANGER,
    "api.create_playlist": Who.STRANGER,
    "api.create_release": Who.CONTRIBUTOR,
    "api.create_upload": Who.CONTRIBUTOR,
    "api.edit_artist": Who.MANAGER,
    "api.edit_release": Who.CONTRIBUTOR,
    "api.edit_track": Who.CONTRIBUTOR,
    "api.make_private_link": Who.MANAGER,
    "api.play": Who.CONTRIBUTOR,
    "api.publish_release": Who.MANAGER,
    "api.remove_artist": Who.OWNER,
    "api.remove_release": Who.CONTRIBUTOR,
    "api.remove_track": Who.CONTRIBUTOR,
    "api.retry_track": Who.CONTRIBUTOR,
    "api.revoke_private_link": Who.MANAGER,
    "api.schedule_release": Who.MANAGER,
    "api.set_artwork": Who.CONTRIBUTOR,
    "api.set_picture": Who.MANAGER,
    "api.unpublish_release": Who.MANAGER,
    "api.drop_release": Who.STRANGER,
    "api.drop_track": Who.STRANGER,
    "api.follow_artist": Who.STRANGER,
    "api.forget_all": Who.STRANGER,
    "api.keep_offline": Who.CONTRIBUTOR,
    "api.keep_release": Who.CONTRIBUTOR,
    "api.keep_track": Who.CONTRIBUTOR,
    "api.unfollow_artist": Who.STRANGER,
    "library.add": Who.CONTRIBUTOR,
    "library.create_playlist": Who.STRANGER,
    "library.forget": Who.STRANGER,
    "library.keep": Who.STRANGER,
    "listening.take": Who.NOBODY,
    "membership.begin": Who.STRANGER,
    "people.change_role": Who.OWNER,
    "people.invite": Who.OWNER,
    "people.leave": Who.CONTRIBUTOR,
    "people.preview": Who.STRANGER,
    "people.remove_artist": Who.OWNER,
    "people.remove_member": Who.OWNER,
    "people.remove_picture": Who.MANAGER,
    "people.revoke_invitation": Who.OWNER,
    "people.save_account": Who.STRANGER,
    "people.save_artist": Who.MANAGER,
    "people.set_picture": Who.MANAGER,
    "people.sign_out_everywhere": Who.STRANGER,
    "studio.add_tier": Who.MANAGER,
    "studio.edit_tier": Who.MANAGER,
    "studio.move_tier": Who.MANAGER,
    "studio.archive_tier": Who.MANAGER,
    "studio.restore_tier": Who.MANAGER,
    "studio.grant_membership": Who.MANAGER,
    "studio.change_membership": Who.MANAGER,
    "studio.end_membership": Who.MANAGER,
    "studio.set_price": Who.MANAGER,
    "studio.set_catalogue": Who.MANAGER,
    "studio.set_seller": Who.MANAGER,
    "studio.make_bundle": Who.MANAGER,
    "studio.change_bundle": Who.MANAGER,
    "studio.stop_bundle": Who.MANAGER,
    "studio.resume_bundle": Who.MANAGER,
    "studio.make_codes": Who.MANAGER,
    "studio.stop_codes": Who.MANAGER,
    "studio.make_discount": Who.MANAGER,
    "studio.make_article": Who.MANAGER,
    "studio.edit_article": Who.MANAGER,
    "studio.save_variants": Who.MANAGER,
    "studio.set_article_picture": Who.MANAGER,
    "studio.make_zone": Who.MANAGER,
    "studio.change_zone": Who.MANAGER,
    "studio.remove_zone": Who.MANAGER,
    "studio.send_parcel": Who.MANAGER,
    "studio.restock_parcel": Who.MANAGER,
    "studio.stop_discount": Who.MANAGER,
    "studio.agree": Who.MANAGER,
    "studio.agree_on_release": Who.MANAGER,
    "studio.agree_on_track": Who.MANAGER,
    "studio.take_back_agreement": Who.MANAGER,
    "studio.add_track": Who.CONTRIBUTOR,
    "studio.create_artist": Who.STRANGER,
    "studio.create_release": Who.CONTRIBUTOR,
    "studio.create_release_for": Who.CONTRIBUTOR,
    "studio.dismiss_master": Who.CONTRIBUTOR,
    "studio.edit_release": Who.CONTRIBUTOR,
    "studio.edit_track": Who.CONTRIBUTOR,
    "studio.make_private_link": Who.MANAGER,
    "studio.move_track": Who.CONTRIBUTOR,
    "studio.publish": Who.MANAGER,
    "studio.remove_release": Who.CONTRIBUTOR,
    "studio.remove_track": Who.CONTRIBUTOR,
    "studio.replace_master": Who.CONTRIBUTOR,
    "studio.retry_track": Who.CONTRIBUTOR,
    "studio.revoke_private_link": Who.MANAGER,
    "studio.schedule": Who.MANAGER,
    "studio.set_artwork": Who.CONTRIBUTOR,
    "studio.take_back": Who.MANAGER,
}
# What is public is changed by those who may publish.
PUBLISHED = {
    endpoint: Who.MANAGER
    for endpoint, who in DRAFT.items()
    if who is Who.CONTRIBUTOR
    and endpoint
    not in {"api.create_release", "people.leave", "studio.create_release", "studio.create_release_for"}
} | {
    "api.play": Who.NOBODY,
    "api.keep_offline": Who.CONTRIBUTOR,
    "api.keep_release": Who.STRANGER,
    "api.keep_track": Who.STRANGER,
    "library.add": Who.STRANGER,
}
OWN = {
    "api.add_entry",
    "api.delete_playlist",
    "api.edit_playlist",
    "api.remove_entry",
    "library.change_entries",
    "library.delete_playlist",
    "library.save_playlist",
    "api.append_upload",
    "api.terminate_upload",
    "people.accept",
    "people.decline",
    "people.accept_waiting",
    "people.decline_waiting",
}
"""For one person alone: not even an admin takes their place."""
PROVED = {
    "admin.change_person",
    "admin.hand_over_artist",
    "admin.make_bank_file",
    "admin.refund_payment",
    "admin.settle_payout",
    "studio.connect_provider",
    "studio.remove_payout_account",
    "studio.request_payout",
    "studio.set_bank_account",
    "people.add_authenticator",
    "people.add_passkey",
    "people.make_token",
    "people.remove_authenticator",
    "people.remove_passkey",
    "people.renew_codes",
    "people.transfer",
    "security.change_email",
    "security.change_password",
    "sign_in.check",
}
"""For a person who proved who they are: no token of a program opens these. That the right person may: tests/web/test_step_up.py."""
ELSEWHERE = {
    **dict.fromkeys(
        (
            "api.download_release",
            "api.download_track",
            "downloads.ask_again",
            "downloads.ask_for_release",
            "downloads.ask_for_track",
        ),
        "tests/web/test_downloads.py: the tier decides who may download",
    ),
    **dict.fromkeys(
        (
            "membership.agree",
            "membership.cancel",
            "membership.pause",
            "membership.reckon",
            "membership.resume",
            "membership.say_whom_for",
        ),
        "for who pays, not even for an admin: tests/web/test_memberships_pages.py",
    ),
    "api.take_split_back": "for owners and managers: tests/web/test_api_books.py",
    "api.redeem_gift": "for who has a code: tests/web/test_api_gifts.py",
    "api.redeem_code": "for who has a code: tests/web/test_api_buying.py",
    **dict.fromkeys(
        (
            "api.cancel_subscription",
            "api.change_subscription",
            "api.open_card_page",
            "api.pause_subscription",
            "api.reckon_change",
            "api.resume_subscription",
        ),
        "for who pays, not even for an admin: tests/web/test_api_subscriptions.py",
    ),
    "studio.pay_monthly": "tests/web/test_payouts.py: the owner alone",
    "people.link_identity": "one's own, and it needs a plugin: tests/plugins/test_oidc_signin.py",
    "people.unlink_identity": "tests/plugins/test_oidc_signin.py: what opens somebody else's account stays",
    "api.forget_play": "tests/web/test_api_library.py: what others heard stays",
    "people.revoke_token": "tests/web/test_account.py: somebody else's token stays",
    "frame.choose_language": "for everybody: it keeps a cookie",
    "shop.begin_order": "for everybody, with or without an account: tests/web/test_shop.py",
    "shop.put_into_basket": "for everybody: one's own basket: tests/web/test_merchandise.py",
    "shop.order_basket": "for everybody, with or without an account: tests/web/test_merchandise.py",
    "shop.change_address": "for who ordered: tests/web/test_merchandise.py",
    "shop.give_up": "for who ordered: tests/web/test_merchandise.py",
    "shop.begin_gift": "for everybody, with or without an account: tests/web/test_gifts.py",
    "shop.send_gift": "for its buyer: tests/web/test_gifts.py",
    "shop.redeem_code": "for who has a code: tests/web/test_shop.py",
    "security.login": "for everybody",
    "security.logout": "for everybody",
    "security.register": "for everybody, where registration is open",
    "security.confirm_email": "for who has the letter: tests/web/test_sign_in.py",
    "security.forgot_password": "for everybody: it says the same to all",
    "security.reset_password": "for who has the letter: tests/web/test_sign_in.py",
    "security.send_confirmation": "for everybody: it says the same to all",
    "sign_in.by_passkey": "for everybody who has a passkey: tests/journeys/test_passkeys.py",
    "sign_in.check_second": "for who gave the password: tests/web/test_sign_in.py",
    "people.end_session": "tests/web/test_sessions.py: somebody else's session stays",
    "people.forget_device": "tests/web/test_sessions.py: somebody else's device stays",
    "webhooks.receive": "for whose signature holds: tests/web/test_webhooks.py",
    "setup.finish": "for who has the token printed on the console: tests/web/test_setup.py",
}


@dataclass(frozen=True)
class Place:
    """An artist with all its people, and a thing of every kind."""

    people: dict[Who, Person]
    values: dict[str, str]
    release: Release


@pytest.fixture
def place(appliance: Appliance, nobody_works: None) -> Place:
    every = tuple(Scope)
    people = {who: site.make_person(scopes=every) for who in Who if who not in {Who.NOBODY, Who.ADMIN}}
    people[Who.ADMIN] = site.make_person(roles=(RoleName.ADMIN,), scopes=every)
    owner, now = people[Who.OWNER], clock.now()
    artist = site.make_artist(owner)
    for who, role in ((Who.CONTRIBUTOR, MemberRole.CONTRIBUTOR), (Who.MANAGER, MemberRole.MANAGER)):
        members.join(artist, people[who].user, role, now=now)
    release = site.make_release(owner, artist=artist)
    track = site.make_track(release, appliance)
    other = site.make_person()
    members.join(artist, other.user, MemberRole.CONTRIBUTOR, now=now)
    guest = site.make_person("guest@example.com", scopes=every)
    made, token = invitations.invite(artist, guest.user.email, "manager", actor=owner.user, now=now)
    members.join(artist, guest.user, MemberRole.CONTRIBUTOR, now=now)
    upload = uploads.begin(
        guest.user, release, filename="song.flac", size_bytes=10, max_upload_mb=10, expiry_h=24, now=now
    )
    playlist = playlists.create(guest.user, {"title": "Evening"}, now=now)
    mail.send("test", guest.user.email, facts={"collective": "X"}, locale="en", now=now)
    tier = tiers.of_artist(artist)[1]
    membership = granting.grant(
        artist, other.user.email, tier_id=tier.id, origin="gift", actor=owner.user, now=now
    )
    batch = shop_codes.make(release, 1, actor=owner.user, now=now)
    discount = discounts.make(artist, "SPRING", percent=10, actor=owner.user, now=now)
    article, zone, parcel = _goods(artist, owner, now)
    bundle = Bundle.create(artist=artist.id, title="Box", price_minor=0, created_at=now, updated_at=now)
    row = tokens.recognise(owner.token, now)
    assert row is not None
    people[Who.NOBODY] = guest
    payment = Payment.create(
        provider="nobody",
        reference="pay_1",
        mark="order-1",
        artist=artist.id,
        amount_minor=700,
        currency="EUR",
        share_bps=1000,
        paid_at=now,
        created_at=now,
        updated_at=now,
    )
    event = ProviderEvent.create(
        provider="nobody",
        event="evt_1",
        kind="x",
        happened_at=now,
        received_at=now,
        due_at=now,
        body="{}",
        state=EventState.FAILED,
    )
    values = {
        "artist_id": artist.id,
        "bundle_id": bundle.id,
        "slug": artist.slug,
        "artist": artist.slug,
        "user_id": other.user.id,
        "release_id": release.id,
        "track_id": track.id,
        "upload_id": upload.id,
        "invitation_id": made.id,
        "token": token,
        "token_id": row.id,
        "job_id": jobs.add("transcode", track.id, now=now).id,
        "message_id": outbox.page()[0].id,
        "playlist_id": playlist.id,
        "entry_id": new_id(),
        "name": "webhook_out",
        "passkey_id": new_id(),
        "payout_id": new_id(),
        "payment_id": payment.id,
        "event_id": event.id,
        "account_id": new_id(),
        "provider": "nobody",
        "tier_id": tier.id,
        "batch_id": batch.id,
        "discount_id": discount.id,
        "article_id": article.id,
        "article": article.slug,
        "zone_id": zone.id,
        "order_id": parcel.order_id,
        "membership_id": membership.id,
        "agreement_id": new_id(),
        "kind": "release",
        "key": release.id,
    }
    return Place(people, values, release)


def _goods(artist: Artist, owner: Person, now: datetime) -> tuple[Article, Zone, Parcel]:
    """An article, a zone, and a parcel that is to be sent."""
    article = articles.make(artist, "T-shirt", price_minor=2500, actor=owner.user, now=now)
    zone = zones.make(artist, "Home", ["DE"], first_minor=0, further_minor=0, actor=owner.user, now=now)
    order = Order.create(
        email="buyer@example.com",
        artist=artist.id,
        artist_name=artist.name,
        state=OrderState.PAID,
        currency="EUR",
        total_minor=2500,
        created_at=now,
        updated_at=now,
    )
    parcel = Parcel.create(
        order=order.id,
        artist=artist.id,
        state=ParcelState.TO_SEND,
        name="Mia Meer",
        country="DE",
        zone="Home",
        shipping_minor=0,
        created_at=now,
        updated_at=now,
    )
    return article, zone, parcel


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A session that is nobody's; who asks is said by a token, so that one browser serves for all."""
    return app.test_client()


def rule_of(app: Flask, endpoint: str) -> tuple[Rule, str]:
    rule = next(
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint == endpoint and CHANGING & (rule.methods or set())
    )
    return rule, next(iter(CHANGING & (rule.methods or set())))


def ask(app: Flask, browser: FlaskClient, place: Place, endpoint: str, person: Person | None) -> TestResponse:
    """What this person is answered there."""
    rule, method = rule_of(app, endpoint)
    with app.test_request_context():
        path = app.url_map.bind("localhost").build(
            endpoint, {name: place.values[name] for name in rule.arguments}, method=method
        )
    csrf = site.csrf_token(browser.get("/sign-in").get_data(as_text=True))
    headers = {**(person.headers if person else {}), "X-CSRFToken": csrf, "Origin": "http://localhost"}
    if endpoint.endswith("_upload"):
        headers["Tus-Resumable"] = "1.0.0"
        headers["Upload-Length"] = "10"
        headers["Upload-Offset"] = "0"
        headers["Content-Type"] = "application/offset+octet-stream"
        release = site.base64.b64encode(place.release.id.encode()).decode()
        headers["Upload-Metadata"] = f"release {release}"
    if endpoint == "api.append_upload":
        return browser.open(path, method=method, data=b"12345", headers=headers)
    if endpoint.startswith("api."):
        return browser.open(path, method=method, json={}, headers=headers)
    form = {
        "csrf_token": csrf,
        "artist": place.values["artist"],
        "sure": "on",
        "token_name": "x",
        "scope": "read",
        "person": place.values["user_id"],
        "track": place.values["track_id"],
        "title": "Evening",
        "all": "yes",
    }
    return browser.open(path, method=method, data=form, headers=headers)


def is_refused(answer: TestResponse) -> bool:
    if answer.status_code in {302, 303}:
        return answer.location.startswith("/sign-in?next")
    return answer.status_code in {401, 403, 404}


def people_below(least: Who) -> list[Who]:
    ranks = list(Who)
    return ranks[: ranks.index(least)]


def hold(app: Flask, browser: FlaskClient, place: Place, endpoint: str, least: Who) -> None:
    """Everybody below *least* is refused, and *least* is let in."""
    for who in people_below(least):
        answer = ask(app, browser, place, endpoint, None if who is Who.NOBODY else place.people[who])
        assert is_refused(answer), f"{who} is let in: {answer.status_code}"
    answer = ask(app, browser, place, endpoint, None if least is Who.NOBODY else place.people[least])
    assert answer.status_code < 500
    assert not is_refused(answer), (
        f"{least} is refused: {answer.status_code} {answer.get_data(as_text=True)[:300]}"
    )


@pytest.mark.parametrize(("endpoint", "least"), sorted(DRAFT.items()))
def test_on_a_draft_only_those_who_may_are_let_in(
    app: Flask, browser: FlaskClient, place: Place, endpoint: str, least: Who
) -> None:
    hold(app, browser, place, endpoint, least)


@pytest.mark.parametrize(("endpoint", "least"), sorted(PUBLISHED.items()))
def test_on_what_is_public_only_those_who_may_publish_are_let_in(
    app: Flask, browser: FlaskClient, place: Place, endpoint: str, least: Who
) -> None:
    Release.update(state=ReleaseState.PUBLISHED, published_at=clock.now()).execute()
    hold(app, browser, place, endpoint, least)


@pytest.mark.parametrize("endpoint", sorted(OWN))
def test_what_is_one_persons_own_is_nobody_elses(
    app: Flask, browser: FlaskClient, place: Place, endpoint: str
) -> None:
    before = len(members.of_artist(place.release.artist))
    for who in Who:
        if who is not Who.NOBODY:
            answer = ask(app, browser, place, endpoint, place.people[who])
            led_away = answer.status_code == 303 and "/invitations/" in answer.location
            assert is_refused(answer) or led_away, f"{who} is let in: {answer.status_code}"
    assert is_refused(ask(app, browser, place, endpoint, None))
    assert len(members.of_artist(place.release.artist)) == before
    answer = ask(app, browser, place, endpoint, place.people[Who.NOBODY])
    assert not is_refused(answer)


@pytest.mark.parametrize("endpoint", sorted(PROVED))
def test_what_wants_a_proof_is_opened_by_no_token(
    app: Flask, browser: FlaskClient, place: Place, endpoint: str
) -> None:
    place.values["user_id"] = place.people[Who.OWNER].user.id
    for who in (Who.STRANGER, Who.OWNER, Who.ADMIN):
        assert is_refused(ask(app, browser, place, endpoint, place.people[who])), who
    assert is_refused(ask(app, browser, place, endpoint, None))


def test_a_moderator_takes_down_and_does_nothing_else_of_an_admin(
    app: Flask, browser: FlaskClient, place: Place
) -> None:
    moderator = site.make_person(roles=(RoleName.MODERATOR,), scopes=tuple(Scope))
    down = {"admin.take_down", "admin.restore", "api.take_release_down", "api.give_release_back"}
    down |= {"api.take_track_down", "api.give_track_back"}
    for endpoint, least in DRAFT.items():
        if endpoint in down:
            assert not is_refused(ask(app, browser, place, endpoint, moderator)), endpoint
        elif least is Who.ADMIN:
            assert is_refused(ask(app, browser, place, endpoint, moderator)), endpoint
    assert browser.get("/admin/takedowns", headers=moderator.headers).status_code == 200
    assert browser.get("/admin", headers=moderator.headers).status_code == 403


def test_who_was_taken_off_ends_no_upload(app: Flask, browser: FlaskClient, place: Place) -> None:
    guest = place.people[Who.NOBODY]
    members.remove(place.release.artist, guest.user.id, actor=guest.user, now=clock.now())
    assert is_refused(ask(app, browser, place, "api.append_upload", guest))


def test_every_address_that_changes_something_stands_in_the_table(app: Flask) -> None:
    changing = {rule.endpoint for rule in app.url_map.iter_rules() if CHANGING & (rule.methods or set())}
    known = {*DRAFT, *OWN, *PROVED, *ELSEWHERE}
    assert changing - known == set(), "say in this module who is let in"
    assert known - changing == set(), "these are gone"
