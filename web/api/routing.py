"""The blueprint of the API and what all its views share: reading JSON and turning lists into pages."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from typing import Any

from flask import Blueprint
from flask import Response
from flask import jsonify
from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from appliance.errors import Invalid
from web.request_cycle import note_epoch

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
# Before a view asks for any right: what it shows may hold a permission.
blueprint.before_request(note_epoch)

LONGEST_PAGE = 100
MOST_JSON_BYTES = 1024 * 1024
# What compresses the answer adds a word of its own to the end, and some proxies call it weak.
_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})[^"]*"')
_ID = re.compile(r"[0-9A-Z]{26}|[0-9a-f-]{36}", re.ASCII)


def body(*, required: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """The JSON object that was sent; ``Invalid`` when it is none or lacks a field."""
    if not request.is_json:
        raise UnsupportedMediaType("Send a JSON object with the content type application/json.")
    # The limit of the application is that of a whole recording; this is read into memory.
    request.max_content_length = MOST_JSON_BYTES
    try:
        sent = json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError) as error:
        raise Invalid("This is not valid JSON.") from error
    if not isinstance(sent, dict):
        raise Invalid("Send a JSON object.")
    for name in required:
        if name not in sent:
            raise Invalid(f"The field '{name}' is missing.", field=name)
    return sent


def made_from() -> int | None:
    """The version that a change was made from, by ``If-Match`` (RFC 9110, 13.1.1); None when the last one is to win."""
    wanted = request.headers.get("If-Match", "").strip()
    if wanted in {"", "*"}:
        return None
    found = _ETAG.fullmatch(wanted)
    if not found:
        raise Invalid("The header If-Match holds the ETag of what you change.", field="If-Match")
    return int(found[1])


def versioned(shown: Mapping[str, Any]) -> Response:
    """*shown* as JSON; its ETag begins with its version, which ``If-Match`` takes.

    The rest is a digest: a version counts what people change, and a browser must not take a track in the making for the finished one.
    """
    answer = jsonify(shown)
    answer.set_etag(f"{shown['version']}.{hashlib.sha256(answer.get_data()).hexdigest()[:16]}")
    return answer


def instant(sent: Mapping[str, Any], field: str) -> datetime:
    """The instant in *field* of a body (RFC 3339); one without a zone could be any of two dozen."""
    try:
        found = datetime.fromisoformat(sent[field])
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise Invalid("Give an instant with its zone, such as 2026-05-01T18:00:00Z (RFC 3339).", field=field)


def limit() -> int:
    """How many items the client wants; ``Invalid`` for what is no number from 1 to 100."""
    text = request.args.get("limit", "20")
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= LONGEST_PAGE:
        raise Invalid(f"'limit' is a whole number from 1 to {LONGEST_PAGE}.", field="limit")
    return int(text)


def cursor_for(*parts: str) -> str:
    """An opaque cursor that holds *parts*."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


def cursor_parts(count: int) -> tuple[str, ...] | None:
    """What the cursor of this request holds, or ``None`` without one; ``Invalid`` when it is damaged."""
    text = request.args.get("cursor")
    if not text:
        return None
    try:
        parts = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor") from error
    if not isinstance(parts, list) or len(parts) != count or not all(isinstance(part, str) for part in parts):
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor")
    return tuple(parts)


def cursor_id() -> str:
    """The id that the cursor of this request holds, empty without one; ``Invalid`` when it is damaged."""
    parts = cursor_parts(1)
    if parts is not None and not _ID.fullmatch(parts[0]):
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor")
    return parts[0] if parts else ""


def cursor_number() -> int:
    """The number that the cursor of this request holds, 0 without one; ``Invalid`` when it is damaged."""
    parts = cursor_parts(1)
    if parts is not None and not re.fullmatch("[0-9]{1,18}", parts[0], re.ASCII):
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor")
    return int(parts[0]) if parts else 0


def cursor_instant() -> tuple[datetime, str] | None:
    """The (instant, id) that the cursor of this request holds, or ``None`` without one; ``Invalid`` when it is damaged."""
    parts = cursor_parts(2)
    if parts is None:
        return None
    try:
        instant = datetime.fromisoformat(parts[0]).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor") from error
    if not _ID.fullmatch(parts[1]):
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor")
    return instant, parts[1]


def cursor_place() -> tuple[str, int] | None:
    """The (text, number) that the cursor of this request holds, or ``None`` without one; ``Invalid`` when it is damaged."""
    parts = cursor_parts(2)
    if parts is None:
        return None
    if "\0" in parts[0] or not re.fullmatch("[0-9]{1,18}", parts[1], re.ASCII):
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor")
    return parts[0], int(parts[1])
