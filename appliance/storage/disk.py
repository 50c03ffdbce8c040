"""The disk below the local store: what its errors mean, and files that are not objects yet.

A file on its way in is locked (``flock``) by the process that writes it. That tells a living writer, however
slow, from a dead one better than any age would: a lock ends with its process, even on ``kill -9``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from typing import IO

from appliance.errors import Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def disk_unavailable(error: OSError) -> Unavailable:
    """*error* as a plain sentence; it never tells a path, since anybody may come to read it."""
    if error.errno in _FULL:
        return Unavailable("The storage disk is full. Nothing was stored; free some space and try again.")
    if error.errno in _FORBIDDEN:
        return Unavailable(
            "The storage folder must be readable and writable for the account of MusicConnect."
        )
    if error.errno == errno.EXDEV:
        return Unavailable("The storage folder must be one file system, without others mounted inside it.")
    return Unavailable(f"The storage disk failed: {os.strerror(error.errno or errno.EIO)}.")


@contextlib.contextmanager
def plain_disk_errors() -> Iterator[None]:
    """Turn what the disk says into ``Unavailable``, with the cause kept."""
    try:
        yield
    except OSError as error:
        raise disk_unavailable(error) from error


@contextlib.contextmanager
def incoming_file(folder: str) -> Iterator[IO[bytes]]:
    """A new, locked file in *folder*; it is removed at the end, unless it was renamed meanwhile."""
    with plain_disk_errors():
        file = _locked_file(folder)
    try:
        yield file
    finally:
        # Remove before closing: closing may flush, and fail once more on a full disk.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(file.name)
        with contextlib.suppress(OSError):
            file.close()


def sweep(folder: str) -> int:
    """Remove what dead writers left in *folder*; returns how many files that were."""
    removed = 0
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with contextlib.suppress(FileNotFoundError, BlockingIOError), open(path, "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
            removed += 1
    return removed


def opened_path(descriptor: int, path: str) -> str:
    """Where the file opened as *path* really is, with every link on the way followed."""
    try:
        # What was opened, not what is there by now; and a third of the cost of following the links again.
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return os.path.realpath(path)


def make_folder(path: str) -> None:
    """Make the folder and those above it, so that a power cut cannot take them back."""
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    except FileNotFoundError:
        make_folder(os.path.dirname(path))
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
    sync_folder(os.path.dirname(path))


def sync_folder(path: str) -> None:
    """Write the folder's list of names to the disk: a rename lasts only from then on."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_file(folder: str) -> IO[bytes]:
    while True:
        file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 (closed by incoming_file)
        fcntl.flock(file, fcntl.LOCK_EX)
        # A sweep may have taken the file between its making and its locking; then start again.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()
