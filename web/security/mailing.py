"""The letters of Flask-Security: handed to the mail of the appliance, whose jobs send them; no request waits for a mail server."""

from typing import Any

from flask import Flask
from flask import Response
from flask import g
from flask_babel import get_locale
from flask_security import MailUtil

from appliance import clock
from appliance.accounts.letters import Letters
from appliance.accounts.models import User
from appliance.collective import identity
from web import addresses
from web.request_cycle import appliance

CONFIRM_DAYS, RECOVER_HOURS, CHANGE_HOURS = 3, 2, 2
KINDS = {
    "welcome": ("confirm_address", "confirmation_link", {"days": CONFIRM_DAYS}),
    "confirmation_instructions": ("confirm_address", "confirmation_link", {"days": CONFIRM_DAYS}),
    "welcome_existing": ("address_known", "reset_link", {"hours": RECOVER_HOURS}),
    "reset_instructions": ("recover_password", "reset_link", {"hours": RECOVER_HOURS}),
    "change_email_instructions": ("confirm_new_address", "link", {"hours": CHANGE_HOURS}),
    "reset_notice": ("password_changed", "", {}),
    "change_notice": ("password_changed", "", {}),
}
"""What its templates are called, which kind of letter that is for us, where the link stands, and how long that works."""


def register(app: Flask) -> None:
    """Send the letters of a request when it has gone well."""
    app.after_request(post)


def letters() -> Letters:
    """The letters of this request, in the language of who asks."""
    if "letters" not in g:
        collective = identity.current(appliance().settings).name
        g.letters = Letters(collective, str(get_locale() or "en"))
    found: Letters = g.letters
    return found


def post(response: Response) -> Response:
    """Everything is committed by now."""
    if "letters" in g:
        letters().post()
    return response


class Mailbox(MailUtil):
    """Writes what Flask-Security wants to be sent."""

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: str | tuple[str, str],
        sender: str | tuple[str, str],
        body: str | None,
        html: str | None,
        **context: Any,
    ) -> None:
        """Write a letter; one to nobody for who is not there, or may not come in."""
        kind, link, facts = KINDS[template.rpartition("/")[2]]
        said: dict[str, object] = dict(facts)
        if link:
            said["link"] = outside(context[link])
        user, to, now = context["user"], str(recipient), clock.now()
        if kind == "address_known" and context.get("confirmation_link"):
            kind, said = (
                "confirm_address",
                {"days": CONFIRM_DAYS, "link": outside(context["confirmation_link"])},
            )
        if kind == "confirm_new_address" and User.select().where(User.email == to.lower()).exists():
            kind, said = "address_taken", {}
        if getattr(user, "stand_in", False) or not user.active:
            letters().write_to_nobody(kind, now=now, **said)
        else:
            letters().write(kind, to, now=now, **said)


def outside(link: str) -> str:
    """A link of Flask-Security as a reader outside can follow it: below the public address, whatever this request called its host."""
    path = "/" + link.partition("://")[2].partition("/")[2]
    return addresses.root() + path
