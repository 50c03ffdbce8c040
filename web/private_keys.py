"""Keys of private links: taken out of the address on the first visit and kept in the session, so that no page tells them on."""

from urllib.parse import urlencode

from flask import Flask
from flask import redirect
from flask import request
from flask import session
from flask.typing import ResponseReturnValue

PARAMETER = "key"
SESSION = "private_keys"
LONGEST, MOST = 64, 20


def register(app: Flask) -> None:
    """Take keys from the addresses of artists' pages."""
    app.before_request(take)


def take() -> ResponseReturnValue | None:
    """Keep the key of this address and lead to the same address without it, which may stand in a history or a referer."""
    if not request.path.startswith("/@") or PARAMETER not in request.args or request.method != "GET":
        return None
    key = request.args[PARAMETER]
    if key and len(key) <= LONGEST:
        # The newest last: what is too much goes from the front.
        known = [other for other in session.get(SESSION, []) if other != key]
        session[SESSION] = [*known, key][-MOST:]
    rest = [(name, value) for name, value in request.args.items(multi=True) if name != PARAMETER]
    answer = redirect(request.path + (f"?{urlencode(rest)}" if rest else ""))
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def shown() -> frozenset[str]:
    """The keys that this browser came by."""
    return frozenset(session.get(SESSION, ())) if "HTTP_COOKIE" in request.environ else frozenset()
