"""The message as it travels: headers, two alternatives, text and HTML, and perhaps a paper beside them (RFC 5322, RFC 2046)."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from appliance.mail import addresses
from appliance.mail.attachments import Paper
from appliance.mail.models import Message
from appliance.mail.rendering import one_line


def compose(
    message: Message, paper: Paper | None = None, *, mail_from: str, to: str, now: datetime
) -> EmailMessage:
    """Pure: *message* ready to be sent, with a *paper* where one goes with it; header injection is impossible, since no header holds a line end."""
    letter = EmailMessage(policy=SMTP.clone(utf8=addresses.needs_utf8(to + mail_from)))
    domain = mail_from.rpartition("@")[2]
    letter["From"] = _address(mail_from, name=one_line(message.sender))
    letter["To"] = _address(to)
    letter["Subject"] = one_line(message.subject)
    letter["Date"] = format_datetime(now)
    # The same for every attempt: it is how a mailbox knows a second copy.
    letter["Message-ID"] = f"<{message.id.lower()}@{domain}>"
    # Machines that answer for people on holiday leave such mail alone (RFC 3834), and people sort it by the list (RFC 2919).
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    letter["List-Id"] = f"<musicconnect.{domain}>"
    # Quoted-printable goes through any server, whatever it says of eight bits and of long lines.
    letter.set_content(message.text, cte="quoted-printable")
    letter.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if paper is not None:
        letter.add_attachment(paper.content, maintype="application", subtype="pdf", filename=paper.name)
    return letter


def _address(address: str, *, name: str = "") -> Address:
    username, _, domain = address.rpartition("@")
    if username.startswith('"'):
        return Address(display_name=name, addr_spec=address)
    return Address(display_name=name, username=username, domain=domain)
