"""What an operator types, and what they are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result

from appliance import clock
from appliance import startup
from appliance.backup import aftermath
from appliance.backup import mending
from appliance.cli import cli
from appliance.startup import Appliance
from tests.appliance.backup import nodes
from tests.appliance.backup.nodes import KEY
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release


@pytest.fixture
def database_url() -> str:
    """SQLite, whatever the others run on: what is typed here says nothing of a database."""
    return ""


@pytest.fixture(autouse=True)
def no_node() -> Iterator[None]:
    yield
    startup.stop()


def said(*arguments: str, code: int = 0, **environ: str) -> str:
    done: Result = CliRunner().invoke(
        cli, list(arguments), env={f"MUSICCONNECT_{n.upper()}": v for n, v in environ.items()}
    )
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_a_backup_says_what_it_did_and_what_it_left_out(appliance: Appliance, folder: Path) -> None:
    nodes.fill(appliance)
    startup.stop()
    data = str(appliance.settings.data)
    told = said("backup", "--data", data, "--to", str(folder))
    assert "13 object(s) and the database, 1" in told and "13 object(s) new, 1" in told
    assert "NOT ENCRYPTED" in told and f"{data}/secret_key" in told
    told = said("backup", "--data", data, backup_url=str(folder))
    assert "0 object(s) new" in told
    listed = said("backup", "list", "--from", str(folder)).splitlines()
    assert len(listed) == 2 and "sqlite" in listed[0]
    told = said("backup", "verify", "--all", "--read-data", "--from", str(folder), "--data", data)
    assert told.count("  whole  ") == 2
    told = said("backup", "prune", "--data", data, backup_url=str(folder), backup_keep="1 latest")
    assert "1 snapshot(s) forgotten, 0 piece(s) removed" in told


def test_an_encrypted_backup_does_not_shout(appliance: Appliance, folder: Path) -> None:
    startup.stop()
    told = said("backup", "--data", str(appliance.settings.data), backup_url=str(folder), backup_key=KEY)
    assert "NOT" not in told


def test_a_restore_is_one_command(appliance: Appliance, folder: Path, tmp_path: Path) -> None:
    nodes.fill(appliance)
    startup.stop()
    environ = {"backup_url": str(folder), "backup_key": KEY}
    said("backup", "--data", str(appliance.settings.data), **environ)
    told = said("restore", "--data", str(tmp_path / "other"), **environ)
    assert "is restored: 13 object(s) (0 were there)" in told
    assert "Now: musicconnect doctor, then start." in told
    told = said("restored", "--data", str(tmp_path / "other"), **environ)
    assert told.startswith("Restored from 2")


def test_media_that_were_lost_come_back_by_one_command(appliance: Appliance, folder: Path) -> None:
    track = add_track(make_release(make_artist()))
    nodes.put(appliance.store, track.original_key, b"sound")
    nodes.put(appliance.store, "originals/gone", b"of a track that was removed")
    startup.stop()
    data = str(appliance.settings.data)
    said("backup", "--data", data, backup_url=str(folder))
    (appliance.settings.data / "media" / track.original_key).unlink()
    told = said("restore", "--media-only", "--data", data, backup_url=str(folder))
    assert "1 object(s) of 2" in told and "are back, 0 were there; 1 that no row names any more" in told
    assert (appliance.settings.data / "media" / track.original_key).read_bytes() == b"sound"
    startup.start(appliance.settings)
    new = add_track(track.release, title="New")
    startup.stop()
    told = said("restore", "--media-only", "--reread", "--data", data, backup_url=str(folder), code=3)
    assert (
        "0 object(s) of 2" in told
        and f"1 track(s) have no original in the store any more, such as {new.original_key}" in told
    )
    assert "replaces no database" in said("restore", "--media-only", "--force", "--data", data, code=2)
    assert "goes with --media-only" in said("restore", "--reread", "--data", data, code=2)


def test_a_restored_node_is_settled_by_hand(appliance: Appliance) -> None:
    assert said("restored", "--data", str(appliance.settings.data)).startswith("Nothing waits")
    startup.start(appliance.settings)
    mending.mend("20260501T120000.000Z", taken_at=clock.now(), now=clock.now())
    startup.stop()
    assert "Payouts and letters go on." in said(
        "restored", "--settle", "--data", str(appliance.settings.data)
    )
    startup.start(appliance.settings)
    assert aftermath.unsettled() is None


def test_what_is_wrong_is_a_sentence_and_an_exit_code(
    appliance: Appliance, folder: Path, tmp_path: Path
) -> None:
    startup.stop()
    data = str(appliance.settings.data)
    assert "Say where the backup is" in said("backup", "--data", data, code=2)
    assert "There is no backup in" in said("backup", "list", "--from", str(tmp_path / "none"), code=2)
    said("backup", "--data", data, "--to", str(folder))
    assert "a database already" in said("restore", "--data", data, "--from", str(folder), code=2)
    other = str(tmp_path / "other")
    assert "does not hold the secret key" in said("restore", "--data", other, "--from", str(folder), code=2)
    (snapshot,) = (folder / "snapshots").iterdir()
    snapshot.write_bytes(b"{}")
    told = said("backup", "verify", "--all", "--data", data, "--from", str(folder), code=3)
    assert "WRONG" in told and "is damaged" in told
    assert "is damaged" in said("backup", "list", "--from", str(folder))
    assert "allowed is numbers and periods" in said("backup", "list", code=2, backup_keep="all")
