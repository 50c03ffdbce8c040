"""A crowd listens, uploads and buys while the processes of a node are killed: what was acknowledged is there, and nobody heard what is not theirs."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.load import journal
from tests.load import verdict
from tests.load.client import Client
from tests.load.crowd import Crowd
from tests.load.crowd import Stage
from tests.load.journal import Asked
from tests.servers.node import Node

PATIENCE_S = 120
ARTIST = "the-night-ferry"
EMAIL, PASSWORD = "crowd@demo.com", "harbour lights at low tide"


def staged(node: Node) -> Stage:
    """The demo as the stage of a load."""
    node.run("user", "create", "--email", EMAIL, "--password-stdin", given=f"{PASSWORD}\n")
    fan = node.run("token", "create", "--email", EMAIL, "--scope", "read", "--scope", "money.write").strip()
    artist = node.run("token", "create", "--email", "artist@demo.com").strip()
    listed = [node.get(f"/api/v1/releases/{row['id']}") for row in node.get("/api/v1/releases")["items"]]
    tracks = [track for release in listed for track in release["tracks"]]
    mine = node.get(f"/api/v1/artists/{ARTIST}")
    closed = [track["id"] for track in tracks if not track["access"]["may_play"]]
    return Stage(node.url, mine["slug"], mine["id"], artist, fan, EMAIL, closed)


@pytest.mark.timeout(600)
def test_a_crowd_loses_nothing_that_was_acknowledged_when_processes_are_killed(
    demo_node: Node, demo_releases: list[dict], tmp_path: Path
) -> None:
    stage, path = staged(demo_node), tmp_path / "journal.jsonl"
    with Crowd(stage, path) as crowd:
        crowd.start(listeners=2, pause_s=0.2, longest_s=60)
        for name in ("web", "worker", "web"):
            time.sleep(2)
            os.kill(demo_node.children()[name], signal.SIGKILL)
        time.sleep(4)
    lines = list(journal.read(path))
    seen = verdict.trouble(journal.requests(lines))
    kinds = {line.kind for line in lines if isinstance(line, journal.Acknowledged)}
    assert kinds == {"upload", "purchase"}, seen
    assert verdict.wrongs(lines) == []
    judge = journal.Journal(tmp_path / "judged.jsonl")
    artist, fan = (Client(stage.base, judge, token=token) for token in (stage.artist_token, stage.fan_token))
    assert verdict.lost(lines, artist, fan, patience_s=PATIENCE_S) == []
    judge.close()


def asked(
    at_s: float, *, act: str = "page", answered: bool = True, tries: int = 1, repeatable: bool = True
) -> Asked:
    return Asked(act, at_s, 0.5, 200 if answered else 502, tries, answered, repeatable)


def test_what_was_asked_only_once_is_told_apart_from_what_failed_twice() -> None:
    lines = [
        asked(0, answered=False, tries=2),
        asked(1, act="pay", answered=False, repeatable=False),
        asked(2),
    ]
    seen = verdict.trouble(lines)
    assert (seen.failed, seen.failed_repeatable) == (2, 1)


def test_an_outage_lasts_from_the_first_failure_of_an_act_to_its_next_answer() -> None:
    lines = [
        asked(0),
        asked(1, answered=False),
        asked(2, act="sound"),
        asked(3, answered=False),
        asked(6, tries=2),
        asked(9, act="sound", answered=False),
    ]
    seen = verdict.trouble(lines)
    assert (seen.asked, seen.failed, seen.second_tries) == (6, 3, 1)
    assert seen.outage_s == 5.5


def test_a_journal_that_is_cut_in_the_middle_tells_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    written = journal.Journal(path)
    written.write(asked(1))
    written.wrong("a byte for the wrong person")
    written.close()
    path.write_text(path.read_text() + '{"line": "asked", "ac')
    assert journal.requests(journal.read(path)) == [asked(1)]
    assert verdict.wrongs(journal.read(path)) == ["a byte for the wrong person"]
