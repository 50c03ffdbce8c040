"""Who holds a lease: a process, told apart from a later one with the same number."""

import os
import socket
from pathlib import Path


def identity() -> str:
    """This process by host, pid and start time."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Whether *owner* was a process of this host and runs no more; of other hosts only the lease can tell."""
    host, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    return host == socket.gethostname() and pid.isdigit() and bool(started) and _started(int(pid)) != started


def _started(pid: int) -> str:
    try:
        # proc(5): fields 3 and 22 are state and start time; the name in field 2 may hold spaces, so count from its bracket.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # A killed process that its parent has not yet buried works no more.
        return "" if fields[0] in {"Z", "X"} else fields[19]
    except (OSError, IndexError):
        return ""
