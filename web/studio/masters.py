"""One track: its details, its place in the order, and its master."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import jobs
from appliance.catalog import credits
from appliance.catalog import masters
from appliance.catalog import tracks
from appliance.catalog.models import Track
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.listening import counting
from appliance.memberships import access
from appliance.shop import delivery
from web import addresses
from web import bodies
from web import presentation
from web import rates
from web import receiving
from web.downloads import offers
from web.errors import answer_with
from web.errors import wants_json
from web.presentation import desk
from web.presentation import licensing
from web.request_cycle import appliance
from web.request_cycle import note_epoch
from web.request_cycle import roles
from web.sentences import told
from web.studio import forms
from web.studio.routing import attempt
from web.studio.routing import back_to
from web.studio.routing import blueprint
from web.studio.routing import editable_track


@blueprint.get("/tracks/<track_id>")
def track(track_id: str) -> str:
    """A track and everything about it."""
    return _page(*_asked(track_id))


@blueprint.post("/tracks/<track_id>")
def edit_track(track_id: str) -> ResponseReturnValue:
    """Change what the form sends."""
    row, right = _asked(track_id)
    if forms.act() != "save":
        return _page(row, right, form=forms.rearranged(_stored(row))), 422
    try:
        row = tracks.edit(row, forms.sent_of_track(), now=clock.now(), made_from=forms.made_from())
    except Stale as error:
        if wants_json():
            return answer_with(409, told(error))
        now = tracks.find(track_id)
        return _page(now, right, form=forms.contested(_stored(now), error)), 409
    except Invalid as error:
        if wants_json():
            raise
        return _page(row, right, form=forms.filled(_stored(row), error)), 422
    if wants_json():
        return forms.saved(_stored(row))
    flash(_("Saved."))
    # A form in the list knows no version and belongs to the list.
    return back_to(row.release) if forms.made_from() is None else _back_to_track(row)


@blueprint.post("/tracks/<track_id>/move")
def move_track(track_id: str) -> ResponseReturnValue:
    """One place up or down."""
    row, _who = editable_track(track_id)
    order = [other.id for other in tracks.of_release(row.release)]
    here = order.index(row.id)
    there = here - 1 if request.form.get("direction") == "up" else here + 1
    if 0 <= there < len(order):
        order[here], order[there] = order[there], order[here]
        tracks.reorder(row.release, order, now=clock.now())
    return back_to(row.release)


@blueprint.post("/tracks/<track_id>/retry")
def retry_track(track_id: str) -> ResponseReturnValue:
    """Try again to prepare it."""
    row, _who = editable_track(track_id)
    job = tracks.queue_transcode(row.id, now=clock.now(), attempts=appliance().settings.job_attempts)
    jobs.send(job.id)
    flash(_("“%(title)s” is being prepared again.", title=row.title))
    return back_to(row.release)


@blueprint.post("/tracks/<track_id>/remove")
def remove_track(track_id: str) -> ResponseReturnValue:
    """Take it off the release."""
    row, _who = editable_track(track_id)

    def remove() -> None:
        delivery.require_unsold(row)
        tracks.remove(row, now=clock.now())

    return attempt(row.release, remove, _("“%(title)s” is off the release.", title=row.title))


@blueprint.post("/tracks/<track_id>/master")
@rates.limited("uploads")
@bodies.takes_original
def replace_master(track_id: str) -> ResponseReturnValue:
    """A new master by a plain form; the old one is heard until the new is verified."""
    row, _who = editable_track(track_id)
    try:
        receiving.new_master(row)
    except (Invalid, Conflict) as error:
        flash(told(error), "problem")
    else:
        flash(_("The new master is here and is being prepared. Until then the old one is heard."))
    return _back_to_track(row)


@blueprint.post("/tracks/<track_id>/master/dismiss")
def dismiss_master(track_id: str) -> ResponseReturnValue:
    """Forget a new master that waits or was refused."""
    row, _who = editable_track(track_id)
    masters.dismiss(row)
    flash(_("The old master stays."))
    return _back_to_track(row)


@blueprint.get("/tracks/<track_id>/original")
def original(track_id: str) -> ResponseReturnValue:
    """The untouched original; a redirect, so that a page that was open for an hour still leads to it."""
    note_epoch(anew=True)
    row, who = editable_track(track_id)
    return redirect(addresses.original(row, who.id))


def _asked(track_id: str) -> tuple[Track, access.Access]:
    row, who = editable_track(track_id)
    return row, access.to_track(who, row, roles=roles(), now=clock.now())


def _back_to_track(row: Track) -> ResponseReturnValue:
    return redirect(url_for("studio.track", track_id=row.id), 303)


def _stored(row: Track) -> forms.Form:
    return forms.of_track(row, credits.of_track(row))


def _page(row: Track, right: access.Access, *, form: forms.Form | None = None) -> str:
    work = jobs.latest(tracks.TRANSCODE, [row.id])
    waiting = masters.waiting([row])
    (shown,) = desk.masters(
        [row],
        {row.id: right},
        tracks.renditions_of([row]),
        work,
        next_masters=waiting,
        plays=counting.totals([row.id]),
    )
    return render_template(
        "studio/track.html",
        track=shown,
        release=presentation.release(row.release),
        release_licence=licensing.licence_name(row.release.licence),
        form=form or _stored(row),
        licences=licensing.licence_choices(row.licence, none=_("As the release")),
        roles=[_(role) for role in credits.ROLES],
        most_credits=credits.MOST_CREDITS,
        max_upload_mb=appliance().settings.max_upload_mb,
        download=offers.of(url_for("downloads.ask_for_track", track_id=row.id), [row], {row.id: right}),
    )
