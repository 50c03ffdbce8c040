"""The outbox: every message with what became of it, its text while it waits, and a test of the mail server."""

from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance import clock
from appliance import jobs
from appliance import mail as letters
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.permissions import Permission
from appliance.collective import identity
from appliance.errors import Conflict
from appliance.mail import MessageState
from appliance.mail import outbox
from web.admin import entrance
from web.request_cycle import appliance

STATES = {
    "": lazy_gettext("All"),
    MessageState.WAITING: lazy_gettext("Waiting"),
    MessageState.KEPT: lazy_gettext("Kept here"),
    MessageState.FAILED: lazy_gettext("Failed"),
    MessageState.SENT: lazy_gettext("Sent"),
}


@entrance.get("/mail", Permission.MAIL_MANAGE)
def mail() -> str:
    """Messages, newest first."""
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    found = outbox.page(state=state, limit=entrance.ON_A_PAGE + 1, before=entrance.cursor())
    rows, older = entrance.sliced(found, "admin.mail", state=state)
    return entrance.page(
        "mail",
        "mail",
        state=state,
        states=[
            (str(name), str(text), url_for("admin.mail", state=name or None)) for name, text in STATES.items()
        ],
        told_states=STATES,
        rows=rows,
        older=older,
        first=request.args.get("before") is None,
        is_set=letters.is_set(),
    )


@entrance.get("/mail/<message_id>", Permission.MAIL_MANAGE)
def mail_message(message_id: str) -> str:
    """One message that was kept, as text: who reads it could use its links, so the trail tells that somebody did.

    The text of one that a mail server has, or will get, is between the collective and whom it is for.
    """
    message = outbox.find(message_id)
    readable = bool(message.text) and message.state == MessageState.KEPT
    if readable:
        audit.record(
            Action.MAIL_READ, actor=entrance.actor().id, subject=f"mail:{message.id}", now=clock.now()
        )
    return entrance.page("mail_message", "mail", message=message, readable=readable, told_states=STATES)


@entrance.post("/mail/<message_id>/send", Permission.MAIL_MANAGE)
def send_mail(message_id: str) -> ResponseReturnValue:
    """Send after all what was kept, or what failed."""
    try:
        jobs.send(outbox.send_again(message_id, now=clock.now()))
    except Conflict as error:
        return entrance.refused(error, "admin.mail")
    return entrance.done(_("It is being sent. Look again in a moment."), "admin.mail")


@entrance.post("/mail/test", Permission.MAIL_MANAGE)
def test_mail() -> ResponseReturnValue:
    """A message to oneself."""
    who = entrance.actor()
    name = identity.current(appliance().settings).name
    jobs.send(
        letters.send("test", who.email, facts={"collective": name}, locale=str(get_locale()), now=clock.now())
    )
    return entrance.done(
        _("A test to %(email)s is on its way; what becomes of it is told here.", email=who.email),
        "admin.mail",
    )
