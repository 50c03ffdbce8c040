"""The form of an agreement on shares: rows as somebody writes them, and what the domain makes of them."""

from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time

from flask import request

from appliance import currencies
from appliance.errors import Invalid
from appliance.ledger import agreements
from appliance.ledger.agreements import Wanted
from appliance.ledger.models import SplitPart

FIELDS = ("payee", "share", "recoup", "currency")
MOST_ROWS = 2 * agreements.MOST_PARTS


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the form as somebody writes it."""

    payee: str = ""
    share: str = ""
    recoup: str = ""
    currency: str = currencies.EURO

    @property
    def blank(self) -> bool:
        """Whether nothing was written in it; a currency stands in every row."""
        return not (self.payee or self.share or self.recoup)


def sent() -> list[Row]:
    """The rows that were sent, as they were written."""
    columns = [request.form.getlist(name)[:MOST_ROWS] for name in FIELDS]
    longest = max(len(column) for column in columns)
    # A column that is too short lacks what a row does not say.
    filled = [column + [""] * (longest - len(column)) for column in columns]
    return [
        replace(row, currency=row.currency or currencies.EURO)
        for row in (Row(*(text.strip()[:120] for text in texts)) for texts in zip(*filled, strict=True))
    ]


def wanted(number: int, row: Row) -> Wanted:
    """What a row asks for; ``Invalid`` names its field by its *number*."""
    recoup, code = 0, ""
    try:
        field = f"share-{number}"
        share = agreements.read_share(row.share or "0")
        if row.recoup:
            field = f"currency-{number}"
            code = currencies.read(row.currency)
            field = f"recoup-{number}"
            recoup = currencies.minor(row.recoup, code)
    except Invalid as error:
        error.field = field
        raise
    # Who copies the address of a page copies what stands before the name as well.
    return Wanted(row.payee.rstrip("/").rpartition("/")[2].removeprefix("@"), share, recoup, code)


def start(text: str, now: datetime) -> datetime | None:
    """The beginning of the day that was written; today, as an empty field, is at once."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid("Write the day like this: 2026-12-31.", field="from") from error
    return None if day == now.astimezone(UTC).date() else datetime.combine(day, time(), UTC)


def of_part(part: SplitPart, names: dict[str, tuple[str, str]]) -> Row:
    """A part as one writes it; *names* are names and addresses of payees by id."""
    code = part.recoup_currency or currencies.EURO
    recoup = currencies.written(part.recoup_minor, code) if part.recoup_minor else ""
    slug = names.get(part.payee, ("", part.payee))[1]
    return Row(slug, agreements.written_share(part.share_bps), recoup, code)
