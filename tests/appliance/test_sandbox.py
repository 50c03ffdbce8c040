"""Programs that try to leave, behind each wall that this machine can build."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from appliance import sandbox
from appliance.errors import Unavailable
from appliance.sandbox import choosing
from appliance.sandbox import filtering
from appliance.sandbox.walls import Wall

FFMPEG = str(imageio_ffmpeg.get_ffmpeg_exe())
LOOSE = sandbox.Bounds(cpu_s=20, wall_s=30, memory_bytes=2 << 30, file_bytes=1 << 26)


@pytest.fixture(params=[Wall.BUBBLEWRAP, Wall.LANDLOCK])
def wall(request: pytest.FixtureRequest) -> Wall:
    found: Wall = request.param
    if why := choosing.fault(found):
        pytest.skip(f"{found} does not work here: {why}")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of this machine that nobody in the sandbox may reach."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def visitors(listening: socket.socket) -> int:
    try:
        listening.accept()
    except BlockingIOError:
        return 0
    return 1


def told_by(
    wall: Wall, program: str, *, folder: Path, reads: tuple[Path, ...] = (), bounds=LOOSE
) -> tuple[int, str]:
    """Run a program in Python behind *wall*: its exit code and what it printed."""
    out = bytearray()
    ended = sandbox.run(
        wall,
        lambda news: [sandbox.python(), "-I", "-S", "-c", program],
        room=sandbox.Room(program=sandbox.python_files(), reads=reads, folder=folder),
        bounds=bounds,
        on_stdout=out.extend,
        on_stderr=out.extend,
    )
    return (ended.returncode if ended.in_time else 999), out.decode()


def ffmpeg(wall: Wall, *arguments: str, folder: Path, reads: tuple[Path, ...] = ()) -> tuple[int, str]:
    out = bytearray()
    ended = sandbox.run(
        wall,
        lambda news: [FFMPEG, "-nostdin", "-hide_banner", *arguments],
        room=sandbox.Room(program=(Path(FFMPEG),), reads=reads, folder=folder),
        bounds=LOOSE,
        on_stderr=out.extend,
    )
    return ended.returncode, out.decode("utf-8", "replace")


def test_a_program_works_on_its_own_files(wall, folder, tmp_path):
    source = tmp_path / "source"
    source.write_text("heard")
    code, told = told_by(
        wall, f"open('made', 'w').write(open({str(source)!r}).read())", folder=folder, reads=(source,)
    )
    assert (code, told) == (0, "")
    assert (folder / "made").read_text() == "heard"


def test_files_of_the_server_are_not_there(wall, folder, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("secret_key", "musicconnect.sqlite3"):
        (data / name).write_text("hidden")
    program = (
        "import os, sys\nfor path in sys.argv[1:] or %r:\n"
        "    try: print(open(path).read())\n    except OSError as error: print(type(error).__name__)"
    )
    paths = [*(str(path) for path in data.iterdir()), "/etc/passwd", "/etc/shadow", "/proc/self/environ", "/proc/1/environ"]  # fmt: skip
    code, told = told_by(wall, program % paths, folder=folder)
    assert code == 0
    assert set(told.split()) <= {"FileNotFoundError", "PermissionError"}
    code, told = told_by(wall, f"import os; print(os.listdir({str(tmp_path)!r}))", folder=folder)
    assert "secret_key" not in told


@pytest.mark.parametrize(
    "act",
    [
        "open('{outside}/new', 'w')",
        "open('{outside}/kept', 'a')",
        "open('{outside}/kept', 'r+').truncate(0)",
        "os.remove('{outside}/kept')",
        "os.rename('{outside}/kept', 'mine')",
        "os.link('{outside}/kept', 'mine')",
        "os.symlink('{outside}/kept', 'mine')",
        "os.mkfifo('mine')",
        "os.chdir('..') or open('../../new', 'w')",
        "open('/dev/sda', 'w')",
        "open('/usr/new', 'w')",
    ],
)
def test_nothing_is_written_outside_and_no_link_is_left(act, wall, folder, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("whole")
    code, told = told_by(wall, f"import os\n{act.format(outside=tmp_path)}", folder=folder, reads=(kept,))
    assert (code, "Error" in told) == (1, True)
    assert kept.read_text() == "whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job", "kept"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "act",
    [
        "socket.create_connection(('127.0.0.1', {port}), 2)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
        "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')",
        "socket.getaddrinfo('music.example', 80)",
    ],
)
def test_there_is_no_network(act, wall, folder, listener):
    code, told = told_by(wall, f"import socket\n{act.format(port=listener.getsockname()[1])}", folder=folder)
    assert (code, "Error" in told or "error" in told) == (1, True)
    assert visitors(listener) == 0


@pytest.mark.parametrize("act", ["os.fork()", "os.posix_spawn('/bin/true', ['true'], {})", "os.system('true') and 1/0"])  # fmt: skip
def test_a_fork_bomb_does_not_go_off(act, wall, folder):
    code, told = told_by(wall, f"import os\nfor _ in range(100):\n    {act}", folder=folder)
    assert (code, "Error" in told) == (1, True)


def test_other_processes_cannot_be_harmed(wall, folder):
    acts = (
        f"os.kill({os.getpid()}, 0)",
        f"os.kill({os.getppid()}, 0)",
        "os.killpg(os.getpgid(0), 9)",
        "os.kill(-1, 9)",
    )
    for act in acts:
        code, told = told_by(wall, f"import os\n{act}", folder=folder)
        assert (code, "PermissionError" in told or "ProcessLookupError" in told) == (1, True)


def test_threads_are_allowed(wall, folder):
    program = "import threading\nt = threading.Thread(target=print, args=['done'])\nt.start(); t.join()"
    assert told_by(wall, program, folder=folder) == (0, "done\n")


def test_memory_time_and_files_have_an_end(wall, folder):
    tight = sandbox.Bounds(cpu_s=1, wall_s=20, memory_bytes=1 << 29, file_bytes=1 << 20)
    code, told = told_by(wall, "x = [bytes(1 << 30)]", folder=folder, bounds=tight)
    assert (code, "MemoryError" in told) == (1, True)
    assert told_by(wall, "while True: pass", folder=folder, bounds=tight)[0] == -signal.SIGXCPU
    code, told = told_by(
        wall,
        "import signal; signal.signal(25, 0)\nf = open('large', 'wb', 0)\nwhile True: f.write(bytes(1 << 18))",
        folder=folder,
        bounds=tight,
    )
    assert code == -signal.SIGXFSZ
    assert (folder / "large").stat().st_size <= 1 << 20


def test_who_sleeps_for_ever_is_stopped(wall, folder):
    brief = sandbox.Bounds(cpu_s=5, wall_s=1.0, memory_bytes=1 << 30, file_bytes=1)
    assert told_by(wall, "import time; time.sleep(765432)", folder=folder, bounds=brief)[0] == 999
    assert until(lambda: not processes("765432"))


def test_it_dies_with_a_worker_that_is_killed_with_9(wall, tmp_path):
    code = (
        "import pathlib\nfrom appliance import sandbox\n"
        f"sandbox.run(sandbox.Wall({str(wall)!r}), lambda news: ['/bin/sleep', '876543'], "
        "room=sandbox.Room(()), bounds=sandbox.Bounds(9, 99.0, 1 << 30, 1), on_stderr=print)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as worker:
        assert until(lambda: any(name.startswith("/bin/sleep") for name in processes("876543")))
        worker.kill()
    assert until(lambda: not processes("876543"))


def test_it_starts_with_a_clean_environment(wall, folder, monkeypatch):
    monkeypatch.setenv("MUSICCONNECT_SECRET_KEY", "hidden")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    _, told = told_by(wall, "import os; print(sorted(os.environ), len(os.listdir('.')))", folder=folder)
    assert "hidden" not in told
    assert "MUSICCONNECT" not in told
    assert "PROXY" not in told


def test_a_source_in_the_folder_is_not_written_in_bubblewrap(folder):
    if why := choosing.fault(Wall.BUBBLEWRAP):
        pytest.skip(why)
    source = folder / "source"
    source.write_text("whole")
    code, _ = told_by(Wall.BUBBLEWRAP, "open('source', 'w')", folder=folder, reads=(source,))
    assert (code, source.read_text()) == (1, "whole")


def test_a_source_that_is_a_link_is_not_opened(wall, folder, tmp_path):
    link = tmp_path / "song.wav"
    link.symlink_to("/etc/passwd")
    with pytest.raises(Unavailable, match="A link leads elsewhere"):
        told_by(wall, "pass", folder=folder, reads=(link,))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/a.ts",
        "tcp://127.0.0.1:{port}",
        "hls+http://127.0.0.1:{port}/a.m3u8",
        "file:///etc/passwd",
        "subfile,,start,0,end,100,,:/etc/passwd",
        "concat:/etc/passwd|/etc/hostname",
        "data:text/plain,x",
        "{folder}/list.m3u8",
        "{folder}/list.ffconcat",
    ],
)
def test_an_ffmpeg_that_was_talked_into_anything_gets_nowhere(address, wall, folder, tmp_path, listener):
    """Without the lists of allowed formats and protocols, as if a fault had opened them all."""
    port = listener.getsockname()[1]
    (folder / "list.m3u8").write_text(
        f"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXTINF:1,\nfile:///etc/passwd\n"
    )
    (folder / "list.ffconcat").write_text("ffconcat version 1.0\nfile '/etc/passwd'\n")
    source = address.format(port=port, folder=folder)
    code, told = ffmpeg(
        wall,
        *("-protocol_whitelist", "file,http,tcp,concat,subfile,data,crypto,hls", "-f", "s16le")[
            : 2 if "list" in address else 4
        ],
        *(["-safe", "0"] if "ffconcat" in address else []),
        *("-i", source, "-c", "copy", "-f", "data", "-map", "0", "stolen"),
        folder=folder,
    )
    assert visitors(listener) == 0
    if not address.startswith("data:"):
        assert code != 0
        stolen = folder / "stolen"
        assert not stolen.exists() or b"root" not in stolen.read_bytes()
        assert "root:" not in told


def test_ffmpeg_can_work_there(wall, folder):
    code, told = ffmpeg(wall, *("-f", "lavfi", "-i", "sine=d=0.2", "a.flac"), folder=folder)
    assert (code, (folder / "a.flac").read_bytes()[:4]) == (0, b"fLaC"), told


def test_the_best_wall_is_chosen_and_a_wrong_wish_is_told(monkeypatch, caplog):
    choosing.choose.cache_clear()
    try:
        for broken, best in (
            ((), Wall.BUBBLEWRAP),
            ((Wall.BUBBLEWRAP,), Wall.LANDLOCK),
            ((Wall.BUBBLEWRAP, Wall.LANDLOCK), Wall.OFF),
        ):
            monkeypatch.setattr(choosing, "fault", lambda wall, broken=broken: "no" if wall in broken else "")
            choosing.choose.cache_clear()
            assert choosing.choose("auto") is best
        assert "NO SANDBOX" in caplog.text
        with pytest.raises(Unavailable, match="'landlock' does not work on this machine"):
            choosing.choose("landlock")
    finally:
        choosing.choose.cache_clear()


def test_a_hole_in_a_wall_is_noticed(monkeypatch):
    assert choosing.fault(Wall.OFF) == "the wall has a hole"


def test_a_machine_with_unknown_numbers_has_no_filter(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert filtering.program(own_signals=True) is None
    assert "not known" in choosing.fault(Wall.LANDLOCK)


def processes(mark: str) -> list[str]:
    """The command lines of all processes that live and have *mark* in theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text().replace("\0", " ")
            dead = "\nState:\tZ" in path.with_name("status").read_text()
        except OSError:
            continue
        if mark in line and not dead and "import pathlib" not in line:
            found.append(line)
    return found


def until(condition, *, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False
