"""What passes between the S3 store and its server: connections, bytes, and answers in our words."""

from __future__ import annotations

import contextlib
import hashlib
import ssl
from collections.abc import Iterator
from typing import BinaryIO

import certifi
import urllib3
from minio import Minio
from minio.error import MinioException
from minio.error import S3Error

from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.storage.streams import Source

_RETRIES = 3
_CONNECTIONS = 16
_REFUSED = {"AccessDenied", "AuthorizationHeaderMalformed", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


def pool(secure: bool, connect_timeout_s: float, read_timeout_s: float) -> urllib3.PoolManager:
    """Connections with limits: a store that hangs must not hang the request or the worker that asks it."""
    trusted = None
    if secure:
        # The system's authorities (and SSL_CERT_FILE, for a private one); certifi's where a system has none.
        trusted = ssl.create_default_context()
        trusted.load_verify_locations(certifi.where())
    return urllib3.PoolManager(
        maxsize=_CONNECTIONS,
        timeout=urllib3.Timeout(connect=connect_timeout_s, read=read_timeout_s),
        retries=urllib3.Retry(
            total=_RETRIES,
            connect=1,
            backoff_factor=0.2,
            status_forcelist=(500, 502, 503, 504),
            raise_on_status=False,
        ),
        ssl_context=trusted,
    )


@contextlib.contextmanager
def answers(bucket: str, key: str) -> Iterator[None]:
    """Turn what server and network say into our words, with the cause kept."""
    try:
        yield
    except S3Error as error:
        raise _in_our_words(error, bucket, key) from error
    except urllib3.exceptions.HTTPError as error:
        if isinstance(getattr(error, "reason", error), urllib3.exceptions.SSLError):
            raise Unavailable(
                "No TLS connection to the S3 store: its certificate is not trusted, or it speaks plain HTTP "
                "and the setting 'store_url' needs secure=0."
            ) from error
        raise Unavailable("The S3 store does not answer; check its address and the network.") from error
    except MinioException as error:
        raise Unavailable("The S3 store gave an answer that is none of S3; check its address.") from error


def no_bucket(bucket: str) -> Unavailable:
    """The error for a bucket that is not there, with its mend."""
    return Unavailable(f"There is no bucket {bucket}. Make it, or add create=1 to the setting 'store_url'.")


def make_bucket(server: Minio, bucket: str) -> None:
    """Make it, unless somebody else of us did so in this moment."""
    try:
        server.make_bucket(bucket)
    except S3Error as error:
        if error.code != "BucketAlreadyOwnedByYou":
            raise


class PastTheEnd(Invalid):
    """The range starts behind the last byte."""


class Unchanged(Source):
    """A stream that raises ``Conflict`` at its end unless it is, to the byte, what was hashed before."""

    def __init__(self, stream: BinaryIO, size_bytes: int, sha256: str) -> None:
        self._stream = stream
        self._left = size_bytes
        self._expected = sha256
        self._digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """At most *size* bytes; the SDK asks for a part after the other, and sends none before it has it."""
        block = self._stream.read(min(size, self._left) if size >= 0 else self._left)
        self._digest.update(block)
        self._left -= len(block)
        ended_early = not block and self._left
        if ended_early or (not self._left and self._digest.hexdigest() != self._expected):
            raise Conflict("The file changed while it was being stored; nothing was stored.")
        return block


class Download(Source):
    """The body of an answer; what is left unread is dropped with its connection."""

    def __init__(self, response: urllib3.BaseHTTPResponse, bucket: str, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._response = response

    def read(self, size: int | None = -1, /) -> bytes:
        """At most *size* bytes as they come; ``Unavailable`` when the connection breaks."""
        with answers(self._bucket, self._key):
            return self._response.read(None if size is None or size < 0 else size)

    def close(self) -> None:
        """Drop the connection if anything is left, give it back to the pool if not."""
        if not self.closed:
            self._response.close()
            self._response.release_conn()
        super().close()


def _in_our_words(error: S3Error, bucket: str, key: str) -> Exception:
    if error.code == "NoSuchKey":
        return NotFound(f"There is no stored object {key}.")
    if error.code == "InvalidRange":
        return PastTheEnd(f"{key} ends before that range.")
    if error.code == "NoSuchBucket":
        return no_bucket(bucket)
    if error.code in _REFUSED:
        return Unavailable(
            "The S3 store refused the key, the secret or the permission; check the setting 'store_url'."
        )
    if error.code == "RequestTimeTooSkewed":
        return Unavailable(
            "The S3 store refused: its clock and the one of this machine differ; set both right."
        )
    return Unavailable(f"The S3 store answered with an error ({error.code}).")
