"""A node comes back from a backup to the row and to the byte, wherever it was kept; and what is there already is not written again."""

from __future__ import annotations

import hashlib
import io
import random
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import clock
from appliance import database
from appliance import startup
from appliance.accounts.models import User
from appliance.backup import locks
from appliance.backup import repository
from appliance.backup import taking
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.jobs.process import identity
from appliance.settings import Settings
from appliance.startup import Appliance
from appliance.storage import open_store
from tests.appliance.backup import nodes
from tests.appliance.backup.nodes import KEY
from tests.makers import make_user


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "encrypted"])
def test_a_node_comes_back_to_the_row_and_the_byte(
    appliance: Appliance, elsewhere: Settings, folder: Path, key: str
) -> None:
    nodes.fill(appliance)
    taking.take(nodes.with_backup(appliance, str(folder), key=key))
    rows, media = nodes.rows(startup.database_url(appliance.settings)), nodes.contents(appliance.store)
    target = replace(elsewhere, backup_url=str(folder), backup_key=key)
    nodes.restored(target, secret="" if key else appliance.secret)
    nodes.same(rows, nodes.rows(startup.database_url(target)))
    assert nodes.contents(nodes.store_of(target)) == media
    if key:
        assert startup.secret_key(target) == appliance.secret
    running = startup.start(target, immediate=True)
    database.check()
    assert User.select().count() == len(rows["user"])
    assert running.store.stat("originals/large.flac").content_type == "audio/flac"


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "encrypted"])
def test_a_second_backup_writes_only_what_is_new(appliance: Appliance, folder: Path, key: str) -> None:
    nodes.fill(appliance)
    node = nodes.with_backup(appliance, str(folder), key=key)
    first = taking.take(node)
    held = nodes.stored_bytes(folder)
    assert first.tally.bytes_new > 13 * nodes.MIB and first.objects_read == 13
    second = taking.take(node)
    assert second.objects_read == 0
    assert second.tally.bytes_new < 100_000
    assert nodes.stored_bytes(folder) - held < 110_000
    nodes.put(node.store, "originals/new.flac", random.Random(3).randbytes(200_000))
    # The same bytes under another key are there already.
    with node.store.open("originals/large.flac") as stream:
        node.store.put("originals/again.flac", stream, content_type="audio/flac")
    third = taking.take(node)
    assert third.objects_read == 2
    assert 200_000 < third.tally.bytes_new < 300_000
    assert third.snapshot.objects == second.snapshot.objects + 2


def test_what_an_encrypted_backup_holds_tells_nothing(appliance: Appliance, folder: Path) -> None:
    nodes.fill(appliance)
    make_user("somebody.unmistakable@example.com")
    nodes.put(appliance.store, "originals/words.flac", b"these words are nowhere" * 50)
    taking.take(nodes.with_backup(appliance, str(folder), key=KEY))
    digest = hashlib.sha256(b"these words are nowhere" * 50).hexdigest()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"unmistakable" not in content and b"these words" not in content
            assert appliance.secret.encode() not in content and b"originals" not in content
            assert digest not in str(path)


def test_a_backup_that_is_not_encrypted_leaves_the_secret_key_out(node: Appliance, folder: Path) -> None:
    taking.take(node)
    assert not any(node.secret.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for path in (folder, folder / "pieces", folder / "snapshots"):
        assert path.stat().st_mode & 0o077 == 0


def test_an_object_that_was_put_anew_is_read_anew(node: Appliance, target: Settings) -> None:
    taking.take(node)
    nodes.put(node.store, "artwork/a/b/300.jpg", b"another picture", "image/png")
    assert taking.take(node).objects_read == 1
    nodes.restored(target, secret=node.secret)
    with nodes.store_of(target).open("artwork/a/b/300.jpg") as stream:
        assert stream.read() == b"another picture"


def test_what_is_made_from_other_things_is_left_out(node: Appliance) -> None:
    nodes.put(node.store, "downloads/x/album.zip", b"made")
    nodes.put(node.store, "artwork/cards/release/x.png", b"made")
    taken = taking.take(node)
    assert taken.snapshot.objects == 13


def test_what_is_written_meanwhile_is_there_wholly_or_not_at_all(node: Appliance, target: Settings) -> None:
    """Writers put bytes, then add two rows in one transaction, and remove what is older than the backups, while three of these run."""
    stop = threading.Event()
    problems: list[BaseException] = []

    def add(name: str) -> None:
        nodes.put(node.store, f"originals/{name}.flac", f"{name} ".encode() * 1000)
        with database.transaction():
            make_user(f"first-{name}@example.com")
            make_user(f"second-{name}@example.com")

    def remove(name: str) -> None:
        with database.transaction():
            for half in ("first", "second"):
                User.delete().where(User.email == f"{half}-{name}@example.com").execute()
        node.store.delete(f"originals/{name}.flac")

    def write(writer: int) -> None:
        number = 0
        try:
            while not stop.is_set():
                add(f"{writer}-{number}")
                remove(f"old-{writer}-{number}")
                number += 1
        except BaseException as error:
            problems.append(error)
        finally:
            database.close_thread()

    for number in range(60):
        add(f"old-{number % 3}-{number // 3}")
    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in writers:
        thread.start()
    taken = [taking.take(node) for _ in range(3)]
    stop.set()
    for thread in writers:
        thread.join()
    assert not problems
    for one in taken:
        nodes.restored(target, one.snapshot.name, secret=node.secret, force=True)
        running = startup.start(target, immediate=True)
        emails = {row.email for row in User.select()}
        firsts = {email.removeprefix("first-") for email in emails if email.startswith("first-")}
        assert firsts == {email.removeprefix("second-") for email in emails if email.startswith("second-")}
        assert firsts
        for name in firsts:
            running.store.verify(f"originals/{name.partition('@')[0]}.flac")


def test_what_was_removed_between_the_walks_is_there_for_the_rows_that_name_it(
    node: Appliance, target: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from appliance.backup import databases

    real = databases.copy

    def copy_then_clean(*arguments, **named):  # type: ignore[no-untyped-def]
        blob = real(*arguments, **named)
        node.store.delete("originals/piece.flac")
        return blob

    monkeypatch.setattr(databases, "copy", copy_then_clean)
    taking.take(node)
    nodes.restored(target, secret=node.secret)
    nodes.store_of(target).verify("originals/piece.flac")


def test_a_second_run_at_once_is_refused(node: Appliance) -> None:
    with locks.held(open_store(node.settings.backup_url)), pytest.raises(Conflict, match="Another process"):
        taking.take(node)
    taking.take(node)


def test_the_lock_of_a_process_that_is_gone_holds_nobody(node: Appliance, folder: Path) -> None:
    here = identity().rsplit(":", 2)[0]
    store = open_store(str(folder))
    gone = f'{{"holder": "{here}:999999999:1"}}'.encode()
    store.put("locks/01ABC", io.BytesIO(gone), content_type="application/json")
    taking.take(node)
    assert list(store.walk(locks.FOLDER)) == []


def test_the_lock_of_another_machine_of_the_same_name_holds(node: Appliance, folder: Path) -> None:
    host = identity().partition(":")[0]
    there = f'{{"holder": "{host}:aaaaaaaa.bbbbbbbb.4026531836:999999999:1"}}'.encode()
    open_store(str(folder)).put("locks/01ABC", io.BytesIO(there), content_type="application/json")
    with pytest.raises(Conflict, match=rf"just now \({host}:999999999\)"):
        taking.take(node)


def test_a_lock_that_was_not_renewed_holds_nobody(
    node: Appliance, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(folder))
    store.put("locks/01ABC", io.BytesIO(b'{"holder": "elsewhere:1:1"}'), content_type="application/json")
    with pytest.raises(Conflict, match="elsewhere"):
        taking.take(node)
    monkeypatch.setattr(locks, "LIVES", timedelta(0))
    with locks.held(store):
        assert len(list(store.walk(locks.FOLDER))) == 1


def test_a_run_that_was_asleep_for_long_makes_no_snapshot(
    node: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LIVES", timedelta(microseconds=-2))
    with pytest.raises(Conflict, match="could not be renewed"):
        taking.take(node)
    assert repository.open_repository(node.settings.backup_url, "").names() == []


@pytest.mark.parametrize("how", ["asleep", "taken over"])
def test_a_lock_that_was_lost_is_not_renewed(how: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    store = open_store(str(folder))
    lock = locks.Lock(store)
    assert lock.renew()
    [mine] = list(store.walk(locks.FOLDER))
    if how == "asleep":
        with monkeypatch.context() as patched:
            patched.setattr(locks, "LIVES", timedelta(microseconds=-2))
            assert not lock.renew()
    else:
        store.delete(mine.key)
    assert not lock.renew()
    assert list(store.walk(locks.FOLDER)) == ([mine] if how == "asleep" else [])
    with pytest.raises(Conflict, match="could not be renewed"):
        lock.require()


def test_a_wrong_key_is_told_as_such(appliance: Appliance, folder: Path) -> None:
    taking.take(nodes.with_backup(appliance, str(folder), key=KEY))
    with pytest.raises(Invalid, match="not the key that this backup"):
        repository.open_repository(str(folder), KEY + "!")
    with pytest.raises(Invalid, match="is encrypted; set 'backup_key'"):
        repository.open_repository(str(folder), "")
    with pytest.raises(Invalid, match="not the key"):
        taking.take(nodes.with_backup(appliance, str(folder), key=KEY + "!"))


def test_whoever_wants_encryption_gets_no_backup_without(node: Appliance, folder: Path) -> None:
    taking.take(node)
    with pytest.raises(Invalid, match="not encrypted, but"):
        taking.take(nodes.with_backup(node, str(folder), key=KEY))
    with pytest.raises(Invalid, match="not encrypted, but"):
        repository.open_repository(str(folder), KEY)


def test_where_there_is_no_backup_none_is_found(node: Appliance, folder: Path) -> None:
    with pytest.raises(NotFound, match="There is no backup in"):
        repository.open_repository(str(folder), "")
    assert not folder.exists()
    with pytest.raises(Invalid, match="backup_url"):
        taking.take(nodes.with_backup(node, ""))
    with pytest.raises(Invalid, match="'backup_url' is 's3://\\*\\*\\*"):
        taking.take(nodes.with_backup(node, "s3://a:secret@host/Bucket!"))


def test_a_backup_among_the_media_is_refused(node: Appliance) -> None:
    with pytest.raises(Invalid, match="elsewhere than the media"):
        taking.take(nodes.with_backup(node, str(node.settings.data / "media" / "backup")))


def test_what_a_run_came_to_is_written_down(node: Appliance) -> None:
    from appliance import backup
    from appliance.backup import runs

    assert backup.last_good() is None
    before = clock.now()
    taken = taking.take(node)
    good = backup.last_good()
    assert good is not None and before <= good <= clock.now()
    last = runs.last()
    assert last is not None
    assert (last.state, last.snapshot, last.objects_new) == ("good", taken.snapshot.name, 13)
    with locks.held(open_store(node.settings.backup_url)), pytest.raises(Conflict):
        taking.take(node)
    last = runs.last()
    assert last is not None and last.state == "failed" and "Another process" in last.problem
    assert backup.last_good() == good
