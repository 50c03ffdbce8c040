"""From a request to a download: what is asked for, under which right, and the jobs that make it."""

from collections.abc import Collection
from collections.abc import Sequence

from appliance import clock
from appliance import jobs
from appliance import revocations
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.collective import identity
from appliance.downloads import orders
from appliance.downloads import sleeves
from appliance.downloads.formats import Format
from appliance.downloads.models import Download
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships import access
from web import private_keys
from web.request_cycle import appliance
from web.request_cycle import require_person
from web.request_cycle import roles

ATTEMPTS = 3
"""Somebody waits: rather told soon that it failed than tried for hours."""


def track(track_id: str, format: Format) -> Download:
    """The track in this format, asked for by who is signed in."""
    row = tracks.find(track_id)
    return _asked([row], row.release, format, whole=False)


def release(release_id: str, format: Format, *, only: Collection[str] = ()) -> Download:
    """The release in this format, or *only* some of its tracks by their ids."""
    row = releases.find(release_id)
    rows = tracks.of_release(row)
    unknown = set(only) - {one.id for one in rows}
    if unknown:
        raise Invalid("One of these tracks is not on this release.", field="tracks")
    return _asked([one for one in rows if not only or one.id in only], row, format, whole=True)


def again(download: Download) -> Download:
    """The same once more, as it is now."""
    items = orders.items_of([download])[download.id]
    format = Format(download.format)
    if not download.whole:
        return track(download.subject.rpartition(":")[2], format)
    chosen = [item.track_id for item in items] if download.subject.count(":") > 1 else []
    return release(download.release_id, format, only=chosen)


def _asked(rows: Sequence[Track], of: Release, format: Format, *, whole: bool) -> Download:
    who = require_person()
    settings, now = appliance().settings, clock.now()
    # Before the rights: what is revoked in between ends what is granted now.
    epoch = revocations.epoch()
    rights = access.to_tracks(who, rows, roles=roles(), keys=private_keys.shown(), now=now)
    seen = [row for row in rows if rights[row.id].may_see]
    if whole:
        access.require_sight(who, of, roles=roles(), keys=private_keys.shown(), now=now)
    elif not seen:
        raise NotFound("There is no such track.")
    wish = orders.Wish(
        tracks=seen,
        rights=rights,
        epoch=epoch,
        format=format,
        whole=whole,
        sleeves=sleeves.of(of, public_url=settings.public_url, label=identity.current(settings).name),
    )
    download, queued = orders.ask(who, wish, attempts=min(ATTEMPTS, settings.job_attempts), now=now)
    for job_id in queued:
        jobs.send(job_id)
    return download
