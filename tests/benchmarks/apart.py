"""Measuring in a process with a network of its own, whose packets are as long as Ethernet's.

The loopback's are 64 KiB: a response is one and a half of them, and Linux acknowledges such halves up to 44 ms late. That wait comes and
goes for plain files too, and would be what is measured. Where no network can be made, the loopback has to do.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.benchmarks.figures import Figure

CLONE_NEWNET = 0x40000000
ETHERNET_MTU = 1500


def apart(measure: Callable[[], list[Figure]]) -> list[Figure]:
    """What *measure*, a function of a module, finds there."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork"), initializer=_use_own_network) as there:
        return there.submit(measure).result()


def _use_own_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and shutil.which("ip") and libc.unshare(CLONE_NEWNET) == 0:
        subprocess.run(["ip", "link", "set", "lo", "mtu", str(ETHERNET_MTU), "up"], check=True, timeout=10)
