"""Devices on which somebody signed in before: their next attempt is not counted with those of strangers who guess.

A signed cookie holds, for each name, a hash and a random word of this device. It opens nothing: it only says which count is used.
"""

import hashlib
import hmac
import secrets
from typing import Any

from flask import Flask
from flask import Response
from flask import current_app
from flask import g
from flask import request
from flask_security import user_authenticated
from itsdangerous import BadSignature
from itsdangerous import URLSafeSerializer

MOST_NAMES = 5
KEPT_S = 365 * 86_400


def register(app: Flask) -> None:
    """Remember on each device of *app* who signed in there."""
    user_authenticated.connect(_note, app)
    app.after_request(_keep)


def hashed(name: str) -> str:
    """A name as it is counted: nobody who sees the counts learns who tried to sign in."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, b"typed name\0" + name.encode(), hashlib.sha256).hexdigest()[:32]


def device_of(name_hash: str) -> str:
    """The word of this device when the name was signed in with here before; else empty."""
    return _read().get(name_hash, "")


def _note(app: Flask, user: Any, **_unused: Any) -> None:
    g.signed_in_name = hashed(str(user.email).lower())


def _keep(answer: Response) -> Response:
    name = g.get("signed_in_name")
    if name:
        kept = _read()
        kept = {name: kept.pop(name, "") or secrets.token_urlsafe(9), **kept}
        answer.set_cookie(
            _cookie(),
            str(_signer().dumps(dict(list(kept.items())[:MOST_NAMES]))),
            max_age=KEPT_S,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
    return answer


def _read() -> dict[str, str]:
    try:
        found = _signer().loads(request.cookies.get(_cookie(), ""))
    except BadSignature:
        return {}
    return {str(name): str(word) for name, word in found.items()} if isinstance(found, dict) else {}


def _cookie() -> str:
    return "__Host-known" if current_app.config["SESSION_COOKIE_SECURE"] else "known"


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="known devices")
