"""The bench of one release: its masters, its details, its picture."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import jobs
from appliance.accounts.models import User
from appliance.catalog import artwork
from appliance.catalog import credits
from appliance.catalog import masters
from appliance.catalog import readiness
from appliance.catalog import releases
from appliance.catalog import takedowns
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.listening import counting
from appliance.memberships import access
from appliance.memberships.access import Access
from web import addresses
from web import bodies
from web import presentation
from web import rates
from web import receiving
from web.errors import answer_with
from web.errors import wants_json
from web.presentation import desk
from web.presentation import licensing
from web.request_cycle import appliance
from web.request_cycle import roles
from web.sentences import told
from web.studio import forms
from web.studio.routing import attempt
from web.studio.routing import back_to
from web.studio.routing import blueprint
from web.studio.routing import editable
from web.studio.routing import refused
from web.studio.routing import visible


@blueprint.get("/releases/<release_id>")
def release(release_id: str) -> str:
    """A release with its masters."""
    return page(*visible(release_id))


@blueprint.get("/releases/<release_id>/tracks")
def track_list(release_id: str) -> str:
    """The list of masters and what is still needed, for the script that keeps them fresh."""
    return render_template("studio/_fresh.html", **_masters(*visible(release_id)))


@blueprint.post("/releases/<release_id>")
def edit_release(release_id: str) -> ResponseReturnValue:
    """Change what the form sends."""
    row, _who = editable(release_id)
    if forms.act() != "save":
        return page(*visible(release_id), form=forms.rearranged(_stored(row))), 422
    try:
        row = releases.edit(
            row, forms.sent(forms.RELEASE_FIELDS), now=clock.now(), made_from=forms.made_from()
        )
    except Stale as error:
        if wants_json():
            return answer_with(409, told(error))
        now = releases.find(release_id)
        return page(*visible(release_id), form=forms.contested(_stored(now), error)), 409
    except Invalid as error:
        if wants_json():
            raise
        return page(*visible(release_id), form=forms.filled(_stored(row), error)), 422
    if wants_json():
        return forms.saved(_stored(row))
    flash(_("Saved."))
    return back_to(row)


@blueprint.post("/releases/<release_id>/artwork")
@bodies.takes_picture
def set_artwork(release_id: str) -> ResponseReturnValue:
    """A new picture, cut as the form says."""
    row, _who = editable(release_id)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return refused(row, _("Choose a picture first."))

    def act() -> None:
        crop = artwork.Crop.read(request.form)
        artwork.set_artwork(row, sent.stream, store=appliance().store, now=clock.now(), crop=crop)

    return attempt(row, act, _("The artwork is set."))


@blueprint.post("/releases/<release_id>/tracks")
@rates.limited("uploads")
@bodies.takes_original
def add_track(release_id: str) -> ResponseReturnValue:
    """One master by a plain form."""
    row, _who = editable(release_id)
    return attempt(row, lambda: receiving.form_file(row), _("Your file is here and is being prepared."))


@blueprint.post("/releases/<release_id>/remove")
def remove_release(release_id: str) -> ResponseReturnValue:
    """Take away an empty draft."""
    row, _who = editable(release_id)
    try:
        releases.delete_draft(row)
    except Conflict as error:
        return refused(row, told(error))
    flash(_("“%(title)s” is gone.", title=row.title))
    return redirect(url_for("studio.dashboard"), 303)


def page(
    row: Release,
    who: User,
    right: Access,
    *,
    form: forms.Form | None = None,
    problem: Exception | None = None,
    sent_at: str = "",
) -> str:
    """The whole bench; *form* is what was sent and not taken, *problem* one of the schedule, for which *sent_at* was sent."""
    shown = _masters(row, who, right)
    return render_template(
        "studio/release.html",
        release=presentation.release(row),
        bench=desk.bench(row, now=clock.now()),
        may_publish=right.may_publish,
        down=takedowns.reason_of(row) if right.taken_down else "",
        private_link=addresses.private_link(row) if right.may_publish else "",
        form=form or _stored(row),
        kinds=presentation.KINDS,
        licences=licensing.licence_choices(row.licence),
        audiences=desk.AUDIENCES,
        genres=desk.GENRES,
        roles=[_(role) for role in credits.ROLES],
        most_credits=credits.MOST_CREDITS,
        problem=problem,
        sent_at=sent_at,
        max_upload_mb=appliance().settings.max_upload_mb,
        **shown,
    )


def _stored(row: Release) -> forms.Form:
    return forms.of_release(row, credits.of_release(row).get("", []))


def _masters(row: Release, who: User, right: Access) -> dict[str, object]:
    rows = tracks.of_release(row)
    made, work = tracks.renditions_of(rows), jobs.latest(tracks.TRANSCODE, [track.id for track in rows])
    states = tracks.states([row]).get(row.id, {})
    needs = readiness.missing(row, states)
    return {
        "tracks": desk.masters(
            rows,
            access.to_tracks(who, rows, roles=roles(), now=clock.now()),
            made,
            work,
            next_masters=masters.waiting(rows),
            plays=counting.totals(track.id for track in rows),
        ),
        "needs": desk.needs(needs),
        "hindered": any(need in readiness.HINDERING for need in needs),
        "may_edit": right.may_edit,
        "release_id": row.id,
    }
