"""The only module that starts a process: one run behind a wall, heard until its end.

Every run has its bounds, no terminal, a clean environment and a process group of its own, and dies with the process that
started it, even when that is killed with -9 (``preexec_fn`` would be unsafe beside threads).
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.errors import Unavailable
from appliance.sandbox import filtering
from appliance.sandbox import walls
from appliance.sandbox.room import Bounds
from appliance.sandbox.room import Room
from appliance.sandbox.walls import Wall

BLOCK_BYTES = 1 << 16
# No HOME, no proxies, no secrets: a run depends on its arguments alone.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
HEARD_FIRST_BYTES = 400

Listener = Callable[[bytes], None]


class NotStarted(Unavailable):
    """The program never ran, for want of itself or of a wall; *detail* is for the log only."""

    def __init__(self, detail: str) -> None:
        super().__init__("The server cannot start a program just now; try again later.")
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit code, or the negative number of the signal that ended it; *in_time* unless it was stopped."""

    returncode: int
    in_time: bool


def run(
    wall: Wall,
    argv: Callable[[int], Sequence[str]],
    *,
    room: Room,
    bounds: Bounds,
    on_stderr: Listener,
    on_stdout: Listener | None = None,
    on_news: Listener | None = None,
    stdin: bytes | None = None,
) -> Ended:
    """Run a program behind *wall* to its end.

    *argv* gets the number of a pipe whose other end *on_news* hears. What a listener raises stops the program and is passed on. Raises
    ``NotStarted``.
    """
    deadline = time.monotonic() + bounds.wall_s
    first = bytearray()

    def hear(block: bytes) -> None:
        if len(first) < HEARD_FIRST_BYTES:
            first.extend(block[:HEARD_FIRST_BYTES])
        on_stderr(block)

    news, newswire = os.pipe()
    # Their ends in the child: closed here as soon as it has them.
    given = [newswire]
    try:
        try:
            seccomp = _filter_pipe() if wall is Wall.BUBBLEWRAP else None
            given += [seccomp] if seccomp is not None else []
            source = _memory(stdin) if stdin is not None else None
            given += [source] if source is not None else []
            process = subprocess.Popen(
                walls.command(wall, argv(newswire), room, bounds, seccomp_fd=seccomp),
                stdin=subprocess.DEVNULL if source is None else source,
                stdout=subprocess.PIPE if on_stdout else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                cwd=room.folder,
                pass_fds=[newswire, *([seccomp] if seccomp is not None else [])],
                process_group=0,
            )
        except OSError as error:
            raise NotStarted(str(error)) from error
        finally:
            for descriptor in given:
                os.close(descriptor)
        assert process.stderr
        streams: dict[int, Listener] = {
            news: on_news or (lambda block: None),
            process.stderr.fileno(): hear,
        }
        if process.stdout and on_stdout:
            streams[process.stdout.fileno()] = on_stdout
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
    code = process.returncode
    if code and first.startswith(walls.FIRST_WORDS):
        raise NotStarted(first.decode("utf-8", "replace"))
    if wall is Wall.BUBBLEWRAP and 128 < code < 160:
        code = 128 - code  # as a shell tells a signal
    return Ended(code, in_time)


def _filter_pipe() -> int | None:
    """A pipe that holds the filter of system calls for bubblewrap; None where there is none for this machine."""
    program = filtering.program(own_signals=False)
    if program is None:
        return None
    reading, writing = os.pipe()
    os.write(writing, program)  # a few hundred bytes, which every pipe takes at once
    os.close(writing)
    return reading


def _memory(content: bytes) -> int:
    descriptor = os.memfd_create("stdin")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _read(process: subprocess.Popen[bytes], streams: dict[int, Listener], deadline: float) -> bool:
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
