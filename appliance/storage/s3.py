"""The object store in a bucket of any S3-compatible server, spoken to by the MinIO SDK.

Every object carries its SHA-256 in its metadata: the ETag of a multipart upload is no hash of the bytes.
Metadata goes ahead of the bytes, so a stream is hashed first and sent second; one that cannot be read twice
waits in a temporary file meanwhile. While sending it is hashed again, and the last part is held back when it
came out different: the server then never completes the object.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from typing import cast

from minio import Minio
from minio.commonconfig import REPLACE
from minio.commonconfig import CopySource
from minio.datatypes import Object
from minio.helpers import DictType

from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.storage import checking
from appliance.storage import disk
from appliance.storage import streams
from appliance.storage import wire
from appliance.storage.objects import Seen
from appliance.storage.objects import StoredObject
from appliance.storage.objects import validate_content_type
from appliance.storage.objects import validate_key
from appliance.storage.objects import validate_prefix
from appliance.storage.objects import validate_range

log = logging.getLogger(__name__)

_SHA256 = "x-amz-meta-sha256"
# One part is in memory at a time. An upload has at most 10,000 parts: beyond 72 GiB the parts grow.
_PART_BYTES = 8 * 1024 * 1024
_MAX_PARTS = 9_000
_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 60.0
# A listing does not say the SHA-256, so each object is asked for; this many at a time.
_STATS_AT_ONCE = 8
_STATS_AHEAD = 64
_WALKED_AT_ONCE = 1000
_UNKNOWN = datetime.fromtimestamp(0, UTC)


class S3Store:
    """Objects in one bucket at *endpoint* (``host:port``). Nothing is sent before the first verb."""

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        *,
        access_key: str,
        secret_key: str,
        secure: bool = True,
        region: str | None = None,
        create_bucket: bool = False,
        spool_folder: Path | None = None,
        connect_timeout_s: float = _CONNECT_TIMEOUT_S,
        read_timeout_s: float = _READ_TIMEOUT_S,
    ) -> None:
        self._bucket = bucket
        self._creates_bucket = create_bucket
        self._looked_for_bucket = False
        self._spool_folder = None if spool_folder is None else str(spool_folder)
        try:
            self._server = Minio(
                endpoint,
                access_key=access_key,
                secret_key=secret_key,
                secure=secure,
                region=region,
                http_client=wire.pool(secure, connect_timeout_s, read_timeout_s),
            )
        except ValueError as error:
            raise Invalid(f"{endpoint} is no S3 server's address.", field="store_url") from error

    def put(self, key: str, stream: BinaryIO, *, content_type: str) -> StoredObject:
        """Hash, then send; ``Conflict`` when the stream gives other bytes the second time."""
        validate_key(key)
        validate_content_type(content_type)
        with self._twice(stream) as (body, size_bytes, sha256), wire.answers(self._bucket, key):
            self._client.put_object(
                self._bucket,
                key,
                cast(BinaryIO, wire.Unchanged(body, size_bytes, sha256)),
                size_bytes,
                content_type=content_type,
                metadata={_SHA256: sha256},
                part_size=max(_PART_BYTES, size_bytes // _MAX_PARTS),
                # In one thread: the SDK leaves its threads waiting for ever when a parallel upload fails.
                num_parallel_uploads=1,
            )
        # The server alone knows its time. The rest is told from here: another writer may have come since.
        seen = self.stat(key)
        return replace(seen, size_bytes=size_bytes, sha256=sha256, content_type=content_type)

    def put_file(self, key: str, path: Path, *, content_type: str, move: bool = False) -> StoredObject:
        """Send the file at *path*, and remove it afterwards if it is to *move*."""
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            raise NotFound("The file to be stored is not there.") from error
        with file:
            stored = self.put(key, file, content_type=content_type)
        if move:
            path.unlink()
        return stored

    def copy(self, source: str, key: str, *, content_type: str) -> StoredObject:
        """The server copies what is one part; what is several, or what it does not copy, comes by here."""
        validate_key(key)
        validate_content_type(content_type)
        found = self.stat(source)
        # Of several parts Swift copies the list alone, and to remove the source removes the parts.
        if found.size_bytes <= _PART_BYTES:
            try:
                self._copy_there(source, key, {_SHA256: found.sha256, "Content-Type": content_type})
                return replace(
                    self.stat(key),
                    size_bytes=found.size_bytes,
                    sha256=found.sha256,
                    content_type=content_type,
                )
            except Unavailable as error:
                log.warning("the S3 store did not copy an object", extra={"why": str(error)})
        with self.open(source) as stream:
            return self.put(key, stream, content_type=content_type)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """The bytes from *start*, at most *length*, as they come over the network."""
        validate_key(key)
        validate_range(start, length)
        if length == 0:
            self.stat(key)
            return io.BytesIO()
        try:
            with wire.answers(self._bucket, key):
                response = self._client.get_object(self._bucket, key, offset=start, length=length or 0)
        except wire.PastTheEnd:
            return io.BytesIO()
        return cast(BinaryIO, wire.Download(response, self._bucket, key))

    def stat(self, key: str) -> StoredObject:
        """What the server says; an object without our SHA-256 is read once, and given it."""
        validate_key(key)
        with wire.answers(self._bucket, key):
            found = self._client.stat_object(self._bucket, key)
        sha256 = (found.metadata or {}).get(_SHA256) or self._adopt(key, found)
        if found.size is None or found.last_modified is None:
            raise Unavailable(f"The S3 store does not tell size and time of {key}.")
        modified_at = found.last_modified.astimezone(UTC)
        return StoredObject(
            key, found.size, sha256, found.content_type or "application/octet-stream", modified_at
        )

    def delete(self, key: str) -> None:
        """Remove the object; the server does not mind when there is none."""
        validate_key(key)
        with contextlib.suppress(NotFound), wire.answers(self._bucket, key):
            self._client.remove_object(self._bucket, key)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose key starts with *prefix*, with one request for each."""
        validate_prefix(prefix)
        listing = self._client.list_objects(self._bucket, prefix, recursive=True)
        with ThreadPoolExecutor(_STATS_AT_ONCE, thread_name_prefix="s3-list") as threads:
            while True:
                with wire.answers(self._bucket, prefix):
                    some = list(islice(listing, _STATS_AHEAD))
                if not some:
                    return
                found = threads.map(self._stat_if_there, (str(item.object_name) for item in some))
                yield from (stored for stored in found if stored)

    def walk(self, prefix: str) -> Iterator[Seen]:
        """The same with one request for a thousand objects."""
        validate_prefix(prefix)
        listing = self._client.list_objects(self._bucket, prefix, recursive=True)
        while True:
            with wire.answers(self._bucket, prefix):
                some = list(islice(listing, _WALKED_AT_ONCE))
            if not some:
                return
            for item in some:
                with contextlib.suppress(Invalid):
                    key = validate_key(str(item.object_name))
                    modified_at = (item.last_modified or _UNKNOWN).astimezone(UTC)
                    mark = (item.etag or "").strip('"')
                    yield Seen(key, item.size or 0, modified_at, mark or modified_at.isoformat())

    def signed_url(self, key: str, *, expires_in_s: int) -> str:
        """An address that reads the object without our key: for a web server in front, never for a listener."""
        with wire.answers(self._bucket, validate_key(key)):
            return str(
                self._client.presigned_get_object(self._bucket, key, expires=timedelta(seconds=expires_in_s))
            )

    def check(self) -> None:
        """Make sure of the bucket, then write, read back and remove a small object."""
        self._make_sure_of_bucket()
        checking.probe(self)

    def verify(self, key: str) -> None:
        """Download the object and compare its SHA-256 with its metadata's."""
        checking.verify(self, key)

    @property
    def _client(self) -> Minio:
        """The server, where the bucket is by now if we are to make it: the first verb of all may be anybody's."""
        if self._creates_bucket and not self._looked_for_bucket:
            self._make_sure_of_bucket()
        return self._server

    def _make_sure_of_bucket(self) -> None:
        with wire.answers(self._bucket, ""):
            if not self._server.bucket_exists(self._bucket):
                if not self._creates_bucket:
                    raise wire.no_bucket(self._bucket)
                wire.make_bucket(self._server, self._bucket)
        self._looked_for_bucket = True

    def _stat_if_there(self, key: str) -> StoredObject | None:
        # Removed since it was listed, or a name that no key can have.
        with contextlib.suppress(NotFound, Invalid):
            return self.stat(key)
        return None

    def _adopt(self, key: str, found: Object) -> str:
        """Hash an object that another program put there, and have that written down: by the server where it is one part."""
        kind = found.content_type or "application/octet-stream"
        with self.open(key) as stream:
            # See ``copy``: it would become the list of its parts. The mark of one in parts ends with their number.
            if "-" in (found.etag or ""):
                sha256 = self.put(key, stream, content_type=kind).sha256
            else:
                sha256 = checking.sha256_of(stream)
                self._copy_there(key, key, {_SHA256: sha256, "Content-Type": kind}, etag=found.etag)
        log.warning("object without a SHA-256 adopted", extra={"key": key, "sha256": sha256})
        return sha256

    def _copy_there(
        self,
        source: str,
        key: str,
        metadata: DictType,
        *,
        etag: str | None = None,
    ) -> None:
        with wire.answers(self._bucket, source):
            self._client.copy_object(
                self._bucket,
                key,
                CopySource(self._bucket, source, match_etag=etag),
                metadata=metadata,
                metadata_directive=REPLACE,
            )

    @contextlib.contextmanager
    def _twice(self, stream: BinaryIO) -> Iterator[tuple[BinaryIO, int, str]]:
        """*stream*, its size and its SHA-256, ready to be read (again) from where it stood."""
        if getattr(stream, "seekable", bool)():
            start = stream.tell()
            sha256 = checking.sha256_of(stream)
            size_bytes = stream.tell() - start
            stream.seek(start)
            yield stream, size_bytes, sha256
            return
        digest = hashlib.sha256()
        # Without a name on the disk: nothing is left to sweep when this process is killed.
        with tempfile.SpooledTemporaryFile(max_size=_PART_BYTES, dir=self._spool_folder) as spool:
            for block in streams.blocks(stream):
                digest.update(block)
                with disk.plain_disk_errors():
                    spool.write(block)
            size_bytes = spool.tell()
            spool.seek(0)
            yield cast(BinaryIO, spool), size_bytes, digest.hexdigest()
