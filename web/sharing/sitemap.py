"""What search engines read: the list of every public page (sitemaps.org, 0.9), in parts, and what they leave alone."""

import time
from collections.abc import Iterator
from threading import Lock

from flask import Response
from flask import current_app
from flask import stream_with_context
from flask import url_for
from markupsafe import escape

from appliance.catalog import directory
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import NotFound
from web.sharing import places
from web.sharing.routing import blueprint
from web.sharing.routing import keepable
from web.sharing.routing import rendered

MAX_AGE_S = 3600
HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
)
CLOSED = (
    "/admin",
    "/library",
    "/api/",
    "/media/",
    "/listen/",
    "/sign-in",
    "/sign-out",
    "/register",
    "/setup",
    "/search",
    "/offline",
    "/oembed",
    "/metrics",
)
"""What is nobody's to find: rooms with a door, and answers for programs. The door of the studio artists do look for."""
EPISODES = "/listen/tracks/"
"""Podcast directories look whether an episode is there."""
_counting = Lock()


@blueprint.get("/robots.txt")
def robots() -> Response:
    """What search engines leave alone, and where the list of all other pages is."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED), f"Allow: {EPISODES}"]
    lines += ["", f"Sitemap: {places.whole(url_for('sharing.sitemap'))}", ""]
    return keepable("\n".join(lines), "text/plain", max_age_s=MAX_AGE_S)


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """The parts of the list."""
    parts = [
        places.whole(url_for("sharing.sitemap_part", kind=kind, number=number))
        for kind in directory.KINDS
        for number in range(1, len(steps(kind)) + 1)
    ]
    return keepable(rendered("sharing/sitemap.xml", parts=parts), "application/xml", max_age_s=MAX_AGE_S)


@blueprint.get("/sitemaps/<any(artists, releases, tracks):kind>-<int:number>.xml")
def sitemap_part(kind: str, number: int) -> Response:
    """One part of the list, written as it is read."""
    begins = steps(kind)
    if not 1 <= number <= len(begins):
        raise NotFound("There is nothing at this address.")
    until = begins[number] if number < len(begins) else None
    lines = _lines(kind, after=begins[number - 1], until=until, first=kind == "artists" and number == 1)
    answer = Response(stream_with_context(lines), mimetype="application/xml")
    answer.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    return answer


def steps(kind: str) -> list[str]:
    """Where the parts begin, counted again after an hour: counting a million rows takes a moment."""
    known = current_app.extensions.setdefault("musicconnect.sitemap", {})
    begins, until_s = known.get(kind, ([], 0.0))
    if time.monotonic() < until_s:
        return list(begins)
    with _counting:
        begins = directory.steps(kind)
        known[kind] = (begins, time.monotonic() + MAX_AGE_S)
    return begins


def _lines(kind: str, *, after: str, until: str | None, first: bool) -> Iterator[str]:
    yield HEAD
    if first:
        yield _line(places.whole(url_for("storefront.index")), "")
    for row in directory.public_in(kind, after=after, until=until):
        yield _line(_page(row), _changed(row))
    yield "</urlset>\n"


def _line(url: str, changed: str) -> str:
    lastmod = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<url><loc>{escape(url)}</loc>{lastmod}</url>\n"


def _page(row: Artist | Release | Track) -> str:
    if isinstance(row, Artist):
        return places.of_artist(row)
    return places.of_release(row) if isinstance(row, Release) else places.of_track(row)


def _changed(row: Artist | Release | Track) -> str:
    return "" if isinstance(row, Artist) else row.updated_at.isoformat(timespec="seconds")
