"""Who may read what: each address that shows something, against everybody who might look.

An address that is not in the tables fails ``test_every_address_that_shows_something_stands_in_a_table``: whoever adds one says here who is
let in.
"""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import clock
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from tests.servers.site import Person
from tests.web.test_authorisation import Place
from tests.web.test_authorisation import Who
from tests.web.test_authorisation import browser
from tests.web.test_authorisation import is_refused
from tests.web.test_authorisation import people_below
from tests.web.test_authorisation import place

__all__ = ["browser", "place"]

# Who is the first to be let in, with a draft.
DRAFT: dict[str, Who] = {
    "admin.artists": Who.ADMIN,
    "admin.collective": Who.ADMIN,
    "admin.export_trail": Who.ADMIN,
    "admin.export_trail_lines": Who.ADMIN,
    "admin.featured": Who.ADMIN,
    "admin.mail": Who.ADMIN,
    "admin.mail_message": Who.ADMIN,
    "admin.takedowns": Who.ADMIN,
    "api.downloads": Who.STRANGER,
    "api.list_memberships": Who.MANAGER,
    "api.list_orders": Who.STRANGER,
    "api.list_receipts": Who.STRANGER,
    "api.list_artist_receipts": Who.MANAGER,
    "api.show_balance": Who.MANAGER,
    "api.show_statement": Who.MANAGER,
    "api.statement_table": Who.MANAGER,
    "api.list_splits": Who.MANAGER,
    "api.list_payouts": Who.MANAGER,
    "api.list_payout_accounts": Who.MANAGER,
    "api.list_all_payouts": Who.ADMIN,
    "api.list_payment_events": Who.ADMIN,
    "api.show_payment_event": Who.ADMIN,
    "api.list_prices": Who.MANAGER,
    "api.show_release_prices": Who.MANAGER,
    "api.show_seller": Who.MANAGER,
    "api.list_sales": Who.MANAGER,
    "api.sales_table": Who.MANAGER,
    "api.list_discounts": Who.MANAGER,
    "api.list_code_batches": Who.MANAGER,
    "api.code_table": Who.MANAGER,
    "api.list_subscriptions": Who.STRANGER,
    "api.list_own_memberships": Who.STRANGER,
    "api.list_takedowns": Who.ADMIN,
    "admin.health": Who.ADMIN,
    "admin.jobs": Who.ADMIN,
    "admin.overview": Who.ADMIN,
    "admin.disputes": Who.ADMIN,
    "admin.payment": Who.ADMIN,
    "admin.payment_event": Who.ADMIN,
    "admin.payment_events": Who.ADMIN,
    "admin.payments": Who.ADMIN,
    "admin.reconciliations": Who.ADMIN,
    "admin.payouts": Who.ADMIN,
    "admin.people": Who.ADMIN,
    "admin.plugins": Who.ADMIN,
    "admin.storage": Who.ADMIN,
    "admin.trail": Who.ADMIN,
    "api.list_favourite_releases": Who.STRANGER,
    "api.list_favourite_tracks": Who.STRANGER,
    "api.list_follows": Who.STRANGER,
    "api.list_history": Who.STRANGER,
    "api.list_members": Who.OWNER,
    "api.list_playlists": Who.STRANGER,
    "api.show_release": Who.CONTRIBUTOR,
    "api.show_track": Who.CONTRIBUTOR,
    "installed.kept": Who.STRANGER,
    "library.choose_playlist": Who.CONTRIBUTOR,
    "library.favourite_releases": Who.STRANGER,
    "library.favourite_tracks": Who.STRANGER,
    "library.favourites_queue": Who.STRANGER,
    "library.following": Who.STRANGER,
    "downloads.list_alone": Who.STRANGER,
    "downloads.own_downloads": Who.STRANGER,
    "library.heard": Who.STRANGER,
    "library.new_playlist": Who.STRANGER,
    "library.overview": Who.STRANGER,
    "library.own_playlists": Who.STRANGER,
    "library.wish": Who.STRANGER,
    "listen.lyrics": Who.CONTRIBUTOR,
    "listen.plain": Who.CONTRIBUTOR,
    "listen.release": Who.CONTRIBUTOR,
    "membership.join": Who.STRANGER,
    "people.accent_hint": Who.STRANGER,
    "people.account": Who.STRANGER,
    "people.after_sign_in": Who.STRANGER,
    "people.devices": Who.STRANGER,
    "people.edit_artist": Who.MANAGER,
    "people.identities": Who.STRANGER,
    "people.passkeys": Who.STRANGER,
    "people.second_factor": Who.STRANGER,
    "people.tokens": Who.STRANGER,
    "people.people_of": Who.CONTRIBUTOR,
    "people.welcome": Who.STRANGER,
    "storefront.release": Who.CONTRIBUTOR,
    "storefront.track": Who.CONTRIBUTOR,
    "studio.dashboard": Who.STRANGER,
    "studio.figures": Who.STRANGER,
    "studio.members": Who.MANAGER,
    "studio.payouts": Who.MANAGER,
    "studio.prices": Who.MANAGER,
    "studio.release_price": Who.MANAGER,
    "studio.orders": Who.MANAGER,
    "studio.order_file": Who.MANAGER,
    "studio.bundles": Who.MANAGER,
    "studio.new_bundle": Who.MANAGER,
    "studio.bundle": Who.MANAGER,
    "studio.merchandise": Who.MANAGER,
    "studio.article": Who.MANAGER,
    "studio.parcels": Who.MANAGER,
    "studio.parcel": Who.MANAGER,
    "studio.parcel_file": Who.MANAGER,
    "studio.shipping": Who.MANAGER,
    "studio.zone": Who.MANAGER,
    "studio.codes": Who.MANAGER,
    "studio.code_file": Who.MANAGER,
    "studio.discounts": Who.MANAGER,
    "shop.papers": Who.STRANGER,
    "shop.purchases": Who.STRANGER,
    "studio.money": Who.MANAGER,
    "studio.release_splits": Who.MANAGER,
    "studio.splits": Who.MANAGER,
    "studio.statement": Who.MANAGER,
    "studio.statement_csv": Who.MANAGER,
    "studio.statement_pdf": Who.MANAGER,
    "studio.track_splits": Who.MANAGER,
    "studio.tier": Who.MANAGER,
    "studio.tiers": Who.MANAGER,
    "studio.original": Who.CONTRIBUTOR,
    "studio.release": Who.CONTRIBUTOR,
    "studio.shelf": Who.STRANGER,
    "studio.track": Who.CONTRIBUTOR,
    "studio.track_list": Who.CONTRIBUTOR,
}
# Who is the first to be let in, once it is public.
PUBLISHED = {
    "api.show_release": Who.NOBODY,
    "api.show_track": Who.NOBODY,
    "library.choose_playlist": Who.STRANGER,
    "listen.lyrics": Who.NOBODY,
    "listen.plain": Who.NOBODY,
    "listen.release": Who.NOBODY,
    "storefront.release": Who.NOBODY,
    "storefront.track": Who.NOBODY,
    "studio.original": Who.MANAGER,
    "studio.release": Who.CONTRIBUTOR,
    "studio.track": Who.MANAGER,
    "studio.track_list": Who.CONTRIBUTOR,
}
OWN = {
    "api.show_playlist",
    "library.ask_to_delete",
    "library.edit_playlist",
    "library.playlist_queue",
    "library.show_playlist",
}
"""For one person alone: not even an admin looks in."""
OPEN = {
    "about.about",
    "about.imprint",
    "about.privacy",
    "api.docs",
    "api.list_releases",
    "api.list_bundles",
    "api.list_tier_offers",
    "api.list_tiers",
    "api.openapi",
    "api.show_artist",
    "design.design",
    "discovery.artists",
    "discovery.genre",
    "discovery.genres",
    "discovery.new",
    "discovery.search",
    "discovery.suggestions",
    "discovery.tag",
    "frame.accent",
    "frame.static_file",
    "health.health",
    "health.ready",
    "installed.icon",
    "installed.manifest",
    "installed.offline",
    "installed.service_worker",
    "listen.artist",
    "prometheus_metrics",
    "security.forgot_password",
    "security.login",
    "security.register",
    "security.send_confirmation",
    "security.static",
    "sign_in.letter",
    "sharing.artist_feed",
    "sharing.card",
    "sharing.collective_feed",
    "sharing.embed_accent",
    "sharing.episode",
    "sharing.oembed",
    "sharing.playlist_player",
    "sharing.podcast",
    "sharing.release_player",
    "sharing.robots",
    "sharing.sitemap",
    "sharing.sitemap_part",
    "sharing.track_player",
    "shop.redeem",
    "static",
    "storefront.artist",
    "storefront.index",
}
"""For everybody: what they show is public, and the same for all but the name of who is signed in."""
ELSEWHERE = {
    "admin.bank_file": "after a proof, by no token: tests/web/test_payouts.py",
    "shop.checkout": "for everybody, of what can be bought: tests/web/test_shop.py",
    "shop.article": "for everybody, while it is shown: tests/web/test_merchandise.py",
    "shop.basket": "for everybody, one's own: tests/web/test_merchandise.py",
    "shop.bundle": "for everybody, while it is for sale: tests/web/test_bundles.py",
    "shop.gift": "for everybody, of what can be given: tests/web/test_gifts.py",
    "shop.gift_card": "for its buyer: tests/web/test_gifts.py",
    "shop.order": "for its buyer: tests/web/test_shop.py",
    "shop.pay": "for its buyer: tests/web/test_shop.py",
    "shop.receipt": "for its buyer: tests/web/test_shop.py",
    "shop.credit_note": "for its buyer: tests/web/test_shop.py",
    "media.protected": "for who has a permission: tests/web/test_media.py",
    "media.public": "for everybody: tests/web/test_media.py",
    "people.invitation": "for who has the link: tests/web/test_people.py",
    "api.show_gift": "for its buyer: tests/web/test_api_gifts.py",
    "api.show_order": "for its buyer: tests/web/test_api_buying.py",
    "api.order_receipt": "for its buyer: tests/web/test_api_buying.py",
    "api.show_ledger_check": "for admins, once there was one: tests/web/test_api_books.py",
    "api.receipt_paper": "for who bought and who sold: tests/web/test_api_receipts.py",
    "api.credit_note_paper": "for who bought and who sold: tests/web/test_api_receipts.py",
    "api.show_sale": "for the artist that sold it: tests/web/test_api_selling.py",
    "api.show_subscription": "for who pays: tests/web/test_api_subscriptions.py",
    "api.list_changes": "for who pays: tests/web/test_api_subscriptions.py",
    "api.show_download": "one's own: tests/web/test_downloads.py",
    "downloads.fetch": "for one person, by a link: tests/web/test_downloads.py",
    **dict.fromkeys(
        (
            "membership.ask_to_cancel",
            "membership.ask_to_pause",
            "membership.ask_to_resume",
            "membership.ask_whom_for",
            "membership.choose",
            "membership.credit_note",
            "membership.figures",
            "membership.mend",
            "membership.pay",
            "membership.receipt",
            "membership.show",
            "membership.waiting",
        ),
        "for who pays, not even for an admin: tests/web/test_memberships_pages.py",
    ),
    "gate.ask": "for the server in front: tests/web/test_gate.py",
    "gate.sender": "for the server in front: tests/web/test_slow_bodies.py",
    "people.authenticator": "after a proof, by no token: tests/web/test_step_up.py",
    "people.new_passkey": "after a proof, by no token: tests/web/test_step_up.py",
    "security.change_email": "of who is signed in, by no token: tests/web/test_sign_in.py",
    "security.change_email_confirm": "for who has the letter: tests/web/test_sign_in.py",
    "security.change_password": "of who is signed in, by no token: tests/web/test_sign_in.py",
    "security.confirm_email": "for who has the letter: tests/web/test_sign_in.py",
    "security.reset_password": "for who has the letter: tests/web/test_sign_in.py",
    "sign_in.back": "from a provider: tests/plugins/test_oidc_signin.py",
    "sign_in.confirmed": "leads on: tests/web/test_sign_in.py",
    "sign_in.elsewhere": "to a provider: tests/plugins/test_oidc_signin.py",
    "sign_in.second": "between the steps of signing in: tests/web/test_sign_in.py",
    "sign_in.verify": "asks who is signed in for a proof: tests/web/test_step_up.py",
    "setup.page": "for who has the token printed on the console: tests/web/test_setup.py",
}


def look(
    app: Flask, browser: FlaskClient, place: Place, endpoint: str, person: Person | None
) -> TestResponse:
    """What this person is shown there."""
    values = {**place.values, "slug": place.release.artist.slug}
    query = {}
    if endpoint.startswith("storefront."):
        values |= {"slug": place.release.slug, "name": Track.get_by_id(values["track_id"]).slug}
    if endpoint == "studio.shelf":
        query["state"] = "draft"
    if endpoint == "library.choose_playlist":
        query["track"] = values["track_id"]
    rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        path = adapter.build(endpoint, {name: values[name] for name in rule.arguments}, method="GET")
    with browser.get(path, headers=person.headers if person else {}, query_string=query) as answer:
        answer.get_data()
        return answer


def hold(app: Flask, browser: FlaskClient, place: Place, endpoint: str, least: Who) -> None:
    """Everybody below *least* is refused; *least* and everybody above is let in."""
    below = people_below(least)
    for who in Who:
        answer = look(app, browser, place, endpoint, None if who is Who.NOBODY else place.people[who])
        assert answer.status_code < 500
        assert is_refused(answer) == (who in below), f"{who}: {answer.status_code}"


@pytest.mark.parametrize(("endpoint", "least"), sorted(DRAFT.items()))
def test_a_draft_is_shown_only_to_those_who_may_look(
    app: Flask, browser: FlaskClient, place: Place, endpoint: str, least: Who
) -> None:
    hold(app, browser, place, endpoint, least)


@pytest.mark.parametrize(("endpoint", "least"), sorted(PUBLISHED.items()))
def test_what_is_public_is_shown_to_everybody_and_its_studio_is_not(
    app: Flask, browser: FlaskClient, place: Place, endpoint: str, least: Who
) -> None:
    Release.update(state=ReleaseState.PUBLISHED, published_at=clock.now()).execute()
    hold(app, browser, place, endpoint, least)


@pytest.mark.parametrize("endpoint", sorted(OWN))
def test_what_is_one_persons_own_is_shown_to_nobody_else(
    app: Flask, browser: FlaskClient, place: Place, endpoint: str
) -> None:
    for who in Who:
        if who is not Who.NOBODY:
            assert is_refused(look(app, browser, place, endpoint, place.people[who])), who
    assert is_refused(look(app, browser, place, endpoint, None))
    assert look(app, browser, place, endpoint, place.people[Who.NOBODY]).status_code == 200


def test_every_address_that_shows_something_stands_in_a_table(app: Flask) -> None:
    showing = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    known = {*DRAFT, *OWN, *OPEN, *ELSEWHERE}
    assert showing - known == set(), "say in this module who is let in"
    assert known - showing == set(), "these are gone"
