"""Counts of several processes of a node: told together, also of those that are gone, and begun anew with the node."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COUNTING = """
    import sys
    from pathlib import Path
    from appliance import measures
    from appliance.monitoring import sharing

    def total():
        found = {}
        for family in sharing.collect() or measures.registry.collect():
            for sample in family.samples:
                found[(sample.name, *sorted(sample.labels.values()))] = sample.value
        return found

    def say(what):
        print(what, flush=True)

    data = Path(sys.argv[1])
"""
WORKING = """
    sharing.share(data)
    measures.CACHE_REQUESTS.labels("test", "process", "hit").inc(int(sys.argv[2]))
    measures.JOB_SECONDS.labels("test").observe(0.2)
    measures.DATABASE_CONNECTIONS.labels("in_use").set(int(sys.argv[2]))
    measures.CHORE_LAST_DONE.labels("test").set(int(sys.argv[2]))
    say("ready")
    sys.stdin.readline()
"""
HITS = ("musicconnect_cache_requests_total", "hit", "process", "test")
RUNS = ("musicconnect_job_seconds_count", "test")
HELD = ("musicconnect_database_connections", "in_use")
LAST = ("musicconnect_chore_last_done_timestamp_seconds", "test")


def script(*parts: str) -> list[str]:
    return [sys.executable, "-c", "".join(textwrap.dedent(part) for part in parts)]


@contextmanager
def worker(data: Path, number: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has counted *number* and lives on."""
    argv = [*script(COUNTING, WORKING), str(data), str(number)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def told(data: Path) -> dict[tuple[str, ...], float]:
    """What a process that begins now is told of all."""
    argv = [*script(COUNTING, "sharing.share(data)\nsay(repr(total()))\n"), str(data)]
    done = subprocess.run(argv, capture_output=True, check=True, text=True, timeout=60)
    found: dict[tuple[str, ...], float] = literal_eval(done.stdout)
    return found


def test_the_counts_of_all_processes_are_told_together(tmp_path: Path) -> None:
    with worker(tmp_path, 3), worker(tmp_path, 4):
        sums = told(tmp_path)
    assert (sums[HITS], sums[RUNS], sums[HELD], sums[LAST]) == (7, 2, 7, 4)


def test_what_a_killed_process_counted_stays_counted_and_what_it_held_is_no_longer_held(
    tmp_path: Path,
) -> None:
    with worker(tmp_path, 1):
        for number in (20, 300):
            with worker(tmp_path, number) as lost:
                lost.send_signal(signal.SIGKILL)
                lost.wait()
            told(tmp_path)
        sums = told(tmp_path)
        assert (sums[HITS], sums[RUNS], sums[HELD]) == (321, 3, 1)
        assert sums[LAST] == 300, "the latest of all, also of those that are gone"
        # However often processes begin anew, their files do not pile up.
        assert len(list((tmp_path / "run" / "metrics").rglob("*.db"))) <= 4 + 4 + 3, (
            "of who lives, of who looked last, of all before"
        )


def test_a_node_that_was_stopped_begins_anew(tmp_path: Path) -> None:
    with worker(tmp_path, 5):
        pass
    assert HITS not in told(tmp_path)


def test_what_was_counted_before_somebody_shares_is_not_told_twice(tmp_path: Path) -> None:
    early = 'measures.CACHE_REQUESTS.labels("test", "process", "hit").inc(9)\n'
    argv = [*script(COUNTING, early, WORKING, "say(repr(total()))\n"), str(tmp_path), "1"]
    done = subprocess.run(argv, input="\n", capture_output=True, check=True, text=True, timeout=60)
    assert literal_eval(done.stdout.splitlines()[1])[HITS] == 1


def test_two_machines_that_share_a_folder_tell_of_themselves(tmp_path: Path) -> None:
    with worker(tmp_path, 5):
        elsewhere = (
            "import socket\nsocket.gethostname = lambda: 'another'\nsharing.share(data)\nsay(repr(total()))\n"
        )
        argv = [*script(COUNTING, elsewhere), str(tmp_path)]
        done = subprocess.run(argv, capture_output=True, check=True, text=True, timeout=60)
    assert HITS not in literal_eval(done.stdout)


def test_a_file_that_nobody_can_read_is_left_out(tmp_path: Path) -> None:
    with worker(tmp_path, 6):
        [folder] = (tmp_path / "run" / "metrics").iterdir()
        for name, content in {
            "counter_1-1": b"\xff" * 5000,
            "histogram_1-1": b"",
            "counter_2-1": b"\0",
        }.items():
            (folder / f"{name}.db").write_bytes(content)
        assert told(tmp_path)[HITS] == 6


def test_a_full_disk_kills_nobody(tmp_path: Path) -> None:
    """Counts are written by way of memory: a page without a place on the disk would be the end of the process."""
    full = """
    import errno, os
    def refuse(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.posix_fallocate = refuse
    """
    argv = [*script(COUNTING, full, WORKING, "say(repr(total()))\n"), str(tmp_path), "2"]
    done = subprocess.run(argv, input="\n", capture_output=True, check=True, text=True, timeout=60)
    assert literal_eval(done.stdout.splitlines()[1])[HITS] == 2, "it counts for itself"
    assert not list(tmp_path.rglob("*.db"))
