"""What is damaged is found and named, and nothing of it is restored; and nobody who can write to the backup gets out of the node's folders."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import peewee
import pytest
from click.testing import CliRunner

from appliance import clock
from appliance import startup
from appliance.backup import listing
from appliance.backup import manifest
from appliance.backup import orphans
from appliance.backup import repository
from appliance.backup import schedule
from appliance.backup import taking
from appliance.backup import verifying
from appliance.backup.models import BackupRun
from appliance.backup.pieces import Damaged
from appliance.backup.repository import Repository
from appliance.backup.verifying import Verified
from appliance.catalog.models import Track
from appliance.cli import cli
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import Unavailable
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.appliance.backup import nodes
from tests.appliance.backup.nodes import KEY

OF_SQLITE = pytest.mark.parametrize("database_url", [""], ids=["sqlite"])
"""For what is done to its file, whatever the others run on."""


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


HARMS = [flip, cut, remove, empty]


def piece(folder: Path, opened: Repository, digest: str) -> Path:
    return folder / opened.pieces().name(digest)


def verified(opened: Repository, name: str, scratch: Path, *, read: bool = True) -> Verified:
    return verifying.verify(opened, name, verifying.known(opened), read=read, scratch=scratch)


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "encrypted"])
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("what", ["media", "database", "page", "snapshot", "repository"])
def test_damage_is_named_and_nothing_is_restored(
    appliance: Appliance,
    elsewhere: Settings,
    folder: Path,
    tmp_path: Path,
    key: str,
    harm: Callable[[Path], None],
    what: str,
) -> None:
    nodes.fill(appliance, tracks=1)
    snapshot = taking.take(nodes.with_backup(appliance, str(folder), key=key)).snapshot
    opened = repository.open_repository(str(folder), key)
    large = next(entry for entry in listing.read(opened.pieces(), snapshot.pages) if "large" in entry.key)
    place = {
        "media": piece(folder, opened, large.blob.digests[1]),
        "database": piece(folder, opened, snapshot.database.digests[-1]),
        "page": piece(folder, opened, snapshot.pages[0][0]),
        "snapshot": folder / "snapshots" / f"{snapshot.name}.json",
        "repository": folder / "repository.json",
    }[what]
    unlike_json = what in {"snapshot", "repository"} and not (key and what == "snapshot") and harm is flip
    if unlike_json:
        # A flipped letter may still be what it was meant to be; a bracket is not.
        place.write_text(place.read_text().replace("{", "[", 1))
    else:
        harm(place)
    target = replace(elsewhere, backup_url=str(folder), backup_key=key)
    with pytest.raises(MusicConnectError, match=r"damaged|missing|lacks|There is no"):
        nodes.restored(target, secret=appliance.secret)
    assert not (target.data / "musicconnect.sqlite3").exists()
    if what == "repository":
        return
    problems = verified(opened, snapshot.name, tmp_path / "scratch").problems
    assert problems
    if what != "snapshot":
        assert place.name in problems[0]
    if what == "media":
        assert problems[0].startswith("originals/large.flac: ")


def test_what_is_still_here_is_written_again(node: Appliance, folder: Path, tmp_path: Path) -> None:
    snapshot = taking.take(node).snapshot
    opened = repository.open_repository(str(folder), "")
    entries = {entry.key: entry for entry in listing.read(opened.pieces(), snapshot.pages)}
    flip(piece(folder, opened, entries["originals/large.flac"].blob.digests[0]))
    piece(folder, opened, entries["originals/piece.flac"].blob.digests[0]).unlink()
    assert len(verified(opened, snapshot.name, tmp_path / "scratch").problems) == 2
    # A usual run trusts what is there.
    taking.take(node)
    taking.take(node, distrust=True)
    for name in opened.names():
        assert verified(opened, name, tmp_path / "scratch").problems == []


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "encrypted"])
def test_a_backup_that_lost_what_its_key_is_made_of_is_not_begun_anew(
    appliance: Appliance, elsewhere: Settings, folder: Path, key: str
) -> None:
    nodes.fill(appliance, tracks=1)
    node = nodes.with_backup(appliance, str(folder), key=key)
    taking.take(node)
    about = folder / "repository.json"
    kept = about.read_bytes()
    about.unlink()
    for _ in range(2):
        with pytest.raises(Damaged, match=r"repository\.json is missing"):
            taking.take(node)
        assert not about.exists()
    # Whoever asks is told the same: the doctor once nothing good was taken for long, and whoever lists, verifies or restores.
    later = clock.now() + timedelta(hours=1)
    with pytest.raises(Unavailable, match=r"repository\.json is missing"):
        schedule.told(node.settings, now=later)
    by_timer = replace(node.settings, backup_every_min=0)
    with pytest.raises(Unavailable, match=r"The last backup failed: .*repository\.json is missing"):
        schedule.told(by_timer, now=clock.now())
    with pytest.raises(Damaged, match=r"repository\.json is missing"):
        repository.open_repository(str(folder), key)
    with pytest.raises(Damaged, match=r"repository\.json is missing"):
        nodes.restored(replace(elsewhere, backup_url=str(folder), backup_key=key), secret=node.secret)
    assert not about.exists()
    startup.start(node.settings, immediate=True)
    about.write_bytes(kept)
    taking.take(node)
    schedule.told(by_timer, now=clock.now())


def test_pieces_that_went_missing_are_told_by_each_backup_until_they_are_back(
    node: Appliance, folder: Path
) -> None:
    snapshot = taking.take(node).snapshot
    opened = repository.open_repository(str(folder), "")
    entries = {entry.key: entry for entry in listing.read(opened.pieces(), snapshot.pages)}
    for digest in entries["originals/large.flac"].blob.digests[:2]:
        piece(folder, opened, digest).unlink()
    BackupRun.update(problem="Something.").execute()
    for _ in range(2):
        assert taking.take(node).problem.startswith("2 piece(s) of the backup are missing")
        with pytest.raises(Unavailable, match="2 piece"):
            schedule.told(node.settings, now=clock.now())
    assert taking.take(node, distrust=True).problem == ""
    schedule.told(node.settings, now=clock.now())


def test_what_is_left_can_be_restored_without_what_is_damaged(
    node: Appliance, target: Settings, folder: Path
) -> None:
    snapshot = taking.take(node).snapshot
    opened = repository.open_repository(str(folder), "")
    entries = {entry.key: entry for entry in listing.read(opened.pieces(), snapshot.pages)}
    flip(piece(folder, opened, entries["originals/large.flac"].blob.digests[2]))
    piece(folder, opened, entries["originals/piece.flac"].blob.digests[0]).unlink()
    done = nodes.restored(target, secret=node.secret, without_damaged=True)
    assert done.left_out == ("originals/large.flac", "originals/piece.flac")
    there = nodes.contents(nodes.store_of(target))
    assert len(there) == snapshot.objects - 2


def harm_unnoticed(path: Path) -> None:
    """As a disk does: what the store notes of the object stays."""
    attribute = os.getxattr(path, "user.mc")
    flip(path)
    os.setxattr(path, "user.mc", attribute)


def test_media_that_are_damaged_before_the_first_backup_are_told_by_each_until_they_are_mended(
    node: Appliance,
) -> None:
    path = node.settings.data / "media" / "originals" / "piece.flac"
    whole = path.read_bytes()
    harm_unnoticed(path)
    for _ in range(2):
        assert taking.take(node).damaged == ("originals/piece.flac",)
    nodes.put(node.store, "originals/piece.flac", whole)
    assert taking.take(node).damaged == ()
    assert taking.take(node).objects_read == 0


def test_media_that_are_damaged_here_are_told_and_the_good_copy_is_kept(
    node: Appliance, target: Settings
) -> None:
    taking.take(node)
    path = node.settings.data / "media" / "originals" / "piece.flac"
    whole = path.read_bytes()
    harm_unnoticed(path)
    for _ in range(2):
        assert taking.take(node).damaged == ("originals/piece.flac",)
    nodes.restored(target, secret=node.secret)
    with nodes.store_of(target).open("originals/piece.flac") as stream:
        assert stream.read() == whole


# Somebody else can write to the backup


@pytest.fixture
def opened(node: Appliance, folder: Path) -> Repository:
    taking.take(node)
    return repository.open_repository(str(folder), "")


def forge(opened: Repository, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the document of the one snapshot."""
    [name] = opened.names()
    with opened.store.open(f"snapshots/{name}.json") as stream:
        facts = json.loads(stream.read())
    change(facts)
    opened.store.put(
        f"snapshots/{name}.json", io.BytesIO(json.dumps(facts).encode()), content_type="application/json"
    )


def with_lines(opened: Repository, *lines: list[Any]) -> None:
    """Put a page of these lines in the place of the list."""
    page = b"\n".join(json.dumps(line).encode() for line in lines)
    digest = opened.pieces().put(page, pack=True)
    forge(opened, lambda facts: facts.update(pages=[[digest, len(page)]]))


ONE = "0" * 64


@pytest.mark.parametrize(
    "line",
    [
        ["../../etc/cron.d/x", "audio/flac", "", 0, ONE, 1, 0],
        ["/etc/passwd", "audio/flac", "", 0, ONE, 1, 0],
        ["originals/../../x", "audio/flac", "", 0, ONE, 1, 0],
        [".incoming/x", "audio/flac", "", 0, ONE, 1, 0],
        ["a" * 600, "audio/flac", "", 0, ONE, 1, 0],
        ["originals/x", "audio/flac\r\nSet-Cookie: x", "", 0, ONE, 1, 0],
        ["originals/x", "audio/flac", "", -1, ONE, 1, 0],
        ["originals/x", "audio/flac", "", 10**15, ONE, 4 * nodes.MIB, 1],
        ["originals/x", "audio/flac", "", 10**15, ONE, 10**15, 1],
        ["originals/x", "audio/flac", "", 1, "../" * 20, 1, 1],
        ["originals/x", "audio/flac", "", 1, ONE, 1, ["../../../secret_key"]],
        ["originals/x", "audio/flac", "", 1, ONE, 1, 10**12],
        ["originals/x", "audio/flac", {}, 1, ONE, 1, 1],
        ["originals/x"],
        {"key": "originals/x"},
        [],
    ],
    ids=lambda line: json.dumps(line)[:50],
)
def test_a_line_that_no_backup_writes_is_damage(
    opened: Repository, node: Appliance, target: Settings, tmp_path: Path, line: list[Any]
) -> None:
    with_lines(opened, line)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Damaged):
        nodes.restored(target, secret=node.secret)
    made = set(tmp_path.rglob("*")) - set(before)
    assert all(path.is_relative_to(target.data) for path in made)
    assert not (target.data / "musicconnect.sqlite3").exists()


def test_a_key_that_comes_twice_is_damage(opened: Repository, node: Appliance, target: Settings) -> None:
    line = ["originals/x", "audio/flac", "", 0, ONE, 1, 0]
    with_lines(opened, line, line)
    with pytest.raises(Damaged):
        nodes.restored(target, secret=node.secret)


def test_a_piece_that_unpacks_to_more_than_it_says_is_damage(opened: Repository) -> None:
    """A megabyte of zeros in a kilobyte: no more of it is unpacked than is asked for."""
    bomb = b"\1" + zlib.compress(bytes(512 * nodes.MIB // 8), 9)
    digest = "ab" * 32
    opened.store.put(opened.pieces().name(digest), io.BytesIO(bomb), content_type="audio/flac")
    with pytest.raises(Damaged):
        opened.pieces().get(digest, 1000)


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.update(pages=[[ONE, 10**12]]),
        lambda facts: facts.update(pages=[["../x", 10]]),
        lambda facts: facts.update(pages="x"),
        lambda facts: facts.update(taken_at="yesterday"),
        lambda facts: facts.update(taken_at="2026-05-01T12:00:00"),
        lambda facts: facts.update(name="20260501T120000.000Z"),
        lambda facts: facts.update(engine="oracle"),
        lambda facts: facts.update(format=0),
        lambda facts: facts.update(format="1"),
        lambda facts: facts["database"].update(piece_bytes=0),
        lambda facts: facts["database"].update(piece_bytes=10**9),
        lambda facts: facts["database"].update(size_bytes=10**12),
        lambda facts: facts["database"].update(digests=["../../x"]),
        lambda facts: facts.update(secrets={"unknown": "x"}),
        lambda facts: facts.pop("secrets"),
    ],
)
def test_a_document_that_no_backup_writes_is_damage(
    opened: Repository, change: Callable[[dict[str, Any]], None]
) -> None:
    forge(opened, change)
    with pytest.raises(Damaged, match=r"The snapshot .* is damaged"):
        opened.find("latest")


def test_a_snapshot_of_a_later_version_is_refused_by_name(opened: Repository) -> None:
    forge(opened, lambda facts: facts.update(format=2, version="9.9"))
    with pytest.raises(Invalid, match=r"newer version of MusicConnect \(9.9\)"):
        opened.find("latest")


def test_a_link_in_the_folder_of_the_backup_is_not_followed(
    opened: Repository, node: Appliance, target: Settings, folder: Path
) -> None:
    snapshot = opened.find("latest")
    [*_, entry] = listing.read(opened.pieces(), snapshot.pages)
    path = piece(folder, opened, entry.blob.digests[0])
    path.rename(folder.parent / "outside")
    path.symlink_to(folder.parent / "outside")
    with pytest.raises(MusicConnectError):
        nodes.restored(target, secret=node.secret)
    assert not (target.data / "musicconnect.sqlite3").exists()


@OF_SQLITE
def test_rows_that_lack_others_are_told_by_each_backup_and_come_back_as_they_were(
    node: Appliance, target: Settings, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(node.settings.data / "musicconnect.sqlite3")) as rows:
        rows.execute("PRAGMA foreign_keys = OFF")
        rows.execute("DELETE FROM artist")
        rows.commit()
    told = "The database has rows whose others are missing, in artist_member, release, tier."
    for _ in range(2):
        taken = taking.take(node)
        assert taken.problem == told
        with pytest.raises(Unavailable, match="rows whose others are missing"):
            schedule.told(node.settings, now=clock.now())
    opened = repository.open_repository(node.settings.backup_url, "")
    found = verified(opened, taken.snapshot.name, tmp_path / "scratch")
    assert (found.problems, found.notes) == ([], [told])
    before = nodes.rows(startup.database_url(node.settings))
    assert nodes.restored(target, secret=node.secret).orphaned == told
    nodes.same(before, nodes.rows(startup.database_url(target)))


@OF_SQLITE
def test_a_track_without_its_original_is_told_by_each_backup_until_it_is_there_or_gone(
    node: Appliance, target: Settings
) -> None:
    taking.take(node)
    track = Track.select().order_by(Track.id).first()
    with node.store.open(track.original_key) as stream:
        content = stream.read()
    node.store.delete(track.original_key)
    # It is looked for once a day, and once it was told each time.
    assert taking.take(node).problem == ""
    BackupRun.update(problem="Something.").execute()
    told = f"1 track(s) have no original in the store any more, such as {track.original_key}."
    for _ in range(2):
        assert taking.take(node).problem == told
        with pytest.raises(Unavailable, match="no original in the store any more"):
            schedule.told(node.settings, now=clock.now())
    taken = CliRunner().invoke(
        cli, ["--data", str(node.settings.data), "backup", "--to", node.settings.backup_url]
    )
    assert (taken.exit_code, told in taken.output) == (3, True)
    nodes.put(node.store, track.original_key, content)
    assert taking.take(node).problem == ""
    schedule.told(node.settings, now=clock.now())


def test_of_many_tracks_without_originals_some_are_told(
    node: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "AT_ONCE", 2)
    for track in Track.select():
        node.store.delete(track.original_key)
    assert taking.take(node).problem.startswith("3 track(s) have no original")
    monkeypatch.setattr(orphans, "MOST", 2)
    assert taking.take(node).problem.startswith("2 or more track(s) have no original")


@OF_SQLITE
def test_a_damaged_database_makes_no_snapshot(node: Appliance, folder: Path) -> None:
    startup.stop()
    path = node.settings.data / "musicconnect.sqlite3"
    content = bytearray(path.read_bytes())
    content[8192:60_000] = bytes(60_000 - 8192)
    path.write_bytes(bytes(content))
    startup.start(node.settings, immediate=True)
    with pytest.raises((MusicConnectError, peewee.DatabaseError)):
        taking.take(node)
    assert not list((folder / "snapshots").iterdir())


def test_a_snapshot_under_another_name_does_not_open(appliance: Appliance, folder: Path) -> None:
    """An old one cannot be passed off as a new one."""
    taking.take(nodes.with_backup(appliance, str(folder), key=KEY))
    opened = repository.open_repository(str(folder), KEY)
    [name] = opened.names()
    later = "20990101T000000.000Z"
    (folder / "snapshots" / f"{name}.json").rename(folder / "snapshots" / f"{later}.json")
    with pytest.raises(Damaged):
        opened.find("latest")
    assert manifest.is_name(later)
    assert not manifest.is_name("20991301T000000.000Z")
