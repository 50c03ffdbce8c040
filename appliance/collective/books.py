"""Looking after the books: everything that can be asked of them is asked every night, and a difference is an alarm until it is gone."""

import logging
from datetime import datetime

from appliance import clock
from appliance import jobs
from appliance import startup
from appliance.accounts import roles
from appliance.accounts.letters import Letters
from appliance.accounts.models import RoleName
from appliance.billing import checking as billing
from appliance.collective import identity
from appliance.database import transaction
from appliance.ledger import alarms
from appliance.ledger import checking
from appliance.ledger.checking import Difference
from appliance.settings import Settings

log = logging.getLogger(__name__)

CHECK = jobs.kind("check_books", jobs.Lane.ANALYTICS)
"""The kind of the job that checks; its subject is the ledger."""
NAMED_IN_LOG = 20
MOST_ADMINS = 100


def differences(*, now: datetime) -> list[Difference]:
    """All that does not fit: in the books, between money and access, between our books and the providers'."""
    return [*checking.differences(), *billing.differences(now)]


def look(settings: Settings, *, began_at: datetime) -> list[Difference]:
    """Check, keep what was found, and tell the admins of a difference: in the log, on their pages, and by a letter a day."""
    found = differences(now=began_at)
    now = clock.now()
    letters = Letters(identity.current(settings).name, "en")
    check = alarms.note(found, began_at=began_at, now=now)
    log.info("books checked", extra={"differences": len(found), "seconds": (now - began_at).total_seconds()})
    for one in found[:NAMED_IN_LOG]:
        log.error("books differ", extra={"check": one.check, "row": one.row, "why": one.sentence})
    if found:
        with transaction():
            if alarms.letter_is_due(now=now):
                for admin in roles.page(role=RoleName.ADMIN, limit=MOST_ADMINS):
                    if admin.active:
                        letters.write(
                            "books_differ",
                            admin.email,
                            now=now,
                            count=len(found),
                            first=f"{found[0].row}: {found[0].sentence}",
                        )
                alarms.mailed(check, now=now)
        letters.post()
    return found


def ask(*, now: datetime) -> str:
    """The id of a job that checks; ``send`` it."""
    return jobs.add(CHECK, "ledger", now=now).id


@jobs.handles(CHECK)
def checked(job: jobs.Running) -> None:
    """The job itself."""
    look(startup.appliance().settings, began_at=clock.now())
