"""Clean-up of the store: what belongs to no track, no run that counts and no release goes, after a time of grace."""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta

from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.storage import ObjectStore

GRACE = timedelta(days=2)
"""An object younger than this may belong to work under way, or to a page that somebody has open."""

FOLDERS = ("originals/", "hls/", "previews/", "waveforms/", "artwork/")
"""Where all that there is belongs to the catalogue."""


def remove_orphans(store: ObjectStore, *, now: datetime, kept: tuple[str, ...] = ()) -> int:
    """Remove from *store* what nothing in the catalogue names any more; how many objects.

    Objects come before their rows, so an object without a row may be on its way in: only what is older than
    ``GRACE`` goes. *kept* are beginnings of keys that others than the catalogue name.
    """
    old = [key for key in _removable(store, now) if not is_named(key, kept=kept)]
    for key in old:
        store.delete(key)
    return len(old)


def is_named(key: str, *, kept: tuple[str, ...]) -> bool:
    """Whether anything speaks of the object: a row of the catalogue, or others, who name all that begins with *kept*."""
    return not key.startswith(FOLDERS) or key.startswith(kept) or _is_named(key)


def _removable(store: ObjectStore, now: datetime) -> Iterator[str]:
    for folder in FOLDERS:
        for found in store.list(folder):
            if now - found.modified_at > GRACE:
                yield found.key


def _is_named(key: str) -> bool:
    """Whether a row speaks of this object: ``originals/TRACK``, ``hls/TRACK/RUN/…``, ``artwork/RELEASE-OR-ARTIST/PICTURE/…``.

    A master that took another's place, or is about to, is at ``originals/TRACK.REPLACEMENT``.
    """
    folder, owner, *rest = key.split("/")
    if folder == "artwork":
        release = Release.get_or_none(Release.id == owner)
        artist = Artist.get_or_none(Artist.id == owner) if release is None else None
        named = release.artwork_key if release else artist.picture_key if artist else ""
        return bool(named) and key.startswith(f"{named}/")
    track = Track.get_or_none(Track.id == owner.partition(".")[0])
    if track is None:
        return False
    if folder == "originals":
        return key == track.original_key or _is_next_master(track, key)
    run_id = rest[0].partition(".")[0] if rest else ""
    return bool(run_id == track.run_id)


def _is_next_master(track: Track, key: str) -> bool:
    here = (Replacement.track == track.id) & (Replacement.original_key == key)
    return bool(Replacement.select().where(here).exists())
