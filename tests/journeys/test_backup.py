"""A machine is lost: one command on an empty one, and the collective is there again, to the row and to the byte."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from appliance.storage.local import LocalStore
from tests.appliance.backup import nodes
from tests.appliance.backup.nodes import KEY
from tests.servers.node import Node
from tests.sounds import tone


@pytest.mark.timeout(300)
def test_a_lost_machine_comes_back_by_one_command(tmp_path: Path) -> None:
    place = tmp_path / "backup"
    environ = {"MUSICCONNECT_BACKUP_URL": str(place), "MUSICCONNECT_BACKUP_KEY": KEY}
    with Node(tmp_path / "data", MUSICCONNECT_BACKUP_EVERY_MIN="0", **environ) as node:
        token = node.sign_up()
        release = node.make_release()
        tracks = [node.upload(release, f"{n} Song.flac", tone(2.0, 200 + 50 * n)) for n in range(1, 4)]
        for track in tracks:
            node.wait_for(track)
        stop = threading.Event()
        titles: list[str] = []

        def write() -> None:
            while not stop.is_set():
                titles.append(node.make_release(f"Written meanwhile {len(titles)}"))

        writer = threading.Thread(target=write)
        writer.start()
        assert "object(s) and the database" in node.run("backup")
        stop.set()
        writer.join()
        assert len(titles) > 3
        node.kill()
        # What lies in the folder of a node that was killed is backed up as well as what runs.
        node.run("backup")
        rows = nodes.rows(f"sqlite:///{node.data / 'musicconnect.sqlite3'}")
        media = nodes.contents(LocalStore(node.data / "media"))
        assert "  whole  " in node.run("backup", "verify", "--all", "--read-data")
        shutil.rmtree(node.data)

        other = Node(tmp_path / "another machine" / "data", **environ)
        other.data.parent.mkdir()
        told = other.run("restore")
        assert "is restored: " in told and "0 were there" in told
        nodes.same(rows, nodes.rows(f"sqlite:///{other.data / 'musicconnect.sqlite3'}"))
        assert nodes.contents(LocalStore(other.data / "media")) == media
        assert len(media) > 3 * 10
        told = other.run("doctor")
        assert "All is well" in told and "restore: payment providers are asked" in told
        with other:
            other.token = token
            listed = other.get(f"/api/v1/releases/{release}")["tracks"]
            assert [row["id"] for row in listed] == tracks
            assert all(row["state"] == "ready" for row in listed)
            playlist = other.post(f"/api/v1/tracks/{tracks[0]}/play")
            assert b"#EXTM3U" in other.send("GET", playlist["hls_url"])[2]
            again = other.upload(release, "4 Song.flac", tone(1.0))
            other.wait_for(again)


def test_the_demo_comes_back_out_of_a_backup_of_it_as_it_runs(
    demo_node: Node, demo_releases: list[dict], tmp_path: Path
) -> None:
    place = str(tmp_path / "backup")
    demo_node.run("backup", "--to", place)
    began = time.monotonic()
    other = Node(tmp_path / "data")
    other.run("restore", "--from", place, "--secret-key", str(demo_node.data / "secret_key"))
    took_s = time.monotonic() - began
    there = nodes.contents(LocalStore(other.data / "media"))
    here = nodes.contents(LocalStore(demo_node.data / "media"))
    assert len(there) > 100
    assert there == {key: here[key] for key in there}
    left = {key.partition("/")[0] for key in here.keys() - there.keys()}
    assert left <= {"downloads", "artwork", "uploads"}, left
    assert "All is well" in other.run("doctor")
    with other:
        for release in demo_releases:
            shown = other.get(f"/api/v1/releases/{release['id']}")
            assert [track["id"] for track in shown["tracks"]] == [track["id"] for track in release["tracks"]]
    assert took_s < 3600
