"""Objects of the store as HTTP: ranges, HEAD, entity tags (RFC 9110, sections 13 and 14)."""

from collections.abc import Callable
from typing import BinaryIO

from flask import Request
from flask import Response
from werkzeug.http import is_resource_modified
from werkzeug.http import parse_if_range_header
from werkzeug.wsgi import wrap_file

from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.storage import ObjectStore
from appliance.storage import StoredObject

BLOCK_BYTES = 256 * 1024
AT_ONCE_BYTES = 1024 * 1024


def serve(store: ObjectStore, key: str, *, request: Request, cache_control: str) -> Response:
    """The object *key* or the one range of it that *request* asks for; ``NotFound`` when there is none.

    Several ranges at once are answered with the whole (RFC 9110 allows it): no player asks for them.
    """
    try:
        found = store.stat(key)
    except (Invalid, NotFound) as error:
        raise NotFound("There is nothing at this address.") from error
    return answer(
        found,
        lambda start, length: store.open(key, start=start, length=length),
        request=request,
        cache_control=cache_control,
    )


def answer(
    found: StoredObject,
    opened: Callable[[int, int], BinaryIO],
    *,
    request: Request,
    cache_control: str,
) -> Response:
    """What *request* asks for of the bytes that *found* describes; *opened* gives those from a place on, so many."""
    made = Response(mimetype=found.content_type)
    made.headers["Cache-Control"] = cache_control
    made.headers["Accept-Ranges"] = "bytes"
    made.set_etag(found.etag)
    made.last_modified = found.modified_at
    if not is_resource_modified(
        request.environ, f'"{found.etag}"', last_modified=found.modified_at, ignore_if_range=True
    ):
        made.status_code = 304
        return made
    wanted = _wanted(request, found)
    start, stop = wanted or (0, found.size_bytes)
    if wanted and start >= stop:
        made.status_code = 416
        made.headers["Content-Range"] = f"bytes */{found.size_bytes}"
        return made
    length = stop - start
    # Also for a range that is the whole: Safari takes a 200 to mean that this server knows no ranges.
    if wanted:
        made.status_code = 206
        made.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size_bytes}"
    made.content_length = length
    if request.method == "HEAD":
        # Flask strips the body of a HEAD; a length set beforehand would be lost with it.
        made.response = []
        made.automatically_set_content_length = False
        made.headers["Content-Length"] = str(length)
        return made
    stream = opened(start, length)
    if length <= AT_ONCE_BYTES:
        with stream:
            made.response = [stream.read()]
    else:
        # waitress sends a file it can seek in by its own loop: a listener on a slow line holds no thread.
        made.response = wrap_file(request.environ, stream, BLOCK_BYTES)
        made.direct_passthrough = True
    return made


def _wanted(request: Request, found: StoredObject) -> tuple[int, int] | None:
    """The half-open range to send, empty when it cannot be satisfied; ``None`` for the whole."""
    wanted = request.range
    if request.method != "GET" or wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    condition = request.headers.get("If-Range")
    if condition:
        parsed = parse_if_range_header(condition)
        same_date = parsed.date is not None and parsed.date == found.modified_at.replace(microsecond=0)
        if parsed.etag != found.etag and not same_date:
            return None
    first, after = wanted.ranges[0]
    # The last so many bytes; of an object that is shorter, all (RFC 9110, 14.1.2), where Werkzeug sees no range.
    start = first if first >= 0 else max(0, found.size_bytes + first)
    stop = found.size_bytes if after is None else min(after, found.size_bytes)
    return (start, stop) if start < stop else (0, 0)
