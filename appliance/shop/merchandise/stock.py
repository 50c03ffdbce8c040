"""Stock is taken by one statement that takes it or does not, so what is there once is sold once, however many ask at the same moment."""

from collections.abc import Iterable

from appliance.database import transaction
from appliance.shop.merchandise.models import ParcelLine
from appliance.shop.merchandise.models import Variant


def take(lines: Iterable[ParcelLine]) -> ParcelLine | None:
    """Take what these lines hold out of the stock, in the caller's transaction; the first line that there is not enough for, and then roll back.

    What is made to order has no stock to be taken from.
    """
    # In one order everywhere, or two that want the same two things would wait for each other.
    for line in sorted(lines, key=lambda row: row.variant):
        if line.taken:
            continue
        here = Variant.id == line.variant
        enough = here & (Variant.stock >= line.quantity)
        if Variant.update(stock=Variant.stock - line.quantity).where(enough).execute():
            _mark(line, True)
        elif not Variant.select().where(here, Variant.stock.is_null()).exists():
            return line
    return None


def take_all_or_nothing(lines: Iterable[ParcelLine]) -> bool:
    """Take all of it, or nothing; whether it was there."""
    rows = list(lines)
    before = [row.taken for row in rows]
    try:
        with transaction():
            if take(rows) is not None:
                raise _Short
    except _Short:
        for row, taken in zip(rows, before, strict=True):
            row.taken = taken
        return False
    return True


def give_back(lines: Iterable[ParcelLine]) -> None:
    """Put back what was taken, once; a variant that is gone or is made to order by now has no stock to go to."""
    for line in sorted(lines, key=lambda row: row.variant):
        if not line.taken:
            continue
        here = (Variant.id == line.variant) & Variant.stock.is_null(False)
        Variant.update(stock=Variant.stock + line.quantity).where(here).execute()
        _mark(line, False)


class _Short(Exception):
    pass


def _mark(line: ParcelLine, taken: bool) -> None:
    ParcelLine.update(taken=taken).where(ParcelLine.id == line.id).execute()
    line.taken = taken
