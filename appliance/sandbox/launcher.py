"""Take on Landlock and the filter of system calls, then become the program: ``python -I -S launcher.py FILTER PATH… -- PROGRAM …``.

A script of its own, with what comes with Python alone, so that nothing runs between fork and exec in a process with threads. A PATH begins
with ``r`` (may be read and run) or ``w`` (a folder to write in). What keeps a wall from standing ends it with 127.
"""

import ctypes
import os
import stat
import struct
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every machine
CREATE_VERSION, PATH_BENEATH = 1, 1
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER_MODE = 38, 22, 2

# The rights of Landlock (landlock(7)), as bits.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
READING = EXECUTE | READ_FILE | READ_DIR
# No links, sockets and devices: whoever reads the folder afterwards must not be led out of it.
WRITING = READING | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
OWN_PID = struct.pack("=I", 0x5A5A5A5A)  # as in filtering.py

_libc = ctypes.CDLL(None, use_errno=True)


def known_rights(version: int) -> int:
    """Every right that this version of Landlock can withhold."""
    return (1 << 13) - 1 | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0) | (
        IOCTL_DEV if version >= 5 else 0
    )  # fmt: skip


def wall_off(reads: list[str], writes: list[str]) -> None:
    """Leave this process nothing but *reads* and *writes*, no TCP, and no signal to others, as far as the kernel knows how."""
    version = _call(CREATE_RULESET, None, 0, CREATE_VERSION)
    rights = known_rights(version)
    # struct landlock_ruleset_attr grew: rights on files, then on TCP, then sockets by name and signals.
    fields = [rights, *([3] if version >= 4 else []), *([3] if version >= 6 else [])]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = _call(CREATE_RULESET, attributes, len(attributes), 0)
    for path in reads:
        _allow(ruleset, path, READING & rights)
    for path in writes:
        _allow(ruleset, path, WRITING & rights)
    _call(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= OF_A_FILE
    if path.startswith("/dev/"):
        rights |= WRITE_FILE
    _call(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    os.close(descriptor)


def forbid(program: bytes) -> None:
    """Load the filter; it holds for every program that this one becomes."""
    program = program.replace(OWN_PID, struct.pack("=I", os.getpid()))
    kept = ctypes.create_string_buffer(program)
    attributes = struct.pack("@HP", len(program) // 8, ctypes.addressof(kept))
    if _libc.prctl(PR_SET_SECCOMP, FILTER_MODE, ctypes.c_char_p(attributes), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of system calls cannot be loaded")


def _call(number: int, *arguments: int | bytes | None) -> int:
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"Landlock: {os.strerror(error)}")
    return result


def main(words: list[str]) -> None:
    """Build the walls that *words* describe and become the program behind ``--``."""
    rest = words.index("--")
    paths, argv = words[1:rest], words[rest + 1 :]
    try:
        if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "no_new_privs")
        wall_off(
            [path[1:] for path in paths if path[0] == "r"], [path[1:] for path in paths if path[0] == "w"]
        )
        forbid(bytes.fromhex(words[0]))
        os.execv(argv[0], argv)  # noqa: S606 - the very purpose
    except OSError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
