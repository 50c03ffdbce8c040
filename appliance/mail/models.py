"""The message row."""

from enum import StrEnum

import peewee

from appliance.database import Identified
from appliance.database import UtcDateTimeField


class MessageState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    """A job is to send it."""
    KEPT = "kept"
    """No mail server is set: an admin reads it in the outbox."""
    SENT = "sent"
    FAILED = "failed"


class Message(Identified):
    """One e-mail to one person; its text holds secret links, so it goes when it was sent, and after some days anyway.

    *attached* names a paper that goes with it, such as ``receipt:ID``; it is drawn when the message is sent.
    """

    kind = peewee.CharField(max_length=40)
    to = peewee.CharField(max_length=320)
    sender = peewee.CharField(max_length=200, default="")
    subject = peewee.CharField(max_length=300)
    text = peewee.TextField(default="")
    html = peewee.TextField(default="")
    attached = peewee.CharField(max_length=40, default="")
    state = peewee.CharField(max_length=10, default=MessageState.WAITING)
    problem = peewee.TextField(default="")
    created_at = UtcDateTimeField(index=True)
    sent_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "mail_message"
