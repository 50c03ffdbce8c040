"""The pages for listeners: what there is, an artist, a release, a track."""

import time
from datetime import timedelta

from flask import Blueprint
from flask import current_app
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts import people
from appliance.catalog import artists
from appliance.catalog import credits
from appliance.catalog import openness
from appliance.catalog import releases
from appliance.catalog import topics
from appliance.catalog import track_pages
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.catalog.topics import TopicKind
from appliance.discovery import featured
from appliance.discovery import finding
from appliance.errors import NotFound
from appliance.library import favourites
from appliance.library import follows
from appliance.listening import counting
from appliance.memberships import access
from appliance.memberships import early
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.memberships.access import Access
from appliance.memberships.models import Origin
from appliance.shop import bundles
from appliance.shop import offers as shop_offers
from appliance.shop.merchandise import articles
from web import addresses
from web import presentation
from web import private_keys
from web import profiles
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.downloads import offers
from web.library import lines
from web.membership import tier_ways
from web.presentation import bundles as bundle_views
from web.presentation import gifts as gift_views
from web.presentation import merchandise as merchandise_views
from web.presentation import shop as shop_views
from web.presentation import tiers as tier_views
from web.request_cycle import person
from web.request_cycle import roles
from web.sharing import box
from web.sharing import metadata

blueprint = Blueprint("storefront", __name__)

ON_A_PAGE = 48
TRACKS_ON_A_PAGE = 100
NEW, FEATURED, GENRES, TAGS, ARTISTS = 12, 7, 12, 20, 12
"""How much of each the first page shows."""
TOP, TOP_SINCE = 5, timedelta(days=90)
MORE_BY = 6
MOST_GOODS = 60
DEMO_ASKED_EVERY_S = 30.0


@blueprint.app_template_global()
def is_demo() -> bool:
    """Whether this node has demo accounts, asked again only now and then: it changes once in a life."""
    known = current_app.extensions.setdefault("musicconnect.demo", {"answer": False, "until_s": 0.0})
    if not known["answer"] and time.monotonic() >= known["until_s"]:
        known.update(answer=people.demo_accounts_exist(), until_s=time.monotonic() + DEMO_ASKED_EVERY_S)
    return bool(known["answer"])


@blueprint.get("/")
def index() -> str:
    """What the collective features, what is new, and the ways into the rest."""
    newest = releases.published(limit=NEW + 1)
    picks = featured.shown(limit=FEATURED)
    return render_template(
        "index.html",
        featured=[(presentation.release_card(pick.release), pick.note) for pick in picks],
        releases=[presentation.release_card(row) for row in newest[:NEW]],
        more=len(newest) > NEW,
        genres=presentation.topics(topics.largest(TopicKind.GENRE, limit=GENRES)),
        tags=presentation.topics(topics.largest(TopicKind.TAG, limit=TAGS)),
        artists=[presentation.artist_card(row) for row in finding.newest_artists(limit=ARTISTS)],
        page=metadata.of_collective(),
    )


@blueprint.get("/@<artist>")
def artist(artist: str) -> ResponseReturnValue:
    """An artist and what they published."""
    try:
        found = profiles.artist(artist)
    except NotFound:
        return _moved(artist)
    rows, older = _releases_of(found)
    played = _played(found)
    # Whom nobody heard yet begins with their newest release.
    top = played or (track_pages.page(rows[0], limit=TOP) if rows else [])
    standing = access.standing(person(), found, roles=roles())
    return render_template(
        "artist.html",
        artist=presentation.artist(found),
        shelves=presentation.by_kind(rows),
        early=[presentation.release_card(row) for row in _early(found)],
        **_tiers(found),
        top=lines.seen_tracks(top),
        played=bool(played),
        older=older,
        first_page=not request.args.get("cursor"),
        ours=standing.reaches(access.Standing.CONTRIBUTOR),
        following=follows.has(person(), found),
        **_shop(found),
        box=box.of_artist(found),
        page=metadata.of_artist(found, rows),
    )


@blueprint.get("/@<artist>/<slug>")
def release(artist: str, slug: str) -> ResponseReturnValue:
    """A release and its tracks; its draft, for the people behind it and for whom they gave its private link."""
    try:
        row = releases.find_by_address(artist, slug)
    except NotFound:
        return _moved(artist)
    right = _right(row)
    after = _after()
    rows = track_pages.page(row, limit=TRACKS_ON_A_PAGE + 1, after=after)
    rights = access.to_tracks(person(), rows, roles=roles(), keys=private_keys.shown(), now=clock.now())
    shown = [track for track in rows[:TRACKS_ON_A_PAGE] if rights[track.id].may_see]
    extent = track_pages.extent(row)
    first = track_pages.number(shown[0]) if after and shown else 1
    kept = favourites.of(person(), [track.id for track in shown])
    listed = presentation.tracks(shown, rights, tracks.renditions_of(shown), first=first, kept=kept)
    others = releases.published(limit=MORE_BY + 1, artist=row.artist)
    return render_template(
        "release.html",
        release=presentation.release(row),
        tracks=listed,
        more=_page_after(row, rows[-2]) if len(rows) > TRACKS_ON_A_PAGE else "",
        back=addresses.release_page(row) if after else "",
        summary=presentation.extent(extent.ready, extent.duration_ms) if extent.ready else "",
        waiting=presentation.waiting(extent.waiting),
        credits=presentation.credits(credits.of_release(row), listed),
        others=[presentation.release_card(other) for other in others if other.id != row.id][:MORE_BY],
        ours=right.may_edit,
        download=offers.of(url_for("downloads.ask_for_release", release_id=row.id), shown, rights),
        buy=shop_views.buy_box(shop_offers.of_release(row), person()),
        bundles=bundle_views.on_sale(bundles.with_release(row)),
        right=presentation.right(right, back=addresses.release_page(row)),
        favourite=row.id in favourites.of_releases(person(), [row.id]),
        box=box.of_release(row),
        page=metadata.of_release(row, shown),
    )


@blueprint.get("/@<artist>/<slug>/<name>")
def track(artist: str, slug: str, name: str) -> ResponseReturnValue:
    """A track with its lyrics and credits."""
    try:
        row = tracks.find_by_address(artist, slug, name)
    except NotFound:
        return _moved(artist)
    right = access.to_track(person(), row, roles=roles(), keys=private_keys.shown(), now=clock.now())
    if not right.may_see or row.state != TrackState.READY:
        raise NotFound("There is no such track.")
    number = track_pages.number(row)
    kept = favourites.of(person(), [row.id])
    made = tracks.renditions_of([row])
    near = track_pages.beside(row)
    return render_template(
        "track.html",
        track=presentation.track(row, right, made, number=number, kept=row.id in kept),
        release=presentation.release(row.release),
        lyrics=presentation.lyrics(row),
        credits=presentation.credit_lines(credits.of_track(row)),
        licence=presentation.licence(row.licence or row.release.licence),
        isrc=row.isrc,
        before=presentation.neighbour(near[0], row.release),
        after=presentation.neighbour(near[1], row.release),
        ours=right.may_edit,
        download=offers.of(url_for("downloads.ask_for_track", track_id=row.id), [row], {row.id: right}),
        buy=shop_views.buy_box(shop_offers.of_track(row), person()),
        right=presentation.right(right, back=addresses.track_page(row)),
        box=box.of_track(row),
        page=metadata.of_track(row),
    )


def _moved(slug: str) -> ResponseReturnValue:
    """Lead from an artist's former address to the same page below the present one; ``NotFound`` when it was nobody's."""
    present = artists.moved_to(slug)
    if not present:
        raise NotFound("There is nothing at this address.")
    rest = request.full_path.removeprefix(f"/@{slug}").rstrip("?")
    return redirect(f"/@{present}{rest}", 301)


def _right(row: Release) -> Access:
    return access.require_sight(person(), row, roles=roles(), keys=private_keys.shown(), now=clock.now())


def _releases_of(found: Artist) -> tuple[list[Release], str]:
    """A page of the artist's public releases and the address of the next page or an empty text."""
    rows = releases.published(limit=ON_A_PAGE + 1, before=cursor_instant(), artist=found)
    if len(rows) <= ON_A_PAGE:
        return rows, ""
    rows = rows[:ON_A_PAGE]
    cursor = cursor_for(rows[-1].published_at.isoformat(), rows[-1].id)
    return rows, url_for("storefront.artist", artist=found.slug, cursor=cursor)


def _early(found: Artist) -> list[Release]:
    """What a member hears before everybody else, on the first page."""
    if request.args.get("cursor"):
        return []
    return early.releases_for(person(), found, roles=roles(), now=clock.now())


def _tiers(found: Artist) -> dict[str, object]:
    """What one can be to the artist, and how one gets there."""
    who = person()
    mine = granting.current(who, found, now=clock.now()) if who else None
    rows = tiers.of_artist(found)
    ways = tier_ways.of(found, rows, who, mine)
    if mine and mine.origin == Origin.PAID:
        note = _("You are a member. What you pay, and when, stands on your account.")
    elif mine and mine.paid_through:
        note = _("You are a member until %(day)s.", day=presentation.day(mine.paid_through))
    elif mine:
        note = _("You are a member.")
    elif ways:
        note = _("You can cancel at any time, and stay a member to the end of what you paid.")
    else:
        note = _(
            "Nobody can pay for a membership here yet; until then %(artist)s gives it away.",
            artist=found.name,
        )
    own = mine.tier_id if mine else ""
    return {
        "tiers": tier_views.tiers(rows, own=own, ways=ways, gifts=gift_views.pages(rows)),
        "tiers_note": note,
    }


def _shop(found: Artist) -> dict[str, object]:
    """What of the artist can be bought beside the releases that are out, on the first page."""
    if request.args.get("cursor"):
        return {"catalogue": None, "preorders": [], "bundles": [], "tip": "", "goods": []}
    who = person()
    return {
        "catalogue": shop_views.buy_box(shop_offers.of_catalogue(found), who),
        "preorders": [shop_views.buy_box(offer, who) for offer in shop_offers.preorders(found)],
        "bundles": bundle_views.on_sale(bundles.of_artist(found)),
        "tip": shop_views.tip_page(found),
        "goods": merchandise_views.cards(articles.shelf(found, limit=MOST_GOODS), found),
    }


def _played(found: Artist) -> list[Track]:
    """What is heard most of an artist these days."""
    since = (clock.now() - TOP_SINCE).date()
    rows = [row for row, _ in counting.trending(found, since=since, limit=2 * TOP)]
    return [row for row in rows if openness.is_public(row.release) and openness.is_heard(row)][:TOP]


def _after() -> int:
    """The position that a further page of a track list begins behind; the first page for what is no number."""
    text = request.args.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _page_after(row: Release, last: Track) -> str:
    return url_for("storefront.release", artist=row.artist.slug, slug=row.slug, after=last.position)
