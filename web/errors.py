"""The five kinds of error as HTTP: the only module that knows the numbers.

The API answers RFC 9457 problem details, pages answer a page; neither ever shows a stack.
"""

import errno
import logging

import peewee
from flask import Flask
from flask import Response
from flask import current_app
from flask import redirect
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from appliance import database
from appliance import errors
from appliance import failures
from appliance.billing import inbox
from appliance.catalog import artists
from appliance.catalog import originals
from appliance.catalog import staging
from appliance.catalog import versions
from web import error_pages
from web import hosts
from web import kept_forms
from web import request_log
from web import retrying
from web import senders
from web.error_pages import N_
from web.request_cycle import BadToken
from web.request_cycle import NotSignedIn
from web.sentences import for_programs
from web.sentences import stored
from web.sentences import told

log = logging.getLogger(__name__)

STATUS: dict[type[errors.MusicConnectError], int] = {
    # The first match counts, so what is more special stands first. 460 and 423 are words of tus 1.0.0 and RFC 4918.
    hosts.WrongHost: 421,
    senders.TooMany: 429,
    staging.WrongChecksum: 460,
    staging.Busy: 423,
    originals.TooLarge: 413,
    inbox.TooLarge: 413,
    versions.Stale: 412,
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.Invalid: 422,
    errors.Conflict: 409,
    errors.Unavailable: 503,
}
TITLES = {
    400: "The request cannot be understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "It does not fit the present state",
    411: "The length is missing",
    412: "A precondition failed",
    413: "Too large",
    415: "Unsupported type",
    416: "No such range",
    421: "Not known by that name",
    423: "Locked",
    422: "Something in it cannot be taken",
    429: "Too many requests",
    460: "Checksum mismatch",
    500: "Something went wrong on our side",
    503: "Not available just now",
}
CSRF = 0
"""No status: the sentence for a form whose protection does not hold."""
SENTENCES = {
    CSRF: N_(
        "This form was open too long or came from elsewhere; load the page again and send it once more."
    ),
    404: N_("There is nothing at this address."),
    405: N_("This address does not take that method."),
    413: N_("This is larger than what can be taken here."),
    415: N_("Send this as application/json."),
    429: N_("Too much was asked for in a short time; wait a moment and try again."),
    500: N_("It has been noted; trying again later may help."),
}
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def register(app: Flask) -> None:
    """Answer every error of *app* here."""
    app.jinja_env.globals.update(told=told, stored=stored)
    app.register_error_handler(errors.MusicConnectError, on_own)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(OSError, on_disk)
    app.register_error_handler(Exception, on_surprise)
    app.register_error_handler(peewee.DatabaseError, on_database)
    app.register_error_handler(peewee.InterfaceError, on_database)


def on_own(error: errors.MusicConnectError) -> ResponseReturnValue:
    """An error raised on purpose."""
    if isinstance(error, NotSignedIn):
        if not wants_json() and request.method == "GET":
            return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
        if kept_forms.can_be_kept() and not wants_json():
            return kept_forms.page(401, gettext("You were signed out before this could be taken."))
        answer = answer_with(401, told(error))
        note = ' error="invalid_token"' if isinstance(error, BadToken) else ""
        answer.headers["WWW-Authenticate"] = f'Bearer realm="MusicConnect"{note}'  # RFC 6750, section 3
        return answer
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    if status == 404 and (moved := artist_moved()):
        return moved
    answer = answer_with(status, told(error), field=getattr(error, "field", None))
    again_in_s = getattr(error, "again_in_s", 10 if status == 503 else 0)
    if again_in_s:
        answer.headers["Retry-After"] = str(again_in_s)
    return answer


def artist_moved() -> ResponseReturnValue | None:
    """The way to the same page under the artist's present address, for an address with one they had before."""
    name = "slug" if request.blueprint == "api" else "artist"
    before = (request.view_args or {}).get(name)
    if request.method not in {"GET", "HEAD"} or not before or not (now := artists.moved_to(before)):
        return None
    there = {**(request.view_args or {}), name: now}
    answer = redirect(url_for(str(request.endpoint), **there, **request.args), 301)
    if wants_json():
        answer.set_data(b"")
    # They may go back to the address they had; a browser that never asked again would go round in circles.
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def on_http(error: HTTPException) -> ResponseReturnValue:
    """An error of HTTP itself: a wrong address, method or form."""
    if error.response is not None or (error.code or 500) < 400:
        return error
    code = error.code or 500
    if isinstance(error, CSRFError):
        if kept_forms.can_be_kept() and not wants_json():
            return kept_forms.page(
                400, gettext("This form was open for so long that its protection ran out.")
            )
        return answer_with(400, _sentence(CSRF))
    sentence = _sentence(code) or (error.description or TITLES.get(code, "")).replace("\n", " ")
    answer = answer_with(code, sentence)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers[name] = value
    return answer


def on_database(error: peewee.DatabaseError | peewee.InterfaceError) -> ResponseReturnValue:
    """What the database refused: a text it cannot hold, two who did the same at once, a full disk, or it is away."""
    if isinstance(error, peewee.DataError):
        return on_own(errors.Invalid("This holds a character or a number that cannot be stored."))
    if isinstance(error, peewee.IntegrityError):
        return on_own(
            errors.Conflict("Somebody changed the same thing just now; look again and try once more.")
        )
    if isinstance(error, peewee.OperationalError | peewee.InterfaceError):
        retrying.mark(wrote=database.wrote())
        if database.is_broken():
            # While it is away everybody comes by here: a line each, and no stack.
            log.warning(
                "the database is away",
                extra={"endpoint": request.endpoint, "why": failures.told(error)[:200]},
            )
        else:
            log.error("database failed", extra={"endpoint": request.endpoint}, exc_info=error)
        return on_own(errors.Unavailable("The database does not take this just now; try again in a moment."))
    return on_surprise(error)


def on_disk(error: OSError) -> ResponseReturnValue:
    """A full disk, wherever it shows, such as under the form of an upload; any other fault of the system is a bug."""
    if error.errno not in FULL:
        return on_surprise(error)
    log.error("disk full", extra={"endpoint": request.endpoint, "why": error.strerror})
    return on_own(errors.Unavailable("There is no room on the server just now; nothing was stored."))


def on_surprise(error: Exception) -> ResponseReturnValue:
    """A bug: logged with its stack, told without."""
    reference = request_log.reference()
    request_log.failed(error)
    log.error(
        "request failed",
        extra={"reference": reference, "method": request_log.method(), "endpoint": request.endpoint},
        exc_info=error,
    )
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    return answer_with(500, _sentence(500))


def wants_json() -> bool:
    """Whether the answer is for a program."""
    return (
        request.path.startswith(("/api/", "/media/", "/webhooks/"))
        or request.accept_mimetypes.best == "application/json"
    )


def _sentence(status: int) -> str:
    """What we say of a status when nobody said more, in the reader's language; empty for what we have no words of our own for."""
    sentence = SENTENCES.get(status, "")
    return sentence if not sentence or for_programs() else gettext(sentence)


def answer_with(status: int, detail: str, *, field: str | None = None) -> Response:
    """The error as problem details or as a page; what is our fault with a reference, by which we find it in the log."""
    title = TITLES.get(status, "Error")
    if wants_json():
        told_with = f"{detail} Reference: {request_log.reference()}." if status == 500 else detail
        problem = {"type": "about:blank", "title": title, "status": status, "detail": told_with}
        if field:
            problem["field"] = field
        answer = current_app.json.response(problem)
        answer.mimetype = "application/problem+json"
    else:
        reference = request_log.reference() if status >= 500 else ""
        html = error_pages.page(status, detail, title=title, reference=reference)
        answer = Response(html, mimetype="text/html")
    answer.status_code = status
    return answer
