"""What a web server in front asks before it hands out sound itself: whether this address opens, and where the bytes are.

It asks by its ``auth_request`` and keeps the answer for a few seconds, so that a range costs no Python. The answer names the stored object
and, for a bucket, holds an address that opens it; so it is for who knows the key of the gate, which stands in the server's configuration.

It asks too whether anybody is known who sends a recording: while a body comes, it takes a thread.
"""

import hmac
import time
from urllib.parse import urlsplit

from flask import Blueprint
from flask import Response
from flask import request

from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.memberships import media_tokens
from appliance.storage import Signing
from appliance.storage import StoredObject
from web import media
from web.request_cycle import NotSignedIn
from web.request_cycle import appliance
from web.request_cycle import person

blueprint = Blueprint("gate", __name__)

KEPT_S = 45
"""How long an answer may be kept: with the seconds until this process knows of a revocation, less than a minute."""
FETCH_S = 3600
"""How long an address in a bucket opens: a whole file to a listener on a slow line is fetched slice by slice under one. Only the web server
in front ever sees it."""
KEY_HEADER = "X-Gate-Key"


@blueprint.get("/gate/<token>/<asset>/<name>")
def ask(token: str, asset: str, name: str) -> Response:
    """204 with the object that this media address opens, or 403; nothing at all for who is not the server in front."""
    _require_key()
    now_s = int(time.time())
    answer = Response(status=403)
    try:
        grant = media.opened(token, asset, now_s=now_s)
        stored_at = media.sound(grant, name)
    except (NotAllowed, NotFound):
        # Not kept: every refusal is looked at anew, so that nothing a stranger sends fills the cache.
        return answer
    answer.status_code = 204
    answer.headers["X-Accel-Expires"] = str(min(KEPT_S, grant.expires_at_s - now_s))
    answer.headers["X-Gate-Object"] = stored_at
    store = appliance().store
    if isinstance(store, Signing):
        parts = urlsplit(store.signed_url(stored_at, expires_in_s=FETCH_S))
        answer.headers["X-Gate-Target"] = f"{parts.path}?{parts.query}"
    else:
        found = _found(stored_at)
        answer.headers["X-Gate-Type"] = found.content_type if found else "application/octet-stream"
    return answer


@blueprint.get("/gate/sender")
def sender() -> Response:
    """204 when somebody is signed in or has a token, else 401: asked before the body of a recording is let through."""
    _require_key()
    try:
        return Response(status=401 if person() is None else 204)
    except NotSignedIn:
        # A token that is not valid; nginx wants no page about it.
        return Response(status=401)


def _require_key() -> None:
    """``NotFound`` for who is not the server in front."""
    if not hmac.compare_digest(
        request.headers.get(KEY_HEADER, "").encode(), media_tokens.gate_key(appliance().secret).encode()
    ):
        raise NotFound("There is nothing at this address.")


def _found(stored_at: str) -> StoredObject | None:
    try:
        return appliance().store.stat(stored_at)
    except NotFound:
        # The file is not there; the server in front will see so itself.
        return None
