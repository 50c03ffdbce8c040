"""The pages for artists: their artists and releases, and a release with its masters.

Every act is a plain form; scripts make some of them smoother by the API. What cannot be taken comes back in the form it was sent in.
"""

from collections.abc import Callable

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance import jobs
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import artwork
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.memberships import access
from web import addresses
from web import presentation
from web import receiving
from web.people.invitations import waiting_for
from web.request_cycle import appliance
from web.request_cycle import require_person
from web.request_cycle import roles

blueprint = Blueprint("studio", __name__, url_prefix="/studio")

RELEASE_FIELDS = (
    "title",
    "kind",
    "about",
    "genre",
    "tags",
    "credits",
    "licence",
    "catalogue_number",
    "release_date",
)
TRACK_FIELDS = ("title", "isrc", "lyrics")


@blueprint.get("")
def dashboard() -> str:
    """The artists of this person and their releases."""
    return _dashboard(require_person(Scope.READ))


@blueprint.post("/artists")
def create_artist() -> ResponseReturnValue:
    """A new artist."""
    owner = require_person()
    try:
        artist = artists.create(
            owner,
            name=request.form.get("name", ""),
            slug=request.form.get("slug", "").strip().lower(),
            now=clock.now(),
        )
    except (Invalid, Conflict) as error:
        return _dashboard(owner, problem=error), 422
    flash(f"{artist.name} is ready. Now make a release.")
    return redirect(url_for("studio.dashboard"))


@blueprint.post("/artists/<slug>/releases")
def create_release(slug: str) -> ResponseReturnValue:
    """A new draft."""
    owner = require_person()
    artist = artists.find(slug)
    access.require_artist(owner, artist, roles=roles())
    try:
        row = releases.create(artist, _sent(RELEASE_FIELDS), now=clock.now())
    except Invalid as error:
        return _dashboard(owner, problem=error), 422
    return redirect(url_for("studio.release", release_id=row.id))


@blueprint.get("/releases/<release_id>")
def release(release_id: str) -> str:
    """A release with its masters."""
    return _release_page(*_editable(release_id))


@blueprint.get("/releases/<release_id>/tracks")
def track_list(release_id: str) -> str:
    """The list of masters alone, for the script that keeps it fresh."""
    return render_template("studio/_tracks.html", **_masters(*_editable(release_id)))


@blueprint.post("/releases/<release_id>")
def edit_release(release_id: str) -> ResponseReturnValue:
    """Change what the form sends."""
    row, owner = _editable(release_id)
    try:
        releases.edit(row, _sent(RELEASE_FIELDS), now=clock.now())
    except Invalid as error:
        return _release_page(row, owner, problem=error), 422
    flash("Saved.")
    return _back_to(row)


@blueprint.post("/releases/<release_id>/artwork")
def set_artwork(release_id: str) -> ResponseReturnValue:
    """A new picture."""
    row, _ = _editable(release_id)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _refused(row, "Choose a picture first.")
    return _attempt(
        row,
        lambda: artwork.set_artwork(row, sent.stream, store=appliance().store, now=clock.now()),
        "The artwork is set.",
    )


@blueprint.post("/releases/<release_id>/tracks")
def add_track(release_id: str) -> ResponseReturnValue:
    """One master by a plain form."""
    row, _ = _editable(release_id)
    return _attempt(row, lambda: receiving.form_file(row), "Your file is here and is being prepared.")


@blueprint.post("/releases/<release_id>/publish")
def publish(release_id: str) -> ResponseReturnValue:
    """Make it public."""
    row, _ = _editable(release_id)
    try:
        row, queued = publishing.publish(row, now=clock.now())
    except Conflict as error:
        return _refused(row, str(error))
    for job_id in queued:
        jobs.send(job_id)
    flash("It is out.")
    return redirect(addresses.release_page(row))


@blueprint.post("/releases/<release_id>/remove")
def remove_release(release_id: str) -> ResponseReturnValue:
    """Take away an empty draft."""
    row, _ = _editable(release_id)
    try:
        releases.delete_draft(row)
    except Conflict as error:
        return _refused(row, str(error))
    flash(f"“{row.title}” is gone.")
    return redirect(url_for("studio.dashboard"))


@blueprint.post("/tracks/<track_id>")
def edit_track(track_id: str) -> ResponseReturnValue:
    """Change title, ISRC or lyrics."""
    track, owner = _editable_track(track_id)
    try:
        tracks.edit(track, _sent(TRACK_FIELDS), now=clock.now())
    except Invalid as error:
        return _release_page(track.release, owner, problem=error, at_track=track.id), 422
    flash("Saved.")
    return _back_to(track.release)


@blueprint.post("/tracks/<track_id>/move")
def move_track(track_id: str) -> ResponseReturnValue:
    """One place up or down."""
    track, _ = _editable_track(track_id)
    order = [row.id for row in tracks.of_release(track.release)]
    here = order.index(track.id)
    there = here - 1 if request.form.get("direction") == "up" else here + 1
    if 0 <= there < len(order):
        order[here], order[there] = order[there], order[here]
        tracks.reorder(track.release, order, now=clock.now())
    return _back_to(track.release)


@blueprint.post("/tracks/<track_id>/retry")
def retry_track(track_id: str) -> ResponseReturnValue:
    """Try again to prepare it."""
    track, _ = _editable_track(track_id)
    job = tracks.queue_transcode(track.id, now=clock.now(), attempts=appliance().settings.job_attempts)
    jobs.send(job.id)
    flash(f"“{track.title}” is being prepared again.")
    return _back_to(track.release)


@blueprint.post("/tracks/<track_id>/remove")
def remove_track(track_id: str) -> ResponseReturnValue:
    """Take it off the release."""
    track, _ = _editable_track(track_id)
    tracks.remove(track)
    flash(f"“{track.title}” is off the release.")
    return _back_to(track.release)


@blueprint.get("/tracks/<track_id>/original")
def original(track_id: str) -> ResponseReturnValue:
    """The untouched original; a redirect, so that a page that was open for an hour still leads to it."""
    track, owner = _editable_track(track_id)
    return redirect(addresses.original(track, owner.id))


def _editable(release_id: str) -> tuple[Release, User]:
    owner = require_person()
    row = releases.find(release_id)
    access.require_edit(owner, row, roles=roles())
    return row, owner


def _editable_track(track_id: str) -> tuple[Track, User]:
    owner = require_person()
    track = tracks.find(track_id)
    access.require_edit(owner, track.release, roles=roles())
    return track, owner


def _sent(names: tuple[str, ...]) -> dict[str, object]:
    return {name: request.form[name] for name in names if name in request.form}


def _attempt(row: Release, act: Callable[[], object], done: str) -> ResponseReturnValue:
    try:
        act()
    except (Invalid, Conflict) as error:
        return _refused(row, str(error))
    flash(done)
    return _back_to(row)


def _refused(row: Release, sentence: str) -> ResponseReturnValue:
    flash(sentence, "problem")
    return _back_to(row)


def _back_to(row: Release) -> ResponseReturnValue:
    return redirect(url_for("studio.release", release_id=row.id))


def _dashboard(owner: User, *, problem: Exception | None = None) -> str:
    mine = artists.run_by(owner)
    rows = releases.of_artists(mine)
    counts = tracks.counts(rows)
    shelves = [
        (
            artist,
            [
                (presentation.release(row), counts.get(row.id, 0))
                for row in rows
                if row.artist_id == artist.id
            ],
        )
        for artist in mine
    ]
    return render_template(
        "studio/dashboard.html",
        shelves=shelves,
        kinds=presentation.KINDS,
        problem=problem,
        sent=request.form,
        invitations=waiting_for(owner),
    )


def _masters(row: Release, owner: User) -> dict[str, object]:
    right = access.to_release(owner, row, roles=roles())
    rows = tracks.of_release(row)
    made, work = tracks.renditions_of(rows), jobs.latest(tracks.TRANSCODE, [track.id for track in rows])
    return {
        "tracks": presentation.masters(rows, right, made, work),
        "hindrance": str(publishing.hindrance(rows) or ""),
    }


def _release_page(row: Release, owner: User, *, problem: Exception | None = None, at_track: str = "") -> str:
    return render_template(
        "studio/release.html",
        release=presentation.release(row),
        form=presentation.release_form(row, {} if at_track else request.form),
        kinds=presentation.KINDS,
        problem=problem,
        at_track=at_track,
        sent=request.form,
        max_upload_mb=appliance().settings.max_upload_mb,
        **_masters(row, owner),
    )
