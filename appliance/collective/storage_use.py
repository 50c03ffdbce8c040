"""How much room the music takes: by folder of the store and by artist, counted by night, for looking is dear and reading is cheap."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import peewee

from appliance import clock
from appliance import jobs
from appliance import startup
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.collective.models import StorageUse
from appliance.database import transaction
from appliance.storage import ObjectStore

COUNT = jobs.kind("count_storage", jobs.Lane.ANALYTICS)
"""The kind of the job that counts; its subject is the store."""
FOLDERS = ("originals", "hls", "previews", "waveforms", "artwork", "downloads")
FOLDER, ARTIST = "folder", "artist"
TOP = 20


def count(store: ObjectStore, *, now: datetime) -> None:
    """Count everything anew; what was counted before stays until the whole is known."""
    rows = [
        (FOLDER, folder, *_sum(found.size_bytes for found in store.list(f"{folder}/"))) for folder in FOLDERS
    ]
    rows += _by_artist()
    with transaction():
        StorageUse.delete().execute()
        for start in range(0, len(rows), 200):
            StorageUse.insert_many(
                [
                    {
                        "kind": kind,
                        "subject": subject,
                        "objects": objects,
                        "size_bytes": size,
                        "counted_at": now,
                    }
                    for kind, subject, objects, size in rows[start : start + 200]
                ]
            ).execute()


def folders() -> list[StorageUse]:
    """The folders with what they held when they were last counted; empty before that."""
    return list(StorageUse.select().where(StorageUse.kind == FOLDER).order_by(StorageUse.size_bytes.desc()))


def top_artists() -> list[tuple[Artist, StorageUse]]:
    """The artists whose music takes the most room."""
    query = StorageUse.select().where(StorageUse.kind == ARTIST).order_by(StorageUse.size_bytes.desc())
    rows = {row.subject: row for row in query.limit(TOP)}
    found = {artist.id: artist for artist in Artist.select().where(Artist.id.in_(list(rows)))} if rows else {}
    return [(found[subject], row) for subject, row in rows.items() if subject in found]


def ask(*, now: datetime) -> str:
    """The id of a job that counts; ``send`` it."""
    return jobs.add(COUNT, "store", now=now).id


@jobs.handles(COUNT)
def counted(job: jobs.Running) -> None:
    """The job itself."""
    count(startup.appliance().store, now=clock.now())


def _sum(sizes: Iterable[int]) -> tuple[int, int]:
    objects = size_bytes = 0
    for size in sizes:
        objects, size_bytes = objects + 1, size_bytes + size
    return objects, size_bytes


def _by_artist() -> list[tuple[str, str, int, int]]:
    """Originals and what was made of them, by rows: the store knows no artists."""
    originals: Any = (
        Release.select(Release.artist, peewee.fn.COUNT(Track.id), peewee.fn.SUM(Track.original_size_bytes))
        .join(Track)
        .group_by(Release.artist)
    )
    made: Any = (
        Release.select(Release.artist, peewee.fn.SUM(Rendition.size_bytes))
        .join(Track)
        .join(Rendition)
        .group_by(Release.artist)
    )
    renditions = {artist: int(size or 0) for artist, size in made.tuples()}
    return [
        (ARTIST, artist, tracks, int(size or 0) + renditions.get(artist, 0))
        for artist, tracks, size in originals.tuples()
    ]
