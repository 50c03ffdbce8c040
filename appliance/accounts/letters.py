"""Letters about one's account, written in the transaction of the act they tell of and sent after it."""

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime

from appliance import jobs
from appliance import mail
from appliance.database import new_id
from appliance.database import transaction
from appliance.mail import rendering

TO_NOBODY = jobs.kind("letter_to_nobody", jobs.Lane.MAIL)
"""The job that does nothing: see ``Letters.write_to_nobody``."""


@dataclass(slots=True)
class Letters:
    """The letters of one act: whose name they bear, in which language, and what is to be sent after the commit."""

    collective: str
    locale: str
    queued: list[str] = field(default_factory=list)

    def write(self, kind: str, to: str, *, now: datetime, **facts: object) -> None:
        """Write a letter of *kind*; call it inside the transaction of the act."""
        said = {"collective": self.collective, **facts}
        self.queued.append(mail.send(kind, to, facts=said, locale=self.locale, now=now))

    def write_to_nobody(self, kind: str, *, now: datetime, **facts: object) -> None:
        """As much work as a letter of *kind*, and no letter: so nobody can tell by the clock whether there is an account."""
        said = {"collective": self.collective, **facts}
        rendering.render(kind, said, locale=self.locale)
        with transaction():
            self.queued.append(jobs.add(TO_NOBODY, new_id(), now=now).id)

    def post(self) -> None:
        """Send what was written; after the commit."""
        for job_id in self.queued:
            jobs.send(job_id)
        self.queued.clear()


@jobs.handles(TO_NOBODY)
def deliver_to_nobody(running: jobs.Running) -> None:
    """Nothing: there was no such account."""
