"""Writing a message down in the transaction of its act, and the job that sends it."""

import logging
from collections.abc import Mapping
from datetime import datetime

from appliance import clock
from appliance import jobs
from appliance import prepared
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.jobs import Job
from appliance.mail import addresses
from appliance.mail import attachments
from appliance.mail import letter
from appliance.mail import rendering
from appliance.mail import server
from appliance.mail import smtp
from appliance.mail.models import Message
from appliance.mail.models import MessageState

log = logging.getLogger(__name__)

JOB = jobs.kind("mail", jobs.Lane.MAIL)
"""The kind of the jobs that send; their subject is a message's id."""
ATTEMPTS = 12
"""Twelve tries last about seven hours."""


def send(
    kind: str, to: str, *, facts: Mapping[str, object], locale: str, attached: str = "", now: datetime
) -> str:
    """Write a message of *kind* down for the address *to* and return the id of the job that sends it.

    Call it inside the transaction of the act, and ``jobs.send`` with the id after the commit. *facts* hold ``collective``, its name,
    and what the kind names; *locale* is the reader's language. *attached* names a paper that goes with it (see ``attachments``).
    """
    return str(_keep(kind, to, facts=facts, locale=locale, attached=attached, now=now).id)


def post(
    kind: str, to: str, *, facts: Mapping[str, object], locale: str, attached: str = "", now: datetime
) -> str:
    """As ``send``, and the job is sent by itself once the transaction is committed: for what follows from an act, deep within it."""
    with transaction():
        job = _keep(kind, to, facts=facts, locale=locale, attached=attached, now=now)
        jobs.send_when_committed(job)
    return str(job.id)


def send_at_once(
    kind: str, to: str, place: server.Server, *, facts: Mapping[str, object], locale: str, now: datetime
) -> None:
    """Send without a job and without a trace, for a test: raises as ``smtp.deliver`` does."""
    _deliver(_written(kind, to, facts=facts, locale=locale, now=now), place, now=now)


def queue(message: Message, *, now: datetime) -> Job:
    """The job that sends *message*, made if there is none."""
    return jobs.add(JOB, message.id, now=now, max_attempts=ATTEMPTS)


def note_failed(message_id: str, sentence: str) -> None:
    """The job gave up: tell it in the outbox."""
    Message.update(state=MessageState.FAILED, problem=sentence).where(
        Message.id == message_id, Message.state == MessageState.WAITING
    ).execute()


@jobs.handles(JOB, failed=note_failed)
def deliver(running: jobs.Running) -> None:
    """Send one message; nothing happens when it is sent already, gone, or when no server is set."""
    message = Message.get_or_none(Message.id == running.subject)
    if message is None or message.state == MessageState.SENT:
        return
    place = server.current()
    if place is None:
        _note(message, state=MessageState.KEPT, problem="")
        return
    running.progress(0)
    try:
        if not message.text:
            raise Invalid("Its text was removed before it could be sent.")
        _deliver(message, place, now=clock.now())
    except Unavailable as error:
        # Another try follows; meanwhile an admin sees why it waits.
        _note(message, problem=str(error))
        raise
    # Its links are secret and have arrived; what is kept tells only that there was a message.
    _note(message, state=MessageState.SENT, problem="", text="", html="", sent_at=clock.now())
    log.info("mail sent", extra={"mail": message.id, "kind": message.kind})


def _keep(
    kind: str, to: str, *, facts: Mapping[str, object], locale: str, attached: str, now: datetime
) -> Job:
    with transaction():
        message = _written(kind, to, facts=facts, locale=locale, now=now)
        message.attached = attached
        prepared.insert(Message, **message.__data__)
        return queue(message, now=now)


def _written(kind: str, to: str, *, facts: Mapping[str, object], locale: str, now: datetime) -> Message:
    said = rendering.render(kind, facts, locale=locale)
    sender = rendering.one_line(str(facts["collective"]))[:200]
    return Message(
        kind=kind,
        to=to,
        sender=sender,
        subject=said.subject,
        text=said.text,
        html=said.html,
        created_at=now,
    )


def _deliver(message: Message, place: server.Server, *, now: datetime) -> None:
    to = addresses.encoded(message.to)
    paper = attachments.drawn(message.attached) if message.attached else None
    smtp.deliver(place, letter.compose(message, paper, mail_from=place.mail_from, to=to, now=now), to=to)


def _note(message: Message, **values: object) -> None:
    Message.update(**values).where(Message.id == message.id).execute()
