"""Who is signed in on this device, said so that a browser can tell one listener from another without knowing either."""

import secrets

from flask import Response
from flask import request
from flask import session

from appliance.memberships import offline
from web.installed.routing import blueprint
from web.request_cycle import appliance
from web.request_cycle import person

WORD = "offline"


def session_word() -> str:
    """A random word of this session; it ends with it."""
    if WORD not in session:
        session[WORD] = secrets.token_urlsafe(16)
    return str(session[WORD])


@blueprint.app_template_global()
def listener_mark() -> str:
    """The word for who is signed in, empty for nobody: what another one kept in this browser has to go."""
    who = person()
    if who is None:
        return ""
    return offline.owner(who, session=session_word(), secret=appliance().secret)


@blueprint.after_app_request
def clear_on_leaving(answer: Response) -> Response:
    """Have the browser forget what it holds of us when somebody signs out, even where no script of ours runs (Clear Site Data)."""
    if request.endpoint == "security.logout" and request.method == "POST" and answer.status_code < 400:
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        # The cookie itself stays, and with it what else is in it: the next one who signs in here gets another word, and other keys.
        session.pop(WORD, None)
    return answer
