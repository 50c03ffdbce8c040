"""The artists of the house."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.permissions import Permission
from appliance.catalog import artists as catalogue
from appliance.collective import roster
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from web.admin import entrance
from web.security import step_up


@entrance.get("/artists", Permission.ARTISTS_MANAGE)
def artists() -> str:
    """All artists, newest first, with who owns each."""
    words = request.args.get("q", "").strip()[:200]
    found = roster.page(words=words, before=entrance.cursor(), limit=entrance.ON_A_PAGE + 1)
    rows, older = entrance.sliced([entry.artist for entry in found], "admin.artists", q=words)
    return entrance.page(
        "artists",
        "artists",
        q=words,
        entries=found[: len(rows)],
        older=older,
        first=request.args.get("before") is None,
    )


@entrance.post("/artists/<artist_id>/owner", Permission.ARTISTS_MANAGE)
def hand_over_artist(artist_id: str) -> ResponseReturnValue:
    """Give the artist another owner."""
    artist = catalogue.by_id(artist_id)
    back = {"q": entrance.sent("q") or None}
    step_up.require()
    try:
        owner = roster.hand_over(artist, entrance.sent("email"), actor=entrance.actor(), now=clock.now())
    except (Conflict, Invalid, NotFound) as error:
        return entrance.refused(error, "admin.artists", **back)
    return entrance.done(
        _("%(artist)s now belongs to %(email)s.", artist=artist.name, email=owner.email),
        "admin.artists",
        **back,
    )
