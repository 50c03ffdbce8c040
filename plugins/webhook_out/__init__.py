"""Tell other servers that a track went public: signed JSON, sent by durable jobs; see README.md beside this file."""

import dataclasses
import hashlib
import json
import logging
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from urllib3.util import Url

from appliance import clock
from appliance import hookimpl
from appliance import jobs
from appliance import outgoing
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.hookspecs import PublishedTrack
from appliance.settings import Setting
from plugins.webhook_out import signing

log = logging.getLogger(__name__)

KIND = "webhook_out"
"""The kind of the jobs that send; their subject is ``RECEIVER:TRACK``, their payload the body."""
GONE = 410
# The status says it all; the rest is read only so that the receiver can finish its sentence.
MOST_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """To whom to send and how; receivers by a digest of their address, since an address may hold a password."""

    receivers: dict[str, Url] = field(default_factory=dict)
    key: bytes = b""
    timeout_s: int = 10
    attempts: int = 12
    allow_private: bool = False


_plan = Plan()


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """To whom to send, how to sign, and for how long to try."""
    return (
        Setting("urls", tuple, (), "Addresses that receive a POST for every track that goes public."),
        Setting(
            "secret", str, "", "Key of the signatures: whsec_ and 24 to 64 bytes in base64.", secret=True
        ),
        Setting("timeout_s", int, 10, "Seconds a receiver may take to answer.", minimum=1, maximum=60),
        Setting(
            "attempts", int, 12, "How often to try; 12 tries last about seven hours.", minimum=1, maximum=100
        ),
        Setting(
            "allow_private_addresses", bool, False, "Whether receivers may be in this machine's own network."
        ),
    )


@hookimpl
def plugin_start(values: dict[str, Any]) -> None:
    """Check addresses and secret without a look at the network; ``Invalid`` names what is wrong."""
    global _plan
    _plan = Plan()
    allow_private = values["allow_private_addresses"]
    receivers = {_digest(url): _checked(url, allow_private=allow_private) for url in values["urls"]}
    if receivers and not values["secret"]:
        raise Invalid(
            "The setting 'secret' is missing; receivers could not tell our messages from others'.",
            field="secret",
        )
    key = signing.key_of(values["secret"]) if values["secret"] else b""
    _plan = Plan(receivers, key, values["timeout_s"], values["attempts"], allow_private)
    # Only now: while the plugin does not run, what it still has to send waits for it.
    jobs.handles(KIND)(send)


@hookimpl
def track_published(track: PublishedTrack) -> None:
    """Write down one message for each receiver, then hand them to the workers."""
    data = dataclasses.asdict(track)
    message = {"type": "track.published", "timestamp": track.published_at, "data": data}
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    queued = [
        jobs.add(
            KIND, f"{receiver}:{track.track_id}", now=clock.now(), max_attempts=_plan.attempts, payload=body
        )
        for receiver in _plan.receivers
    ]
    for job in queued:
        jobs.send(job.id)


def send(running: jobs.Running) -> None:
    """POST one message: done by any 2xx, ended by 410, else ``Unavailable``, so that the job is tried again later."""
    receiver, _, track_id = running.subject.partition(":")
    place = _plan.receivers.get(receiver)
    if place is None:
        log.info("webhook dropped, its receiver is no longer in the settings", extra={"track": track_id})
        return
    running.progress(0)
    body = running.payload.encode()
    # The same for every attempt: it is how a receiver knows a message that it already has.
    message_id = f"track_published_{track_id}"
    headers = signing.headers(message_id, body, _plan.key, at_s=int(clock.now().timestamp()))
    status = outgoing.post(
        place,
        body,
        headers=headers,
        timeout_s=_plan.timeout_s,
        allow_private=_plan.allow_private,
        most_bytes=MOST_READ_BYTES,
    ).status
    if status == GONE:
        raise Invalid(
            f"The receiver {place.host} wants no more messages (410); take it out of the setting 'urls'."
        )
    if not 200 <= status < 300:
        raise Unavailable(f"The receiver {place.host} answered {status}.")


def _checked(url: str, *, allow_private: bool) -> Url:
    try:
        return outgoing.checked(url, allow_private=allow_private)
    except Invalid as error:
        raise Invalid(f"The setting 'urls': {error}", field="urls") from error


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]
