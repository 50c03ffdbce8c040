"""A new master for a track that has one: kept beside the old, which is heard until what is made of the new is verified."""

from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from appliance import jobs
from appliance.catalog import originals
from appliance.catalog import tracks
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import transaction
from appliance.storage import ObjectStore
from appliance.storage import StoredObject

REPLACE = jobs.kind("replace_master", jobs.Lane.TRANSCODE)
"""The kind of job that makes renditions of a new master; its subject is the id of the replacement."""


def receive(
    track: Track,
    source: Path | StoredObject,
    *,
    replacement_id: str,
    filename: str,
    store: ObjectStore,
    attempts: int,
    now: datetime,
) -> tuple[Track, str]:
    """Keep the whole of *source* as the next master of *track*; returns the track and the id of the job to ``send``.

    As with ``originals.receive``, the bytes come before the row, and a caller that was killed calls again with the same id. A new
    master that was on its way before gives way to this one.
    """
    key = f"originals/{track.id}.{replacement_id}"
    if tracks.find(track.id).original_key == key:
        return tracks.find(track.id), ""
    stored, name = originals.keep(source, key=key, filename=filename, store=store)
    with transaction():
        Replacement.delete().where(Replacement.track == track.id, Replacement.id != replacement_id).execute()
        Replacement.insert(
            id=replacement_id,
            track=track.id,
            original_key=key,
            original_name=name,
            original_type=stored.content_type,
            original_size_bytes=stored.size_bytes,
            original_sha256=stored.sha256,
            created_at=now,
        ).on_conflict_ignore().execute()
        job = jobs.add(REPLACE, replacement_id, now=now, max_attempts=attempts)
    return tracks.find(track.id), job.id


def find(replacement_id: str) -> Replacement | None:
    """The new master on its way with this id, its track joined, or None when it gave way to another or has become the master."""
    query = Replacement.select(Replacement, Track).join(Track).where(Replacement.id == replacement_id)
    found: Replacement | None = query.first()
    return found


def waiting(rows: Iterable[Track]) -> Mapping[str, Replacement]:
    """The new masters on their way, or refused, for these tracks by their ids, by one query."""
    found = Replacement.select().where(Replacement.track.in_([row.id for row in rows]))
    return {row.track_id: row for row in found}


def take_over(replacement: Replacement, *, now: datetime, **made: object) -> bool:
    """Make the replacement the original of its track, with what was *made* of it, inside the transaction of the caller.

    False when it has given way to another meanwhile. The old original is cleaned away later: no row names it any more.
    """
    if not Replacement.delete().where(Replacement.id == replacement.id).execute():
        return False
    Track.update(
        state=TrackState.READY,
        problem="",
        original_key=replacement.original_key,
        original_name=replacement.original_name,
        original_type=replacement.original_type,
        original_size_bytes=replacement.original_size_bytes,
        original_sha256=replacement.original_sha256,
        updated_at=now,
        **made,
    ).where(Track.id == replacement.track_id).execute()
    return True


def give_up(replacement_id: str, sentence: str) -> None:
    """Tell the artist that the new master cannot be made; the old one stays."""
    Replacement.update(problem=sentence).where(Replacement.id == replacement_id).execute()


def dismiss(track: Track) -> None:
    """Forget the new master of *track*; the old one stays."""
    Replacement.delete().where(Replacement.track == track.id).execute()
