"""Run ffmpeg on untrusted files, in the sandbox, with limits that grow with the sound."""

from __future__ import annotations

import collections
import os
import re
import shutil
import signal
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance import sandbox
from transcoder import failures
from transcoder.limits import DEFAULT_LIMITS
from transcoder.limits import Limits

TAIL_LINES = 40
MOST_CAUSES = 10
LONGEST_LINE_BYTES = 4096
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
    reads: Sequence[Path] = (),
    folder: Path | None = None,
    on_progress: Callable[[float], None] = lambda reached_s: None,
    on_line: Callable[[str], None] = lambda line: None,
    on_bytes: Callable[[bytes], None] | None = None,
) -> Finished:
    """Run ffmpeg to its end and say how far it got.

    It sees the files in *reads* and *folder*, where it may write and where relative names are found. *on_progress* gets the seconds of
    sound done, about twice a second; what it raises stops ffmpeg and is passed on. *on_line* gets each line of ffmpeg's log, *on_bytes*
    what it writes to ``pipe:1``. Raises ``Unplayable`` when the file is at fault and ``Interrupted`` when the machine is.
    """
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

    bounds = _bounds(limits, cpu_s=limits.cpu_for(sound_s), wall_s=limits.wall_for(sound_s))
    ended = _start(
        ffmpeg,
        lambda news: [*PREAMBLE, "-progress", f"pipe:{news}", *arguments],
        reads=reads,
        folder=folder,
        bounds=bounds,
        on_news=_Lines(see).take,
        on_stderr=_Lines(hear).take,
        on_stdout=on_bytes,
    )
    log = "\n".join([*causes, *tail])
    if not ended.in_time:
        raise failures.Interrupted(failures.TOO_SLOW, detail=f"stopped after {bounds.wall_s:.0f} s\n{log}")
    if ended.returncode:
        raise _explain(ended.returncode, log)
    if folder and any(entry.is_symlink() for entry in os.scandir(folder)):
        # ffmpeg makes none: whoever took it over wants us to read and publish another file.
        raise failures.Unplayable(failures.NOT_AUDIO, detail="a link lay among what was made")
    return Finished(log, reached_s)


def _start(
    ffmpeg: str,
    arguments: Callable[[int], Sequence[str]],
    *,
    bounds: sandbox.Bounds,
    on_stderr: Callable[[bytes], None],
    on_stdout: Callable[[bytes], None] | None = None,
    on_news: Callable[[bytes], None] | None = None,
    reads: Sequence[Path] = (),
    folder: Path | None = None,
) -> sandbox.Ended:
    program = shutil.which(ffmpeg, path=os.defpath)
    if program is None:
        raise failures.Interrupted(failures.NO_FFMPEG, detail=f"{Path(ffmpeg).name} is not there")
    try:
        return sandbox.run(
            sandbox.chosen(),
            lambda news: [program, *arguments(news)],
            room=sandbox.Room(program=(Path(program),), reads=tuple(reads), folder=folder),
            bounds=bounds,
            on_stderr=on_stderr,
            on_stdout=on_stdout,
            on_news=on_news,
        )
    except sandbox.NotStarted as exc:
        raise failures.Interrupted(failures.NO_FFMPEG, detail=exc.detail) from exc


def _bounds(limits: Limits, *, cpu_s: int, wall_s: float) -> sandbox.Bounds:
    return sandbox.Bounds(
        cpu_s=cpu_s, wall_s=wall_s, memory_bytes=limits.memory_bytes, file_bytes=limits.output_bytes
    )


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
    told, complaint = bytearray(), bytearray()
    ended = _start(
        ffmpeg,
        lambda news: ["-hide_banner", question],
        bounds=_bounds(DEFAULT_LIMITS, cpu_s=10, wall_s=20),
        on_stdout=told.extend,
        on_stderr=complaint.extend,
    )
    if ended.returncode or not ended.in_time:
        detail = complaint[:LONGEST_LINE_BYTES].decode("utf-8", "replace")
        raise failures.Interrupted(failures.NO_FFMPEG, detail=f"{Path(ffmpeg).name}: {detail}")
    return told.decode("utf-8", "replace")
