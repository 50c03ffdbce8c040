"""How often the music of an artist is heard."""

from datetime import timedelta

from flask import render_template
from flask import request
from flask import url_for
from flask_babel import format_date

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog import artists
from appliance.catalog import releases
from appliance.catalog.models import ReleaseState
from appliance.listening import counting
from appliance.memberships import access
from web import presentation
from web.request_cycle import require_person
from web.request_cycle import roles
from web.studio.routing import blueprint

DAYS = 30
MOST = 50


@blueprint.get("/figures")
def figures() -> str:
    """Plays per day, the tracks that are heard most, and each release, of one artist."""
    who = require_person(Scope.READ)
    mine = artists.run_by(who)
    wanted = request.args.get("artist", "")
    artist = artists.find(wanted) if wanted else next(iter(mine), None)
    if artist is None:
        return render_template("studio/figures.html", artist=None, places=[])
    access.require_artist(who, artist, roles=roles())
    today = clock.now().date()
    since = today - timedelta(days=DAYS - 1)
    plays = counting.plays_by_day(artist, since=since)
    days = [since + timedelta(days=number) for number in range(DAYS)]
    out = releases.of_artists_in([artist], ReleaseState.PUBLISHED, limit=MOST)
    counts = counting.totals_of_releases(out)
    return render_template(
        "studio/figures.html",
        artist=presentation.artist(artist),
        places=[(row.slug, row.name, url_for("studio.figures", artist=row.slug)) for row in mine],
        here=artist.slug,
        points=[(format_date(day, "d MMM"), plays.get(day, 0)) for day in days],
        recent=sum(plays.values()),
        ever=counting.total_of(artist),
        top=[
            (track.title, track.release.title, url_for("studio.release", release_id=track.release_id), count)
            for track, count in counting.top_tracks(artist, since=since)
        ],
        releases=[
            (
                presentation.release_card(row),
                url_for("studio.release", release_id=row.id),
                counts.get(row.id, 0),
            )
            for row in out
        ],
        days=DAYS,
    )
