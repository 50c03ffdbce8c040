"""When and to whom a release is open: published now or at its hour, taken back, shown to those who have the private link."""

from datetime import UTC
from datetime import datetime

from flask import flash
from flask import redirect
from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import jobs
from appliance.catalog import private_links
from appliance.catalog import publishing
from appliance.errors import Conflict
from appliance.errors import Invalid
from web import addresses
from web.request_cycle import require_person
from web.sentences import told
from web.studio import bench
from web.studio.routing import attempt
from web.studio.routing import blueprint
from web.studio.routing import publishable
from web.studio.routing import refused
from web.studio.routing import visible


@blueprint.post("/releases/<release_id>/publish")
def publish(release_id: str) -> ResponseReturnValue:
    """Make it public."""
    row = publishable(release_id)
    try:
        row, queued = publishing.publish(row, now=clock.now(), actor=require_person().id)
    except Conflict as error:
        return refused(row, told(error))
    for job_id in queued:
        jobs.send(job_id)
    flash(_("It is out."))
    return redirect(addresses.release_page(row), 303)


@blueprint.post("/releases/<release_id>/schedule")
def schedule(release_id: str) -> ResponseReturnValue:
    """Let it go public by itself."""
    row = publishable(release_id)
    try:
        publishing.schedule(
            row,
            _instant(request.form.get("publish_at", "")),
            now=clock.now(),
            actor=require_person().id,
        )
    except Invalid as error:
        sent_at = request.form.get("publish_at", "")
        return bench.page(*visible(release_id), problem=error, sent_at=sent_at), 422
    except Conflict as error:
        return refused(row, told(error))
    return attempt(row, lambda: None, _("It goes out by itself."))


@blueprint.post("/releases/<release_id>/take-back")
def take_back(release_id: str) -> ResponseReturnValue:
    """Make a draft of it again."""
    row = publishable(release_id)
    done = _("It is a draft again. Its address is kept.")
    return attempt(row, lambda: publishing.take_back(row, now=clock.now(), actor=require_person().id), done)


@blueprint.post("/releases/<release_id>/private-link")
def make_private_link(release_id: str) -> ResponseReturnValue:
    """A private link, or a fresh one."""
    row = publishable(release_id)
    done = _("Whoever has the link below sees and hears this release.")
    return attempt(row, lambda: private_links.make(row, now=clock.now()), done)


@blueprint.post("/releases/<release_id>/private-link/revoke")
def revoke_private_link(release_id: str) -> ResponseReturnValue:
    """Close the private link."""
    row = publishable(release_id)
    done = _("The link opens nothing any more.")
    return attempt(row, lambda: private_links.revoke(row, now=clock.now()), done)


def _instant(text: str) -> datetime:
    """The hour a form tells: in UTC, unless it says a zone; ``Invalid`` when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("Choose a day and an hour.", field="publish_at") from error
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise Invalid("Choose a day and an hour.", field="publish_at") from error
