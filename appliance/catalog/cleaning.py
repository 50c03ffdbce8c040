"""Clean-up of the store: what belongs to no track, no run that counts and no release goes, after a time of grace."""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta

from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.storage import ObjectStore

GRACE = timedelta(days=2)
"""An object younger than this may belong to work under way, or to a page that somebody has open."""


def remove_orphans(store: ObjectStore, *, now: datetime) -> int:
    """Remove from *store* what nothing in the catalogue names any more; how many objects.

    Objects come before their rows, so an object without a row may be on its way in: only what is older than
    ``GRACE`` goes.
    """
    old = [key for key in _removable(store, now) if not _is_named(key)]
    for key in old:
        store.delete(key)
    return len(old)


def _removable(store: ObjectStore, now: datetime) -> Iterator[str]:
    for folder in ("originals/", "hls/", "previews/", "waveforms/", "artwork/"):
        for found in store.list(folder):
            if now - found.modified_at > GRACE:
                yield found.key


def _is_named(key: str) -> bool:
    """Whether a row speaks of this object: ``originals/TRACK``, ``hls/TRACK/RUN/…``, ``artwork/RELEASE/PICTURE/…``."""
    folder, owner, *rest = key.split("/")
    if folder == "artwork":
        release = Release.get_or_none(Release.id == owner)
        return release is not None and key.startswith(f"{release.artwork_key}/")
    track = Track.get_or_none(Track.id == owner)
    if track is None or folder == "originals":
        return track is not None
    run_id = rest[0].partition(".")[0] if rest else ""
    return bool(run_id == track.run_id)
