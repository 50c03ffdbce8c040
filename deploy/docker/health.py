"""What Docker asks of a container every few seconds: does the web server answer, or, of a worker, does it still wake?

Only with what comes with Python, since it starts every few seconds; exit code 1, with the reason, when it is not well.
"""

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PROCESSES = Path("/proc")
ASKED_WITHIN_S = 4
WATCHED_S = 3.0
"""The main thread of a worker wakes once a second."""


def main() -> str:
    """Why the container is not well; nothing when it is."""
    # The first process is musicconnect itself, or an init that has the same words.
    if b"worker" in words(PROCESSES / "1"):
        return worker()
    return web(os.environ.get("MUSICCONNECT_PORT", "8000"))


def web(port: str) -> str:
    """The web server is asked; by number, which it always answers to."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/health")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ASKED_WITHIN_S):
            return ""
    except (OSError, urllib.error.HTTPError) as error:
        return f"the web server on port {port} does not answer: {error}"


def worker() -> str:
    """The worker has no port: its main thread must have been on the processor since we looked."""
    found = [path for path in PROCESSES.glob("[0-9]*") if is_worker(words(path))]
    if not found:
        return "no worker runs"
    before = naps(found[0])
    end = time.monotonic() + WATCHED_S
    while time.monotonic() < end:
        time.sleep(0.2)
        if naps(found[0]) != before:
            return ""
    return f"the worker has not moved for {WATCHED_S:g} seconds"


def words(process: Path) -> list[bytes]:
    """The command line of *process*; nothing when it has gone."""
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def is_worker(argv: list[bytes]) -> bool:
    """Whether these are the words of the worker itself, and not of an init in front of it."""
    return b"worker" in argv[1:] and Path(os.fsdecode(argv[0])).name.startswith("python")


def naps(process: Path) -> str:
    """How often the main thread of *process* went to sleep by itself."""
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("voluntary_ctxt_switches")), "")


if __name__ == "__main__":
    reason = main()
    print(reason or "well")
    sys.exit(1 if reason else 0)
