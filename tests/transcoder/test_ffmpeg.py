import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from transcoder import failures
from transcoder import ffmpeg as program
from transcoder.limits import Limits

SLOW = ["-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-"]


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def children() -> list[int]:
    return [
        int(pid)
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    ]


def lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition, *, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_run_tells_how_far_it_is(ffmpeg, tmp_path):
    seen: list[float] = []
    arguments = ["-f", "lavfi", "-i", "anullsrc", "-t", "3", "-f", "null", "-"]
    finished = program.run(ffmpeg, arguments, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(3, abs=0.1)
    assert finished.reached_s == seen[-1]


def test_a_hung_ffmpeg_is_stopped_and_tried_again_later(tmp_path):
    hung = script(tmp_path / "ffmpeg", "exec sleep 600")
    began = time.monotonic()
    with pytest.raises(failures.Interrupted, match="took too long"):
        program.run(hung, [], limits=Limits(wall_s=0.3))
    assert time.monotonic() - began < 5


def test_a_program_that_ignores_sigterm_dies_with_its_children(without_walls, tmp_path):
    note = tmp_path / "pid"
    stubborn = script(tmp_path / "ffmpeg", f"trap '' TERM INT\nsleep 600 &\necho $! > {note}\nwait")
    with pytest.raises(failures.Interrupted):
        program.run(stubborn, [], limits=Limits(wall_s=0.5))
    assert until(lambda: not lives(int(note.read_text())))


def test_a_killed_ffmpeg_is_tried_again_later(ffmpeg):
    def kill(reached_s: float) -> None:
        for pid in children():
            if "anullsrc" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(failures.Interrupted, match="interrupted"):
        program.run(ffmpeg, SLOW, on_progress=kill)


def test_what_the_listener_raises_stops_ffmpeg(ffmpeg):
    class Stop(Exception):
        pass

    pids: list[int] = []
    # Servers of other tests may be children of this process too, and live on.
    others = set(children())

    def stop(reached_s: float) -> None:
        pids.extend(set(children()) - others)
        raise Stop

    with pytest.raises(Stop):
        program.run(ffmpeg, SLOW, on_progress=stop)
    assert pids
    assert not any(map(lives, pids))


def test_ffmpeg_dies_with_a_worker_that_is_killed_with_9(ffmpeg):
    code = (
        "import sys, os, pathlib\nfrom transcoder import ffmpeg\n"
        "told = []\n"
        "def tell(at):\n"
        "    if not told:\n"
        "        told.append(1)\n"
        "        print(pathlib.Path(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read_text(), flush=True)\n"
        f"ffmpeg.run(sys.argv[1], {SLOW!r}, on_progress=tell)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, ffmpeg], stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        pid = int(worker.stdout.readline())
        assert lives(pid)
        worker.kill()
    assert until(lambda: not lives(pid))


def test_a_file_that_eats_the_processor_is_refused(ffmpeg):
    endless = ["-f", "lavfi", "-i", "anoisesrc", "-f", "null", "-"]
    with pytest.raises(failures.Unplayable, match="computing time"):
        program.run(ffmpeg, endless, limits=Limits(cpu_s=1, cpu_s_per_sound_s=0))


def test_a_file_that_needs_too_much_memory_is_refused(ffmpeg):
    hungry = [
        "-f",
        "lavfi",
        "-i",
        "anullsrc",
        "-filter_complex",
        "aloop=loop=-1:size=2147480000",
        "-f",
        "null",
        "-",
    ]
    with pytest.raises(failures.Unplayable, match="memory"):
        program.run(ffmpeg, hungry, limits=Limits(memory_bytes=1024**3))


def test_an_output_that_grows_too_large_is_stopped(ffmpeg, tmp_path):
    large = ["-f", "lavfi", "-i", "anoisesrc", "-t", "60", str(tmp_path / "large.wav")]
    with pytest.raises(failures.Unplayable, match="too large"):
        program.run(ffmpeg, large, limits=Limits(output_bytes=100_000), folder=tmp_path)


def test_a_full_disk_is_the_servers_fault(without_walls, ffmpeg):
    full = ["-f", "lavfi", "-i", "anoisesrc", "-t", "5", "-y", "-f", "wav", "/dev/full"]
    with pytest.raises(failures.Interrupted, match="disk is full"):
        program.run(ffmpeg, full)


def test_a_missing_ffmpeg_is_the_servers_fault(tmp_path):
    with pytest.raises(failures.Interrupted, match="cannot start ffmpeg"):
        program.run(str(tmp_path / "nothing"), [])


def test_ffmpeg_sees_no_secret_of_the_server(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICCONNECT_SECRET_KEY", "hidden")
    told = tmp_path / "environment"
    program.run(script(tmp_path / "ffmpeg", f"exec env > {told}"), [], folder=tmp_path)
    assert "hidden" not in told.read_text()


def test_the_installed_ffmpeg_can_do_the_work(ffmpeg):
    assert program.shortcomings(ffmpeg) == []
    assert program.version(ffmpeg) >= program.OLDEST_VERSION


def test_an_old_ffmpeg_is_named_with_what_it_lacks(tmp_path):
    old = script(tmp_path / "ffmpeg", "echo 'ffmpeg version 4.4.2 Copyright'")
    problems = program.shortcomings(old)
    assert "ffmpeg 4.4 is too old" in problems[0]
    assert any("'ebur128'" in problem for problem in problems)
    assert program.shortcomings(str(tmp_path / "nothing"))[0].startswith("ffmpeg does not start")
