"""Run ffmpeg on untrusted files: the only module that starts a process.

Every run has a processor, memory, file-size and wall-clock limit, no network, no terminal, a clean
environment and a process group of its own. A child also dies with its worker, even one killed with -9:
``setpriv`` (util-linux) asks the kernel for that before it becomes ``prlimit``, which becomes ffmpeg, so no
Python runs between fork and exec (``preexec_fn`` is unsafe in a threaded worker).
"""

from __future__ import annotations

import collections
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transcoder import failures
from transcoder.limits import DEFAULT_LIMITS
from transcoder.limits import Limits

TAIL_LINES = 40
MOST_CAUSES = 10
LONGEST_LINE_BYTES = 4096
BLOCK_BYTES = 1 << 16
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
OLDEST_VERSION = (6, 0)
NEEDED = {
    "encoders": ("aac", "flac", "alac", "libmp3lame", "libvorbis", "libopus"),
    "filters": ("ebur128", "aresample", "astats", "volumedetect", "amovie"),
    "muxers": ("mp4", "ipod", "chromaprint", "flac", "wav", "aiff", "mp3", "ogg", "opus"),
}

# Global options of every run: no terminal, every line of the log with its level.
PREAMBLE = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+verbose")


@dataclass(frozen=True)
class Finished:
    """What a run left behind: the last lines ffmpeg wrote and how much sound it got through."""

    tail: str
    reached_s: float


def run(
    ffmpeg: str,
    arguments: Sequence[str],
    *,
    sound_s: float = 0.0,
    limits: Limits = DEFAULT_LIMITS,
    folder: Path | None = None,
    on_progress: Callable[[float], None] = lambda reached_s: None,
    on_line: Callable[[str], None] = lambda line: None,
    on_bytes: Callable[[bytes], None] | None = None,
) -> Finished:
    """Run ffmpeg to its end and say how far it got.

    *on_progress* gets the seconds of sound done, about twice a second; what it raises stops ffmpeg and is passed
    on. *on_line* gets each line of ffmpeg's log, *on_bytes* what it writes to ``pipe:1``. *folder* is where relative names are found. Raises ``Unplayable`` when the file is at fault and
    ``Interrupted`` when the machine is.
    """
    wall_s = limits.wall_for(sound_s)
    deadline = time.monotonic() + wall_s
    tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
    causes: list[str] = []
    reached_s = 0.0

    def hear(line: str) -> None:
        tail.append(line)
        # The cause stands at the beginning of a long farewell, which would push it out of the tail.
        if ("[error]" in line or "[fatal]" in line) and len(causes) < MOST_CAUSES:
            causes.append(line)
        on_line(line)

    def see(line: str) -> None:
        nonlocal reached_s
        key, _, value = line.partition("=")
        if key == "out_time_us" and value.isdigit():
            reached_s = int(value) / 1_000_000
        elif key == "progress":
            on_progress(reached_s)

    news, newswire = os.pipe()
    try:
        try:
            process = subprocess.Popen(
                [
                    *_launcher(limits.cpu_for(sound_s), limits),
                    *(ffmpeg, *PREAMBLE, "-progress", f"pipe:{newswire}"),
                    *arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if on_bytes else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # No HOME, no proxies, no AV_LOG settings: a run depends on its arguments alone.
                env=ENVIRONMENT,
                cwd=folder,
                pass_fds=[newswire],
                process_group=0,
            )
        except OSError as exc:
            raise failures.Interrupted(failures.NO_FFMPEG, detail=str(exc)) from exc
        finally:
            os.close(newswire)
        assert process.stderr
        streams: dict[int, Callable[[bytes], None]] = {
            news: _Lines(see).take,
            process.stderr.fileno(): _Lines(hear).take,
        }
        if process.stdout and on_bytes:
            streams[process.stdout.fileno()] = on_bytes
        with process:
            try:
                in_time = _read(process, streams, deadline)
            except BaseException:
                _kill(process)
                raise
            if not in_time:
                _kill(process)
    finally:
        os.close(news)
    log = "\n".join([*causes, *tail])
    if not in_time:
        raise failures.Interrupted(failures.TOO_SLOW, detail=f"stopped after {wall_s:.0f} s\n{log}")
    if process.returncode:
        raise _explain(process.returncode, log)
    return Finished(log, reached_s)


def _launcher(cpu_s: int, limits: Limits) -> list[str]:
    # The hard limit a little above the soft one: SIGXCPU first, SIGKILL for whoever ignores it.
    return [
        "setpriv",
        "--pdeathsig=KILL",
        "--no-new-privs",
        "prlimit",
        f"--cpu={cpu_s}:{cpu_s + 5}",
        f"--as={limits.memory_bytes}",
        f"--fsize={limits.output_bytes}",
        "--core=0",
        "--",
    ]


class _Lines:
    """Cuts a stream of bytes into lines, however long a hostile tag makes them."""

    def __init__(self, listener: Callable[[str], None]) -> None:
        self.listener = listener
        self.rest = b""

    def take(self, block: bytes) -> None:
        """Hand on the lines that this block completes."""
        *lines, rest = (self.rest + block).split(b"\n")
        self.rest = rest[:LONGEST_LINE_BYTES]
        for line in lines:
            self.listener(line[:LONGEST_LINE_BYTES].decode("utf-8", "replace"))


def _read(
    process: subprocess.Popen[bytes], streams: dict[int, Callable[[bytes], None]], deadline: float
) -> bool:
    """Hand on every stream as it comes until all are closed; False when the deadline comes first."""
    with selectors.DefaultSelector() as selector:
        for descriptor, listener in streams.items():
            selector.register(descriptor, selectors.EVENT_READ, listener)
        while selector.get_map():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            for key, _ in selector.select(left_s):
                block = os.read(key.fd, BLOCK_BYTES)
                if block:
                    key.data(block)
                else:
                    selector.unregister(key.fd)
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # It ended by itself in this very moment, which is as good.
    process.wait()


def _explain(returncode: int, log: str) -> failures.Unplayable | failures.Interrupted:
    # ffmpeg catches this signal and leaves politely.
    if returncode == -signal.SIGXCPU or f"received signal {int(signal.SIGXCPU)}." in log:
        return failures.Unplayable(failures.TOO_MUCH_WORK, detail=log)
    if returncode == -signal.SIGXFSZ or "File too large" in log:
        return failures.Unplayable(failures.TOO_BIG, detail=log)
    if returncode in (126, 127):
        return failures.Interrupted(failures.NO_FFMPEG, detail=log)
    if returncode < 0 or "received signal" in log:
        return failures.Interrupted(failures.STOPPED, detail=f"signal {-returncode}\n{log}")
    return failures.from_stderr(log)


def version(ffmpeg: str) -> tuple[int, int]:
    """Major and minor version of this ffmpeg; raises ``Interrupted`` when it does not start."""
    text = _ask(ffmpeg, "-version")
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)", text)
    # Builds from the development branch have a date or a hash for a version, and are newer than any release.
    return (int(found[1]), int(found[2])) if found else (999, 0)


def shortcomings(ffmpeg: str) -> list[str]:
    """What keeps this ffmpeg from doing the work, as sentences for the operator; empty when all is well."""
    try:
        major, minor = version(ffmpeg)
        problems = []
        if (major, minor) < OLDEST_VERSION:
            problems.append(
                f"ffmpeg {major}.{minor} is too old; {OLDEST_VERSION[0]}.{OLDEST_VERSION[1]} or newer is needed."
            )
        for kind, names in NEEDED.items():
            known = {word for line in _ask(ffmpeg, f"-{kind}").splitlines() for word in line.split()[1:2]}
            problems += [
                f"This ffmpeg was built without the {kind[:-1]} {name!r}."
                for name in names
                if name not in known
            ]
        if "--enable-libsoxr" not in _ask(ffmpeg, "-buildconf"):
            problems.append("This ffmpeg was built without libsoxr, the resampler.")
        return problems
    except failures.Interrupted as exc:
        return [f"ffmpeg does not start: {exc.detail}"]


def _ask(ffmpeg: str, question: str) -> str:
    try:
        answer = subprocess.run(
            [*_launcher(10, DEFAULT_LIMITS), ffmpeg, "-hide_banner", question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=ENVIRONMENT,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise failures.Interrupted(failures.NO_FFMPEG, detail=f"{Path(ffmpeg).name}: {exc}") from exc
    return answer.stdout.decode("utf-8", "replace")
