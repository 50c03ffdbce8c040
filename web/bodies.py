"""How much may be sent where: a recording, a picture, or a form; told by the view, and known before a byte of it is taken."""

from collections.abc import Callable
from typing import Any
from typing import TypeVar

from flask import Flask
from flask import current_app
from flask import request
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import RequestRedirect

from appliance.catalog import artwork

MOST_FORM_BYTES = 2 * 1024 * 1024
EACH_TAKES_BYTES = 1024 * 1024
"""No view takes less than this."""
MOST_PICTURE_BYTES = artwork.MOST_BYTES + 1024 * 1024
ORIGINAL = -1
"""In place of a number: as much as the setting ``max_upload_mb`` allows."""
V = TypeVar("V", bound=Callable[..., Any])


def takes_original(view: V) -> V:
    """A view that takes a whole recording."""
    view.most_bytes = ORIGINAL  # type: ignore[attr-defined]
    return view


def takes_picture(view: V) -> V:
    """A view that takes a picture."""
    view.most_bytes = MOST_PICTURE_BYTES  # type: ignore[attr-defined]
    return view


def takes(most_bytes: int) -> Callable[[V], V]:
    """A view that takes so many bytes."""

    def mark(view: V) -> V:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return mark


def register(app: Flask) -> None:
    """Keep every request of *app* to what its view takes, whatever server carries it."""

    @app.before_request
    def bound() -> None:
        asked = request_ctx.request
        asked.max_content_length = most = most_bytes(app, str(asked.endpoint))
        if (asked.content_length or 0) > most:
            raise RequestEntityTooLarge


def most_bytes(app: Flask, endpoint: str) -> int:
    """How many bytes the view *endpoint* takes."""
    found: int = getattr(app.view_functions.get(endpoint), "most_bytes", MOST_FORM_BYTES)
    return int(app.config["MAX_CONTENT_LENGTH"]) if found == ORIGINAL else found


def is_original() -> bool:
    """Whether this request brings (a part of) a recording."""
    view = current_app.view_functions.get(str(request.endpoint))
    brings = bool(request.content_length) or "Transfer-Encoding" in request.headers
    return brings and getattr(view, "most_bytes", 0) == ORIGINAL


def most_bytes_at(app: Flask, method: str, path: str) -> int:
    """How many bytes this address takes; as little as a form where there is none."""
    try:
        endpoint, _ = app.url_map.bind("localhost").match(path, method=method)
    except (HTTPException, RequestRedirect):
        return MOST_FORM_BYTES
    return most_bytes(app, str(endpoint))
