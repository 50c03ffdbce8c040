"""Who holds a lease: a process, told apart from a later one with the same number, and from one of another machine of the same name."""

import hashlib
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
NUMBERS = Path("/proc/self/ns/pid")
MOUNTS = Path("/proc/self/mountinfo")
_MADE_ID = re.compile(r"[0-9a-f]{32}")
_NAMED_BY_DOCKER = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where processes have their numbers: a machine, since it was started, and a namespace in it."""

    machine: str
    boot: str
    numbers: str

    def __str__(self) -> str:
        return f"{self.machine}.{self.boot}.{self.numbers}"


@dataclass(frozen=True, slots=True)
class _Owner:
    """An identity that was read; of one that an earlier version wrote nobody knows the place."""

    host: str
    place: _Place | None
    pid: str
    started: str


def identity() -> str:
    """This process by host, place, pid and start time; at most 120 letters, of which a host has 64."""
    # Earlier versions look for a number after the host, find the place, and leave the process to its lease.
    return f"{socket.gethostname()}:{_here()}:{os.getpid()}:{_started(str(os.getpid()))}"


def is_gone(owner: str) -> bool:
    """Whether *owner* surely runs no more: it was of this machine, whose numbers we see or which was started anew.

    Of all others only the lease can tell: two machines may have one name, and containers of one kernel see numbers of their own.
    """
    found, here = _read(owner), _here()
    if found.host != socket.gethostname() or found.place is None or not (found.place.boot and here.boot):
        return False
    if found.place == here:
        return bool(here.numbers) and found.pid.isdecimal() and not is_running(found.pid, found.started)
    if not here.machine or found.place.machine != here.machine:
        return False
    # A machine may have several namespaces at a time, a container has one.
    return found.place.boot != here.boot or not _machine_id()


def is_left_over(owner: str) -> bool:
    """Whether *owner* had the name of this machine and is not found among its processes: enough for a list, not to take its work over.

    Beside those that are gone these are processes of another namespace, most likely of before it began anew, and what an earlier version wrote.
    """
    found, here = _read(owner), _here()
    if found.host != socket.gethostname():
        return False
    if found.place is None:
        return found.pid.isdecimal() and not is_running(found.pid, found.started)
    elsewhere = found.place.machine == here.machine and found.place.numbers != here.numbers
    return is_gone(owner) or (bool(here.machine) and elsewhere)


def is_of_here(owner: str) -> bool:
    """Whether *owner* is, or may be, a process of this machine."""
    found = _read(owner)
    known = found.place is None or found.place.machine == _here().machine
    return found.host == socket.gethostname() and known


def named(owner: str) -> str:
    """*owner* as a person may look for it: host and number."""
    found = _read(owner)
    return f"{found.host}:{found.pid}" if found.pid else found.host


def is_running(pid: str, started: str) -> bool:
    """Whether the process of this number that began then runs here; one of which nobody knows when it began may."""
    return not started or _started(pid) == started


def _read(owner: str) -> _Owner:
    host, *rest = owner.split(":")
    place = None
    if len(rest) > 2 and rest[0].count(".") == 2:
        place = _Place(*rest.pop(0).split("."))
    return _Owner(host, place, *[*rest, "", ""][:2])


def _here() -> _Place:
    try:
        numbers = NUMBERS.readlink().name.strip("pid:[]")
    except OSError:
        numbers = ""
    # What tells machines apart is not to be told (machine-id(5)), and need not be told whole.
    return _Place(_digest(_machine_id() or _container()), _digest(_content(BOOT_ID)), numbers)


def _machine_id() -> str:
    """What is the machine's own; an image has none, and during a first start all machines say "uninitialized"."""
    found = _content(MACHINE_ID)
    return found if _MADE_ID.fullmatch(found) else ""


def _container() -> str:
    """What a container has for itself as long as it lasts: the name that Docker made, which others may share with it, and its root."""
    if not _NAMED_BY_DOCKER.fullmatch(socket.gethostname()):
        return ""
    for line in _content(MOUNTS).splitlines():
        # proc(5): fields 4 and 5 are where in its file system it begins, and where it is; what that is stands behind a dash.
        about, _, what = line.partition(" - ")
        if about.split()[4:5] == ["/"]:
            return f"{socket.gethostname()} {about.split()[3]} {what}"
    return ""


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def _digest(told: str) -> str:
    return hashlib.sha256(f"musicconnect {told}".encode()).hexdigest()[:8] if told else ""


def _started(pid: str) -> str:
    try:
        # proc(5): fields 3 and 22 are state and start time; the name in field 2 may hold spaces, so count from its bracket.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # A killed process that its parent has not yet buried works no more.
        return "" if fields[0] in {"Z", "X"} else fields[19]
    except (OSError, IndexError):
        return ""
