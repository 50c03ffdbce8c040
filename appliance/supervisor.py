"""A small supervisor: starts the processes of one node, restarts one that dies, and stops all of them together.

It holds the listening socket, so that a web process that dies loses its requests in hand but no new ones; and every child
holds the reading end of a pipe, so that all stop by themselves when the supervisor is killed.
"""

import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from appliance.errors import Unavailable

log = logging.getLogger(__name__)

STOP_WITHIN_S = 15.0
CALM_S = 10.0
LONGEST_WAIT_S = 10.0


@dataclass(slots=True)
class Child:
    """One process of the node and how often it died of late."""

    name: str
    arguments: Sequence[str]
    pid: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0
    deaths: int = 0
    starts: int = 0


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket; ``Unavailable`` says why there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise Unavailable(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from error
    made.listen(1024)
    return made


def run(children: Sequence[Child], *, inherited: Sequence[int] = (), wrong: int = 2) -> int:
    """Keep *children* running until SIGTERM or SIGINT, then stop them and return 0; *inherited* are descriptors they need.

    A child that keeps dying is restarted ever more slowly, up to every ten seconds: a full disk heals, a busy loop does not. Nor does
    a wrong setting: a child that ends with the code *wrong* when it is started for the first time stops them all, and *wrong* is
    returned.
    """
    reading, writing = os.pipe()
    # The writing end stays uninheritable: were a child to hold it, nobody would ever see it close.
    for descriptor in (reading, *inherited):
        os.set_inheritable(descriptor, True)
    wake_reading, wake_writing = os.pipe()
    os.set_blocking(wake_writing, False)
    signal.set_wakeup_fd(wake_writing)
    stopping: list[int] = []

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.append(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    signal.signal(signal.SIGCHLD, lambda signum, frame: None)
    for child in children:
        _start(child, reading)
    while not stopping:
        due = [child.restart_at for child in children if not child.pid]
        timeout_s = max(0.0, min(due) - time.monotonic()) if due else 60.0
        ready, _, _ = select.select([wake_reading], [], [], timeout_s)
        if ready:
            os.read(wake_reading, 1024)
        if _reap(children, wrong):
            break
        for child in children:
            if not child.pid and child.restart_at <= time.monotonic() and not stopping:
                _start(child, reading)
    _stop_all(children)
    for descriptor in (reading, writing, wake_reading, wake_writing):
        os.close(descriptor)
    return 0 if stopping else wrong


def _start(child: Child, lifeline: int) -> None:
    argv = [sys.executable, "-m", "appliance", *child.arguments, "--lifeline", str(lifeline)]
    # Children get SIGINT from us, not from the terminal: Ctrl-C must stop them in order.
    child.pid = os.posix_spawn(
        sys.executable, argv, os.environ, setpgroup=0, setsigdef=[signal.SIGINT, signal.SIGTERM]
    )
    child.started_at = time.monotonic()
    child.starts += 1
    log.info("started", extra={"child": child.name, "pid": child.pid})


def _reap(children: Sequence[Child], wrong: int) -> bool:
    """Note who ended and when they start again; True when one found at its first start that nothing can work."""
    for child in children:
        if not child.pid:
            continue
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if not pid:
            continue
        lived_s = time.monotonic() - child.started_at
        child.deaths = 1 if lived_s > CALM_S else child.deaths + 1
        wait_s = min(LONGEST_WAIT_S, 0.1 * 2 ** (child.deaths - 1))
        child.pid, child.restart_at = 0, time.monotonic() + wait_s
        code = os.waitstatus_to_exitcode(status)
        if code == wrong and child.starts == 1:
            return True  # It has said on standard error what is wrong.
        log.error(
            "a process ended and is restarted", extra={"child": child.name, "exit": code, "wait_s": wait_s}
        )
    return False


def _stop_all(children: Sequence[Child]) -> None:
    log.info("stopping")
    for child in children:
        if child.pid:
            os.kill(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN_S
    while any(child.pid for child in children):
        for child in children:
            if child.pid and os.waitpid(child.pid, os.WNOHANG)[0]:
                child.pid = 0
            elif child.pid and time.monotonic() > deadline:
                log.warning("killed, for it did not stop in time", extra={"child": child.name})
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
                child.pid = 0
        time.sleep(0.02)


def follow_lifeline(descriptor: int | None) -> None:
    """In a child: stop in order when the supervisor is gone, however it went."""
    if descriptor is None:
        return
    inherited = descriptor
    os.set_inheritable(inherited, False)

    def watch() -> None:
        # Nobody ever writes: reading returns when the last writing end is closed, which is the supervisor's.
        os.read(inherited, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def tell_ready() -> None:
    """Tell systemd, where it started this process and wants to know (``Type=notify``), that work can begin."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        try:
            # A leading @ stands for the null byte of Linux's abstract names (sd_notify(3)).
            told.sendto(b"READY=1", "\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            # Not to be heard is no reason not to work.
            log.warning("readiness not told", extra={"why": str(error)})


def become(module: str, arguments: Sequence[str], said: Mapping[str, str]) -> NoReturn:
    """Turn this process into a program of Python's, which is told *said* by its environment."""
    argv = [sys.executable, "-m", module, *arguments]
    os.execve(sys.executable, argv, {**os.environ, **said})  # noqa: S606 - a list, and ours
