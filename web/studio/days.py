"""Days as forms send them: a first day begins at midnight, a last day ends with it, both by UTC."""

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta

from appliance.errors import Invalid


def first(text: str, *, field: str) -> datetime | None:
    """The beginning of the day that was written; nothing for an empty field."""
    day = _read(text, field)
    return None if day is None else datetime.combine(day, time(), UTC)


def last(text: str, *, field: str) -> datetime | None:
    """The end of the day that was written; nothing for an empty field."""
    day = _read(text, field)
    return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=1)


def last_day(end: datetime) -> date:
    """Pure: the last whole day before *end*."""
    return (end - timedelta(microseconds=1)).date()


def _read(text: str, field: str) -> date | None:
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid("Write the day like this: 2026-12-31.", field=field) from error
    if day.year > 2200:
        raise Invalid("Look at the year.", field=field)
    return day
