"""The system calls that a decoder has no business with, as a seccomp program (seccomp(2), bpf(4)).

A call that is named here fails with EPERM, as if the user lacked the right. New processes and sockets are the ones that count: a
decoder may make threads, and nothing else.
"""

from __future__ import annotations

import errno
import platform
import struct

# What a call is named -> its number on x86_64 and on aarch64; None where the kernel has no such call.
FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "fork": (57, None), "vfork": (58, None),
    "symlink": (88, None), "symlinkat": (266, 36), "link": (86, None), "linkat": (265, 37),
    "mknod": (133, None), "mknodat": (259, 33),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "setsid": (112, 157), "setpgid": (109, 154),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsmount": (432, 432),
    "unshare": (272, 97), "setns": (308, 268), "open_by_handle_at": (304, 265),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "kexec_load": (246, 104), "init_module": (175, 105), "finit_module": (313, 273),
}  # fmt: skip
CLONE = (56, 220)
CLONE3 = 435
TGKILL = (234, 131)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
CLONE_THREAD = 0x10000
X32_BIT = 0x40000000
OWN_PID = 0x5A5A5A5A
"""Stands in the program for the number of the process that takes it on, which only that one knows."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_REFUSED, _UNKNOWN = _FAIL | errno.EPERM, _FAIL | errno.ENOSYS


def program(*, own_signals: bool) -> bytes | None:
    """The filter for this machine, or None when its numbers are not known here.

    With *own_signals* the process may signal only itself: for where it sees others. What is loaded replaces ``OWN_PID``.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None:
        return None
    column, architecture = machine
    lines = [
        _line(_LOAD, _ARCHITECTURE),
        _line(_EQUAL, architecture, yes=1),
        _line(_RETURN, _REFUSED),
        _line(_LOAD, _NUMBER),
        # The second set of numbers that x86_64 has would pass by all others.
        _line(_AT_LEAST, X32_BIT, no=1),
        _line(_RETURN, _REFUSED),
        # Its flags lie in memory, where no filter can look; without it, libraries take the older call.
        _line(_EQUAL, CLONE3, no=1),
        _line(_RETURN, _UNKNOWN),
    ]
    for numbers in FORBIDDEN.values():
        number = numbers[column]
        if number is not None:
            lines += [_line(_EQUAL, number, no=1), _line(_RETURN, _REFUSED)]
    if own_signals:
        lines += [
            _line(_EQUAL, TGKILL[column], no=4),
            _line(_LOAD, _FIRST_ARGUMENT),
            _line(_EQUAL, OWN_PID, yes=1),
            _line(_RETURN, _REFUSED),
            _line(_RETURN, _ALLOW),
        ]
    lines += [
        _line(_EQUAL, CLONE[column], no=3),
        _line(_LOAD, _FIRST_ARGUMENT),
        _line(_ANY_BIT, CLONE_THREAD, yes=1),
        _line(_RETURN, _REFUSED),
        _line(_RETURN, _ALLOW),
    ]
    return b"".join(lines)


def _line(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction: *yes* and *no* are how many of the next ones a comparison leaves out."""
    return struct.pack("=HBBI", code, yes, no, value)
