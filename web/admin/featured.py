"""What the first page features: search, add, order, a note, and out again."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.permissions import Permission
from appliance.collective import showcase
from appliance.discovery import featured as picks
from appliance.errors import Conflict
from appliance.errors import Invalid
from web import presentation
from web.admin import entrance

STEPS = {"up": -1, "down": 1}


@entrance.get("/featured", Permission.FEATURED_CHANGE)
def featured() -> str:
    """What is featured, and a search for what could be."""
    words = request.args.get("q", "").strip()[:200]
    shown = picks.list()
    known = {pick.release.id for pick in shown}
    return entrance.page(
        "featured",
        "featured",
        picks=[(presentation.release(pick.release), pick.note) for pick in shown],
        most=picks.MOST,
        longest=picks.LONGEST_NOTE,
        q=words,
        found=[(presentation.release(row), row.id in known) for row in showcase.search(words)]
        if words
        else [],
    )


@entrance.post("/featured", Permission.FEATURED_CHANGE)
def change_featured() -> ResponseReturnValue:
    """One change: add, note, move or remove."""
    release_id, act, actor, now = (
        entrance.sent("release"),
        entrance.sent("act"),
        entrance.actor().id,
        clock.now(),
    )
    try:
        if act == "add":
            showcase.add(release_id, actor=actor, now=now)
        elif act == "note":
            showcase.note(release_id, request.form.get("note", ""), actor=actor, now=now)
        elif act in STEPS:
            showcase.move(release_id, STEPS[act], actor=actor, now=now)
        elif act == "remove":
            showcase.remove(release_id, actor=actor, now=now)
        else:
            raise Invalid("There is no such act.", field="act")
    except (Invalid, Conflict) as error:
        return entrance.refused(error, "admin.featured", q=entrance.sent("q") or None)
    return entrance.done(_("Saved."), "admin.featured", q=entrance.sent("q") or None)
