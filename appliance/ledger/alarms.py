"""What the checks of the books found: kept, so that whoever looks after the node sees it until a later check finds nothing."""

import json
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from appliance.database import transaction
from appliance.ledger.checking import Difference
from appliance.ledger.models import BookCheck

MOST_KEPT = 50
KEPT = timedelta(days=90)
BETWEEN_LETTERS = timedelta(hours=20)
"""Less than a day, since a check takes not the same time each night."""


def note(found: Sequence[Difference], *, began_at: datetime, now: datetime) -> BookCheck:
    """Keep what a check found, and forget the checks of long ago."""
    told = [[one.check, one.row, one.sentence] for one in found[:MOST_KEPT]]
    with transaction():
        BookCheck.delete().where(BookCheck.ended_at < now - KEPT).execute()
        made: BookCheck = BookCheck.create(
            began_at=began_at, ended_at=now, differences=len(found), told=json.dumps(told)
        )
    return made


def latest() -> BookCheck | None:
    """The last check of the books, if there ever was one."""
    found: BookCheck | None = (
        BookCheck.select().order_by(BookCheck.ended_at.desc(), BookCheck.id.desc()).first()
    )
    return found


def told(check: BookCheck) -> list[Difference]:
    """The first differences that this check found."""
    return [Difference(*row) for row in json.loads(check.told)]


def letter_is_due(*, now: datetime) -> bool:
    """Whether admins were told of nothing today; for the transaction that tells them."""
    return not BookCheck.select().where(BookCheck.mailed_at > now - BETWEEN_LETTERS).exists()


def mailed(check: BookCheck, *, now: datetime) -> None:
    """Note that admins were told."""
    BookCheck.update(mailed_at=now).where(BookCheck.id == check.id).execute()
