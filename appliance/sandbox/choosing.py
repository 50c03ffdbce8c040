"""Which wall this process builds: the one that was asked for or the best that stands here, found out once by trying."""

from __future__ import annotations

import functools
import logging
import tempfile
from pathlib import Path

from appliance.errors import Unavailable
from appliance.sandbox.room import Bounds
from appliance.sandbox.room import Room
from appliance.sandbox.running import run
from appliance.sandbox.walls import Wall

log = logging.getLogger(__name__)

AUTO = "auto"
_TRIAL = Bounds(cpu_s=5, wall_s=10, memory_bytes=1 << 30, file_bytes=1 << 20)
# One file is in the view, the other is not; and nobody may make a process.
_SCRIPT = 'if true <"$2"; then echo "the wall has a hole" >&2; exit 3; fi; true <"$1"'

_wish = AUTO


def use(wish: str) -> None:
    """Take the wall of the setting ``sandbox``, or with ``auto`` the best that this machine can build."""
    global _wish
    _wish = wish


def chosen() -> Wall:
    """The wall in use; ``Unavailable`` when the one that was asked for does not stand here."""
    return choose(_wish)


@functools.lru_cache(maxsize=8)
def choose(wish: str) -> Wall:
    """The wall for this wish; what the machine can build is tried once in a process."""
    if wish == Wall.OFF:
        return Wall.OFF
    for wall in (Wall.BUBBLEWRAP, Wall.LANDLOCK) if wish == AUTO else (Wall(wish),):
        why = fault(wall)
        if not why:
            return wall
        log.info("sandbox not usable", extra={"wall": str(wall), "why": why})
    if wish != AUTO:
        raise Unavailable(
            "The sandbox '{wall}' does not work on this machine, so no file of others is opened.", wall=wish
        )
    log.warning(
        "NO SANDBOX: what strangers send is decoded with limits alone, and a fault in a decoder could reach all files of this "
        "server; install bubblewrap, or run a kernel with Landlock"
    )
    return Wall.OFF


def fault(wall: Wall) -> str:
    """Why *wall* does not hold here; empty when it does: a file inside is read, one outside is not."""
    said: list[bytes] = []
    with tempfile.TemporaryDirectory() as name:
        inside, outside = Path(name, "inside"), Path(name, "outside")
        inside.touch()
        outside.touch()
        try:
            ended = run(
                wall,
                lambda news: ["/bin/sh", "-c", _SCRIPT, "try", str(inside), str(outside)],
                room=Room(program=(), reads=(inside,)),
                bounds=_TRIAL,
                on_stderr=said.append,
            )
        except Unavailable as error:
            return getattr(error, "detail", "") or str(error)
    told = b"".join(said).decode("utf-8", "replace").strip()
    return "" if ended.in_time and ended.returncode == 0 else told or f"exit code {ended.returncode}"
