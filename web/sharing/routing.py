"""The blueprint of what others show of us, and what its answers share: they are public, the same for everybody, and can be kept."""

import hashlib
import re
from datetime import datetime

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import request

# What XML 1.0 has no way to say (section 2.2), not even escaped; one such character in a title would cost the whole feed.
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

blueprint = Blueprint("sharing", __name__)


def keepable(
    text: str | bytes, mimetype: str, *, max_age_s: int, changed: datetime | None = None
) -> Response:
    """An answer for everybody with validators (RFC 9110, 8.8), or 304 to who has these bytes already."""
    body = text.encode() if isinstance(text, str) else text
    answer = Response(body, mimetype=mimetype)
    answer.headers["Cache-Control"] = f"public, max-age={max_age_s}"
    answer.set_etag(hashlib.sha256(body).hexdigest()[:32])
    if changed is not None:
        answer.last_modified = changed
    return answer.make_conditional(request)


def xml(text: str) -> str:
    """*text* without the characters that XML cannot hold."""
    return _UNSPEAKABLE.sub("", text)


def rendered(name: str, **values: object) -> str:
    """A template without what the frame of our own pages adds: that looks into the session, and the answer would vary by cookie."""
    return current_app.jinja_env.get_template(name).render(**values)
