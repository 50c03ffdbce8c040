"""The object store in a folder: a key is the path of a plain file below it.

Whatever can read a file can read an object (a web server's ``sendfile``, ``rsync``, ``sha256sum``). An object
is written to ``.incoming`` in the same folder, synced to the disk, and renamed into its place.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
from collections.abc import Callable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from typing import cast

from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.storage import checking
from appliance.storage import disk
from appliance.storage import labels
from appliance.storage import streams
from appliance.storage.labels import Label
from appliance.storage.objects import Seen
from appliance.storage.objects import StoredObject
from appliance.storage.objects import validate_content_type
from appliance.storage.objects import validate_key
from appliance.storage.objects import validate_prefix
from appliance.storage.objects import validate_range

log = logging.getLogger(__name__)

# Nothing is ever written to a stored object; nginx may read it, as far as the folder lets it in.
_MODE = 0o644
_RENAME_TRIES = 10


class LocalStore:
    """Objects as files below *root*, which is made when it is missing.

    With *attributes* false labels are always kept in files, as on a file system without extended attributes.
    """

    def __init__(self, root: Path, *, attributes: bool = True) -> None:
        with disk.plain_disk_errors():
            root.mkdir(parents=True, exist_ok=True)
            self._root = os.path.realpath(root)
            self._inside = self._root.rstrip("/") + "/"
            self._incoming = self._inside + ".incoming"
            os.makedirs(self._incoming, mode=0o700, exist_ok=True)
            self._device = os.stat(self._root).st_dev
            disk.sweep(self._incoming)
        self._attributes = attributes

    @property
    def root(self) -> Path:
        """The folder, for a web server that hands out its files itself."""
        return Path(self._root)

    def put(self, key: str, stream: BinaryIO, *, content_type: str) -> StoredObject:
        """Store all of *stream*; ``Conflict`` when the key would be an object and a folder at once."""
        path = self._locate(key)
        validate_content_type(content_type)
        digest = hashlib.sha256()
        with disk.incoming_file(self._incoming) as file:
            for block in streams.blocks(stream):
                digest.update(block)
                with disk.plain_disk_errors():
                    file.write(block)
            with disk.plain_disk_errors():
                file.flush()
                return self._settle(
                    key,
                    file.name,
                    path,
                    descriptor=file.fileno(),
                    label=Label(digest.hexdigest(), content_type),
                )

    def put_file(self, key: str, path: Path, *, content_type: str, move: bool = False) -> StoredObject:
        """Store the file at *path*; one that may *move* is renamed where it can be, which costs no copy."""
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            raise NotFound("The file to be stored is not there.") from error
        with file:
            if not move or not self._can_rename(path, file.fileno()):
                stored = self.put(key, file, content_type=content_type)
                if move:
                    path.unlink()
                return stored
            target = self._locate(key)
            label = Label(checking.sha256_of(file), validate_content_type(content_type))
            with disk.plain_disk_errors():
                os.utime(file.fileno())
                return self._settle(key, str(path), target, descriptor=file.fileno(), label=label)

    def copy(self, source: str, key: str, *, content_type: str) -> StoredObject:
        """A second name of the same file; its bytes once more only where there is none to be had, or *key* is an object already."""
        path = self._locate(key)
        label = Label(self.stat(source).sha256, validate_content_type(content_type))
        descriptor, info = self._descriptor(source)
        with streams.FileRange(descriptor, 0, info.st_size) as stream:
            with contextlib.suppress(OSError, Conflict):
                os.utime(descriptor)
                return self._settle(
                    key, self._inside + source, path, descriptor=descriptor, label=label, place=os.link
                )
            return self.put(key, cast("BinaryIO", stream), content_type=content_type)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """The bytes from *start*, at most *length*: one ``open`` here, one ``pread`` for each read."""
        validate_range(start, length)
        descriptor, info = self._descriptor(key)
        end = info.st_size if length is None else min(info.st_size, start + length)
        return cast(BinaryIO, streams.FileRange(descriptor, start, end))

    def stat(self, key: str) -> StoredObject:
        """What the file and its label say; a file without a label is read once, and given one."""
        descriptor, info = self._descriptor(key)
        try:
            label = labels.attached(descriptor) if self._attributes else None
            label = (
                label or labels.read_beside(self._inside + key, info) or self._adopt(key, descriptor, info)
            )
            return _stored(key, info, label)
        finally:
            os.close(descriptor)

    def delete(self, key: str) -> None:
        """Remove the file, its label, and folders that are empty then."""
        path = self._locate(key)
        with disk.plain_disk_errors():
            try:
                os.unlink(path)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return
            labels.remove_beside(path)
        with contextlib.suppress(OSError):
            while (path := os.path.dirname(path)) != self._root:
                os.rmdir(path)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose key starts with *prefix*; hidden files, links and strange names are none."""
        validate_prefix(prefix)
        folder = prefix.rpartition("/")[0]
        for key in self._keys(f"{folder}/" if folder else "", prefix):
            # Removed since its folder was read, or a name that no key can have.
            with contextlib.suppress(NotFound, Invalid):
                yield self.stat(key)

    def walk(self, prefix: str) -> Iterator[Seen]:
        """The same without opening any: size and time are the folder's."""
        validate_prefix(prefix)
        folder = prefix.rpartition("/")[0]
        for key in self._keys(f"{folder}/" if folder else "", prefix):
            with contextlib.suppress(FileNotFoundError, Invalid):
                info = os.lstat(self._inside + validate_key(key))
                if stat.S_ISREG(info.st_mode):
                    modified_at = datetime.fromtimestamp(info.st_mtime, UTC)
                    # A file that takes the place of another within one tick of the clock is another file.
                    yield Seen(key, info.st_size, modified_at, f"{info.st_mtime_ns:x}-{info.st_ino:x}")

    def check(self) -> None:
        """Write, read back and remove a small object."""
        checking.probe(self)

    def verify(self, key: str) -> None:
        """Read the object and compare its SHA-256 with its label's."""
        checking.verify(self, key)

    def path(self, key: str) -> Path:
        """The file of the object, for ``sendfile`` and ffmpeg: read it, never write. Raises ``NotFound``."""
        os.close(self._descriptor(key)[0])
        return Path(self._inside + key)

    def sweep(self) -> int:
        """Remove what killed writers left behind; returns how many files that were."""
        with disk.plain_disk_errors():
            return disk.sweep(self._incoming)

    def _locate(self, key: str) -> str:
        """The path to write *key* at, or to remove, wherever its folders lead."""
        path = self._inside + validate_key(key)
        self._stay_inside(key, os.path.realpath(path))
        return path

    def _descriptor(self, key: str) -> tuple[int, os.stat_result]:
        """Open the object for reading. Raises ``NotFound`` for all that is no plain file."""
        path = self._inside + validate_key(key)
        try:
            # A named pipe must not make the opening wait for a writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(f"There is no stored object {key}.") from error
        except OSError as error:
            raise disk.disk_unavailable(error) from error
        try:
            self._stay_inside(key, disk.opened_path(descriptor, path))
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise NotFound(f"There is no stored object {key}.")
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, info

    def _stay_inside(self, key: str, real_path: str) -> None:
        if not real_path.startswith(self._inside):
            raise Unavailable(
                f"A link in the storage folder leads {key} out of it; the operator must remove the link."
            )

    def _settle(
        self,
        key: str,
        source: str,
        path: str,
        *,
        descriptor: int,
        label: Label,
        place: Callable[[str, str], None] = os.rename,
    ) -> StoredObject:
        """Make the finished file at *source* the object: label, sync, rename (or link), sync."""
        os.fchmod(descriptor, _MODE)
        labelled = self._attributes and labels.attach(descriptor, label)
        os.fsync(descriptor)
        info = os.fstat(descriptor)
        folder = os.path.dirname(path)
        try:
            self._place(place, source, path, folder)
        except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
            raise Conflict(
                f"{key} cannot be stored: one key would be both an object and a folder."
            ) from error
        if not labelled:
            labels.write_beside(path, info, label)
        disk.sync_folder(folder)
        return _stored(key, info, label)

    def _place(self, place: Callable[[str, str], None], source: str, path: str, folder: str) -> None:
        for tries_left in reversed(range(_RENAME_TRIES)):
            disk.make_folder(folder)
            try:
                place(source, path)
            except FileNotFoundError:
                # Deleting the last other object of the folder took the folder away just now.
                if not tries_left:
                    raise
            else:
                return

    def _can_rename(self, path: Path, descriptor: int) -> bool:
        info = os.fstat(descriptor)
        plain = stat.S_ISREG(info.st_mode) and info.st_nlink == 1 and not path.is_symlink()
        return plain and info.st_dev == self._device and info.st_uid == os.geteuid()

    def _adopt(self, key: str, descriptor: int, info: os.stat_result) -> Label:
        """Label a file that came without: copied in by hand, or restored by a tool that drops attributes."""
        with streams.FileRange(os.dup(descriptor), 0, info.st_size) as stream:
            digest = checking.sha256_of(cast("BinaryIO", stream))
        label = Label(digest, labels.usual_content_type(key))
        log.warning("object without a label adopted", extra={"key": key, "sha256": digest})
        with contextlib.suppress(OSError):
            if not (self._attributes and labels.attach(descriptor, label)):
                labels.write_beside(self._inside + key, info, label)
        return label

    def _keys(self, folder: str, prefix: str) -> Iterator[str]:
        try:
            with os.scandir(self._inside + folder) as entries:
                # "a-b" comes before "a/c" in a bucket; so a folder sorts as its name with the slash.
                found = sorted(
                    (e.name + "/" * e.is_dir(follow_symlinks=False), e.is_symlink()) for e in entries
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise disk.disk_unavailable(error) from error
        for name, is_link in found:
            key = folder + name
            if name.startswith(".") or is_link:
                continue
            if not name.endswith("/"):
                if key.startswith(prefix):
                    yield key
            elif key.startswith(prefix) or prefix.startswith(key):
                yield from self._keys(key, prefix)


def _stored(key: str, info: os.stat_result, label: Label) -> StoredObject:
    modified_at = datetime.fromtimestamp(info.st_mtime, UTC)
    return StoredObject(key, info.st_size, label.sha256, label.content_type, modified_at)
