"""The blueprint of the library, and the way from one page of a long list to the next."""

from collections.abc import Callable
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from flask import Blueprint
from flask import request
from flask import url_for

from web.api.routing import cursor_for

blueprint = Blueprint("library", __name__)
T = TypeVar("T")


def page_of(rows: Sequence[T], limit: int, key: Callable[[T], tuple[datetime, str]]) -> tuple[list[T], str]:
    """At most *limit* of *rows*, of which one more was asked for, and the address of the next page or an empty text."""
    shown = list(rows[:limit])
    if len(rows) <= limit:
        return shown, ""
    instant, row_id = key(shown[-1])
    cursor = cursor_for(instant.isoformat(), row_id)
    return shown, url_for(str(request.endpoint), cursor=cursor, **(request.view_args or {}))
