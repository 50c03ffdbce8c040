"""The ways to music one does not know yet: search, genres, tags, artists by name, all that is new."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import render_template
from flask import request
from flask import url_for
from flask_babel import gettext as _

from appliance.catalog import releases
from appliance.catalog import topics
from appliance.catalog.models import Release
from appliance.catalog.topics import TopicKind
from appliance.discovery import finding
from appliance.discovery.finding import Limits
from web import presentation
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.api.routing import cursor_place
from web.library import lines

blueprint = Blueprint("discovery", __name__)

ON_A_PAGE = 48
MOST_TOPICS = 300
SUGGESTED = Limits(artists=3, releases=4, tracks=4, topics=3)
AT_FIRST = Limits(artists=6, releases=12, tracks=10, topics=20)
ALONE = {
    "artists": Limits(artists=100),
    "releases": Limits(releases=100),
    "tracks": Limits(tracks=100),
    "tags": Limits(topics=100),
}
"""How much is found where one asks for one kind only; who does not find it there asks with another word."""
LONGEST_QUERY = 500
SUGGESTIONS_KEPT_S = 60


@blueprint.get("/search")
def search() -> str:
    """What has all the words; with ``in``, of one kind only."""
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    kind = request.args.get("in", "")
    kind = kind if kind in ALONE else ""
    found = finding.find(query, ALONE.get(kind, AT_FIRST))
    return render_template(
        "discovery/search.html",
        query=query,
        kind=kind,
        kinds=_kinds(query) if query else [],
        found=_shown(found),
        any=bool(found),
        more={} if kind else _more(query, found),
        genres=[] if query else presentation.topics(topics.largest(TopicKind.GENRE, limit=24)),
    )


@blueprint.get("/search/suggestions")
def suggestions() -> Response:
    """A few of each kind, as the list that opens below a search box while one types."""
    found = finding.find(request.args.get("q", "")[:LONGEST_QUERY], SUGGESTED)
    answer = make_response(
        render_template(
            "discovery/suggestions.html",
            artists=[presentation.artist_card(row) for row in found.artists],
            releases=[presentation.release_card(row) for row in found.releases],
            tracks=[presentation.track_link(row) for row in found.tracks],
            topics=presentation.topics(found.topics),
        )
    )
    # Only what everybody may see is in it, in the language of this browser.
    answer.headers["Cache-Control"] = f"private, max-age={SUGGESTIONS_KEPT_S}"
    return answer


@blueprint.get("/new")
def new() -> str:
    """All public releases, newest first."""
    rows = releases.published(limit=ON_A_PAGE + 1, before=cursor_instant())
    return _list(rows, "discovery.new", title=_("New releases"))


@blueprint.get("/genres")
def genres() -> str:
    """The genres and the tags there are."""
    return render_template(
        "discovery/genres.html",
        genres=presentation.topics(topics.largest(TopicKind.GENRE, limit=MOST_TOPICS)),
        tags=presentation.topics(topics.largest(TopicKind.TAG, limit=MOST_TOPICS)),
    )


@blueprint.get("/genres/<name>")
def genre(name: str) -> str:
    """The releases of a genre, newest first."""
    return _topic(TopicKind.GENRE, name, "discovery.genre", eyebrow=_("Genre"))


@blueprint.get("/tags/<name>")
def tag(name: str) -> str:
    """The releases with a tag, newest first."""
    return _topic(TopicKind.TAG, name, "discovery.tag", eyebrow=_("Tag"))


@blueprint.get("/artists")
def artists() -> str:
    """Artists of whom something is public, by name."""
    rows = finding.artists(limit=ON_A_PAGE + 1, after=cursor_place())
    shown = rows[:ON_A_PAGE]
    older = ""
    if len(rows) > ON_A_PAGE:
        title, place = shown[-1][1]
        older = url_for("discovery.artists", cursor=cursor_for(title, str(place)))
    return render_template(
        "discovery/artists.html",
        artists=[presentation.artist_card(row) for row, _place in shown],
        older=older,
        further=bool(request.args.get("cursor")),
    )


def _topic(kind: TopicKind, name: str, endpoint: str, *, eyebrow: str) -> str:
    found = topics.find(kind, name)
    rows = topics.releases_of(found, limit=ON_A_PAGE + 1, before=cursor_instant())
    return _list(rows, endpoint, title=found.name, eyebrow=eyebrow, name=found.slug)


def _list(rows: Sequence[Release], endpoint: str, *, title: str, eyebrow: str = "", **address: str) -> str:
    shown = rows[:ON_A_PAGE]
    older = ""
    if len(rows) > ON_A_PAGE:
        cursor = cursor_for(shown[-1].published_at.isoformat(), shown[-1].id)
        older = url_for(endpoint, cursor=cursor, **address)
    return render_template(
        "discovery/releases.html",
        title=title,
        eyebrow=eyebrow,
        releases=[presentation.release_card(row) for row in shown],
        older=older,
        first=url_for(endpoint, **address) if request.args.get("cursor") else "",
    )


def _shown(found: finding.Found) -> dict[str, Any]:
    return {
        "artists": [presentation.artist_card(row) for row in found.artists],
        "releases": [presentation.release_card(row) for row in found.releases],
        "tracks": lines.seen_tracks(found.tracks),
        "topics": presentation.topics(found.topics),
    }


def _kinds(query: str) -> list[tuple[str, str, str]]:
    names = {
        "": _("All"),
        "artists": _("Artists"),
        "releases": _("Releases"),
        "tracks": _("Tracks"),
        "tags": _("Genres and tags"),
    }
    return [
        (kind, name, url_for("discovery.search", q=query, **({"in": kind} if kind else {})))
        for kind, name in names.items()
    ]


def _more(query: str, found: finding.Found) -> dict[str, str]:
    """Where there is more of a kind than is shown among the others."""
    full = {
        "artists": len(found.artists) == AT_FIRST.artists,
        "releases": len(found.releases) == AT_FIRST.releases,
        "tracks": len(found.tracks) == AT_FIRST.tracks,
    }
    return {kind: url_for("discovery.search", q=query, **{"in": kind}) for kind, many in full.items() if many}
