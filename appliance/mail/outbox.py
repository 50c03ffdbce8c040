"""The outbox: what was sent, what waits and what failed, as an admin looks at it; and forgetting it in time."""

from datetime import datetime
from datetime import timedelta

from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.mail.models import Message
from appliance.mail.models import MessageState
from appliance.mail.sending import queue

TEXT_KEPT = timedelta(days=7)
"""A text holds secret links, and none of them lives longer than is good."""
KEPT = timedelta(days=90)


def page(*, state: str = "", before: str | None = None, limit: int = 50) -> list[Message]:
    """Messages, newest first."""
    query = Message.select().order_by(Message.id.desc()).limit(limit)
    if state:
        query = query.where(Message.state == state)
    if before:
        query = query.where(Message.id < before)
    return list(query)


def find(message_id: str) -> Message:
    """The message with this id, or ``NotFound``."""
    message = Message.get_or_none(Message.id == message_id)
    if message is None:
        raise NotFound("There is no such message.")
    return message


def send_again(message_id: str, *, now: datetime) -> str:
    """Let a message that was kept or that failed be sent after all; the id of its job, to be sent after the commit."""
    with transaction():
        message = find(message_id)
        if message.state == MessageState.SENT:
            raise Conflict("This message is sent already.")
        if not message.text:
            raise Conflict("The text of this message is removed, so it cannot be sent any more.")
        Message.update(state=MessageState.WAITING, problem="").where(Message.id == message_id).execute()
        return str(queue(message, now=now).id)


def in_trouble() -> tuple[int, str]:
    """How many messages wait although they were tried, and what was wrong with the newest of them."""
    troubled = (Message.state == MessageState.WAITING) & (Message.problem != "")
    newest = Message.select().where(troubled).order_by(Message.id.desc()).first()
    return Message.select().where(troubled).count(), newest.problem if newest else ""


def expire(*, now: datetime) -> int:
    """Remove the texts of messages older than a week, and messages older than a season; returns how many texts went."""
    Message.delete().where(Message.created_at < now - KEPT).execute()
    old = (Message.created_at < now - TEXT_KEPT) & (Message.text != "")
    return int(Message.update(text="", html="").where(old).execute())
