"""The walls that can stand around a program, and the command lines that build them.

``bubblewrap`` gives the program an empty machine: its own view of files, processes and network. ``landlock`` forbids the same to a program
that stays where it is, and needs no right that containers withhold. ``off`` leaves the bounds alone.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from appliance.errors import Unavailable
from appliance.sandbox import filtering
from appliance.sandbox.room import DEVICES
from appliance.sandbox.room import Bounds
from appliance.sandbox.room import Room

LAUNCHER = Path(__file__).with_name("launcher.py")
FIRST_WORDS = (b"bwrap: ", b"sandbox: ", b"setpriv: ", b"prlimit: ")
"""With one of these begins what a wall says that does not stand; the program behind it never ran."""


class Wall(StrEnum):
    """What stands around a program, the strongest first."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    OFF = "off"


def command(
    wall: Wall, argv: Sequence[str], room: Room, bounds: Bounds, *, seccomp_fd: int | None
) -> list[str]:
    """The whole command line: it dies with who started it, keeps to its bounds, builds the wall, and becomes *argv*.

    ``setpriv`` (util-linux) asks the kernel for the death before it becomes ``prlimit``, so that no Python runs between fork and exec.
    """
    for path in (*room.reads, *((room.folder,) if room.folder else ())):
        if path.is_symlink():
            raise Unavailable("A link leads elsewhere, so it is not opened.")
    deadly = ["setpriv", "--pdeathsig=KILL"]
    if wall is Wall.BUBBLEWRAP:
        # It forbids new rights itself, and needs one where it is installed setuid.
        return [*deadly, *bounds.command(), *_bubblewrap(room, seccomp_fd), *argv]
    if wall is Wall.LANDLOCK:
        return [*deadly, "--no-new-privs", *bounds.command(), *_landlock(room), *argv]
    return [*deadly, "--no-new-privs", *bounds.command(), *argv]


def _bubblewrap(room: Room, seccomp_fd: int | None) -> list[str]:
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL"]
    for path in room.shown():
        if path.is_symlink() and path.parent == Path("/"):
            words += ["--symlink", str(path.readlink()), str(path)]  # /lib -> usr/lib
        else:
            words += ["--ro-bind", str(path), str(path)]
    for name in DEVICES:
        words += ["--dev-bind", name, name]
    if room.folder:
        words += ["--bind", str(room.folder), str(room.folder)]
        # Once more, for one that lies in the folder, where all may be written.
        for path in room.reads:
            if path.is_relative_to(room.folder):
                words += ["--ro-bind", str(path), str(path)]
    if seccomp_fd is not None:
        words += ["--seccomp", str(seccomp_fd)]
    # What bubblewrap keeps its view in is memory, which nobody shall fill.
    return [*words, "--remount-ro", "/", "--chdir", str(room.folder or "/"), "--"]


def _landlock(room: Room) -> list[str]:
    filter_ = filtering.program(own_signals=True)
    if filter_ is None:
        raise Unavailable("The system calls of this machine are not known.")
    paths = [f"r{path}" for path in (*room.shown(), *DEVICES)]
    if room.folder:
        paths.append(f"w{room.folder}")
    return [python(), "-I", "-S", str(LAUNCHER), filter_.hex(), *paths, "--"]


def python() -> str:
    """The interpreter itself, without the environment it is linked into."""
    return os.path.realpath(sys.executable)


def python_files() -> tuple[Path, ...]:
    """What Python needs to run: itself, its library, and the library it is linked with, where it is."""
    shared = Path(sysconfig.get_config_var("LIBDIR") or "", sysconfig.get_config_var("INSTSONAME") or "none")
    found = (Path(python()), Path(sysconfig.get_path("stdlib")), shared)
    return tuple(path for path in found if path.exists())
