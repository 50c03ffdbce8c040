"""Media that were lost come back beside rows that are newer than the backup."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import startup
from appliance.backup import listing
from appliance.backup import refilling
from appliance.backup import repository
from appliance.backup import taking
from appliance.backup.refilling import Refilled
from appliance.catalog.models import Track
from appliance.startup import Appliance
from appliance.storage import open_store
from tests.appliance.backup import nodes
from tests.appliance.backup.conftest import bucket
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release


@pytest.fixture
def database_url() -> str:
    """SQLite, whatever the others run on: no row is touched on either."""
    return ""


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, appliance: Appliance, place: str) -> Iterator[Appliance]:
    """A node whose media are in a folder or in a bucket, and its backups too."""
    store = appliance.store
    if request.param == "s3":
        store = open_store(bucket(request.getfixturevalue("s3")))
    running = nodes.with_backup(replace(appliance, store=store), place)
    release = make_release(make_artist())
    for number in range(3):
        track = add_track(release, title=f"Track {number}")
        Track.update(run_id="run").where(Track.id == track.id).execute()
        nodes.put(store, track.original_key, bytes([number]) * 50_000)
        nodes.put(store, f"hls/{track.id}/run/high.mp4", bytes([number]) * 5 * nodes.MIB, "audio/mp4")
    yield running


def refilled(node: Appliance, **how: bool) -> Refilled:
    opened = repository.open_repository(node.settings.backup_url, node.settings.backup_key)
    return refilling.refill(node, opened, repository.LATEST, **how)


def rows(node: Appliance) -> nodes.Rows:
    return nodes.rows(startup.database_url(node.settings))


def test_what_the_store_lost_comes_back_and_no_row_changes(kept: Appliance) -> None:
    taking.take(kept)
    media = nodes.contents(kept.store)
    # What happened since must stay.
    Track.update(title="Renamed").where(Track.title == "Track 0").execute()
    before = rows(kept)
    some, *_rest = media
    kept.store.delete(some)
    done = refilled(kept)
    assert (done.brought, done.there, done.unnamed, done.others, done.lacking) == (1, 5, 0, [], "")
    for key in media:
        kept.store.delete(key)
    assert refilled(kept).brought == 6
    assert nodes.contents(kept.store) == media
    assert rows(kept) == before
    assert refilled(kept).brought == 0


def test_what_was_removed_since_stays_away_and_what_came_since_is_told(kept: Appliance) -> None:
    taking.take(kept)
    first, second, third = Track.select().order_by(Track.title)
    new = add_track(second.release, title="New")
    keys = [one.original_key for one in (first, second, third)]
    first.delete_instance(recursive=True)
    for stored in list(kept.store.list("")):
        kept.store.delete(stored.key)
    done = refilled(kept)
    assert (done.brought, done.unnamed) == (4, 2)
    assert {stored.key for stored in kept.store.list("originals/")} == set(keys[1:])
    assert done.lacking == f"1 track(s) have no original in the store any more, such as {new.original_key}."


def test_another_object_than_in_the_backup_may_be_newer_and_is_left(kept: Appliance) -> None:
    taking.take(kept)
    key = Track.select().first().original_key
    nodes.put(kept.store, key, b"newer")
    done = refilled(kept, reread=True)
    assert (done.brought, done.others) == (0, [key])
    with kept.store.open(key) as stream:
        assert stream.read() == b"newer"


def test_what_is_damaged_is_found_by_reading_it(appliance: Appliance, folder: Path) -> None:
    node = nodes.with_backup(appliance, str(folder))
    track = add_track(make_release(make_artist()))
    nodes.put(node.store, track.original_key, b"as it was")
    taking.take(node)
    path = node.settings.data / "media" / track.original_key
    about = path.stat()
    with path.open("r+b") as file:
        file.write(b"as it is ")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert refilled(node).brought == 0
    assert refilled(node, reread=True).brought == 1
    assert path.read_bytes() == b"as it was"


def test_what_is_damaged_in_the_backup_is_named_and_all_else_comes(
    appliance: Appliance, folder: Path
) -> None:
    node = nodes.with_backup(appliance, str(folder))
    release = make_release(make_artist())
    keys = [add_track(release, title=f"Track {number}").original_key for number in range(3)]
    for key in keys:
        nodes.put(node.store, key, key.encode())
    taking.take(node)
    opened = repository.open_repository(str(folder), "")
    pieces = opened.pieces()
    for entry in listing.read(pieces, opened.find(repository.LATEST).pages):
        node.store.delete(entry.key)
        if entry.key == keys[1]:
            (folder / pieces.name(entry.blob.digests[0])).unlink()
    done = refilled(node)
    assert (done.brought, done.left_out) == (2, [keys[1]])
    assert keys[1] in done.lacking
