"""The counts of all processes of a node in one folder, so that whichever is asked tells of all.

Each process writes into files of its own (prometheus_client's multiprocess mode); they are known by process and start, since numbers of
processes come again. What a process that is gone has counted is added to one file, for a sum that fell would look like a new beginning.
Two machines that share a data folder have a folder each.
"""

import fcntl
import functools
import logging
import os
import shutil
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from appliance import measures
from appliance.jobs.process import identity
from appliance.jobs.process import is_running

log = logging.getLogger(__name__)

FOLDER = Path("run") / "metrics"
ROOM_BYTES = {"counter": 1 << 18, "histogram": 1 << 21, "gauge_mostrecent": 1 << 16, "gauge_livesum": 1 << 16}
"""What is set aside for a process: it writes by way of memory, and on a full disk a page that has no place yet would kill it."""
GONE = "gone"
PATIENCE_S = 5.0
STRANGERS_KEPT_S = 30 * 24 * 3600

_shared: Path | None = None


def share(data: Path) -> None:
    """From now on this process counts in the data folder; before it counts anything, and once.

    Whoever comes first begins anew. Without room, the process counts for itself.
    """
    global _shared
    folder = data / FOLDER / socket.gethostname()
    try:
        _join(folder)
    except OSError as error:
        # A full disk must not keep a node from starting.
        log.warning("counts are not shared", extra={"why": str(error)})
        return
    for measure in measures.every():
        measure.clear()
    # prometheus_client asks the environment where its files are.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(_this_process)  # type: ignore[no-untyped-call]
    _shared = folder


def collect() -> list[Metric] | None:
    """What all processes of this node have counted, or ``None`` where this one counts for itself."""
    if _shared is None:
        return None
    with _held(_shared):
        _tidy(_shared)
        # One that is just being made is empty.
        files = [str(path) for path in _shared.glob("*.db") if path.stat().st_size]
        return list(MultiProcessCollector.merge(files))  # type: ignore[no-untyped-call]


def _join(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _held(folder):
        if any(not _is_gone(path) for path in folder.glob("*_*-*.db")):
            _tidy(folder)
        else:
            # Unread: what a power cut left may be anything.
            for path in folder.glob("*.db"):
                path.unlink()
        _forget_strangers(folder.parent, folder)
        # Within: whoever starts at the same time sees that somebody is here.
        _set_aside(folder)


def _this_process() -> str:
    return _named(os.getpid())


@functools.lru_cache(maxsize=4)
def _named(pid: int) -> str:
    """The name of this process in those of its files: asked for at every count, read once."""
    return "-".join(identity().rsplit(":", 2)[1:])


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Let nobody else read or tidy meanwhile; ``TimeoutError`` when somebody who stands still keeps us out."""
    deadline = time.monotonic() + PATIENCE_S
    with (folder / "lock").open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError("another process keeps the counts to itself") from None
            time.sleep(0.01)
        yield


def _set_aside(folder: Path) -> None:
    mine = _this_process()
    try:
        for kind, size in ROOM_BYTES.items():
            with (folder / f"{kind}_{mine}.db").open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, size)
    except OSError:
        for kind in ROOM_BYTES:
            (folder / f"{kind}_{mine}.db").unlink(missing_ok=True)
        raise


def _is_gone(path: Path) -> bool:
    """Whether the process that wrote this file runs no more."""
    pid, _, started = path.stem.rpartition("_")[2].partition("-")
    return pid.isdecimal() and not is_running(pid, started)


def _tidy(folder: Path) -> None:
    """Add the files of processes that are gone to one of each kind; of what only counts while it lives, nothing is kept."""
    for kind in ROOM_BYTES:
        gone = [path for path in folder.glob(f"{kind}_*-*.db") if _is_gone(path)]
        if gone and not kind.startswith("gauge_live"):
            kept = folder / f"{kind}_{GONE}.db"
            try:
                _write(kept, _added(kind, [kept, *gone]))
            except OSError as error:
                # They are read where they are, until there is room.
                log.warning("counts are not put together", extra={"why": str(error)})
                continue
        for path in gone:
            path.unlink()


def _added(kind: str, files: list[Path]) -> dict[str, tuple[float, float]]:
    """What the files come to: by key the value and its time, of gauges the latest."""
    sums: dict[str, tuple[float, float]] = {}
    for path in files:
        if not path.exists() or not path.stat().st_size:
            continue
        for key, value, at in _read(path):
            known = sums.get(key, (0.0, 0.0))
            if kind.startswith("gauge"):
                sums[key] = max(known, (value, at), key=lambda pair: pair[1])
            else:
                sums[key] = (known[0] + value, 0.0)
    return sums


def _read(path: Path) -> list[tuple[str, float, float]]:
    try:
        read: Any = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]
        return [(key, value, at) for key, value, at, _ in read]
    except (RuntimeError, ValueError, struct.error) as error:
        log.warning("counts that cannot be read are left out", extra={"file": path.name, "why": str(error)})
        return []


def _write(path: Path, sums: dict[str, tuple[float, float]]) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.unlink(missing_ok=True)
    with fresh.open("xb") as file:
        os.posix_fallocate(file.fileno(), 0, (1 << 16) + sum(len(key.encode()) + 64 for key in sums))
    made: Any = MmapedDict(str(fresh))  # type: ignore[no-untyped-call]
    for key, (value, at) in sums.items():
        made.write_value(key, value, at)
    made.close()
    fresh.replace(path)


def _forget_strangers(machines: Path, own: Path) -> None:
    """Remove the folders of machines that have not counted for long: each new container has another name."""
    for folder in machines.iterdir():
        newest = max((path.stat().st_mtime for path in folder.glob("*")), default=0.0)
        if folder != own and time.time() - newest > STRANGERS_KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)
