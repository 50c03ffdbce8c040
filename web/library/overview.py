"""The library at a glance, and its lists of favourites and artists."""

from collections.abc import Iterable

from flask import render_template

from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.library import favourites
from appliance.library import follows
from appliance.library import playlists
from appliance.listening import history
from appliance.memberships import purchases
from web import presentation
from web.api.routing import cursor_instant
from web.library import lines
from web.library.routing import blueprint
from web.library.routing import page_of
from web.request_cycle import require_person

ON_A_PAGE = 50
AT_A_GLANCE = 10
LOOKED_BACK = 60
CARDS = 6


@blueprint.get("/library")
def overview() -> str:
    """What was heard and kept lately, of each a little."""
    who = require_person()
    return render_template(
        "library/overview.html",
        heard=lines.seen_tracks(_different(play.track for play in history.of(who, limit=LOOKED_BACK))),
        kept=lines.seen_tracks([row.track for row in favourites.tracks(who, limit=AT_A_GLANCE)]),
        bought=_releases(purchases.releases_of(who, limit=CARDS)),
        releases=_releases([row.release for row in favourites.releases(who, limit=CARDS)]),
        playlists=lines.playlist_cards(playlists.of(who, limit=CARDS), own=True),
        artists=[presentation.artist_card(row.artist) for row in follows.artists(who, limit=CARDS)],
    )


@blueprint.get("/library/favourites")
def favourite_tracks() -> str:
    """The tracks one keeps, and the releases."""
    who = require_person()
    before = cursor_instant()
    rows, older = page_of(
        favourites.tracks(who, before=before, limit=ON_A_PAGE + 1),
        ON_A_PAGE,
        lambda row: (row.added_at, row.track_id),
    )
    # The shelf of releases stands above the first page only.
    kept = favourites.releases(who, limit=2 * CARDS) if before is None else []
    return render_template(
        "library/favourites.html",
        tracks=lines.seen_tracks([row.track for row in rows]),
        releases=_releases([row.release for row in kept]),
        more_releases=len(kept) == 2 * CARDS,
        older=older,
    )


@blueprint.get("/library/releases")
def favourite_releases() -> str:
    """All releases one keeps."""
    who = require_person()
    rows, older = page_of(
        favourites.releases(who, before=cursor_instant(), limit=ON_A_PAGE + 1),
        ON_A_PAGE,
        lambda row: (row.added_at, row.release_id),
    )
    return render_template(
        "library/releases.html", releases=_releases([row.release for row in rows]), older=older
    )


@blueprint.get("/library/following")
def following() -> str:
    """The artists one follows."""
    who = require_person()
    rows, older = page_of(
        follows.artists(who, before=cursor_instant(), limit=ON_A_PAGE + 1),
        ON_A_PAGE,
        lambda row: (row.added_at, row.artist_id),
    )
    return render_template(
        "library/following.html", artists=[presentation.artist_card(row.artist) for row in rows], older=older
    )


def _different(rows: Iterable[Track]) -> list[Track]:
    """The first different tracks."""
    return list({row.id: row for row in rows}.values())[:AT_A_GLANCE]


def _releases(rows: list[Release]) -> list[presentation.ReleaseCard]:
    return [presentation.release_card(row) for row in lines.seen_releases(rows)]
