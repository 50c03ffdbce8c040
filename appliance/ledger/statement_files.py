"""A statement for other programs (CSV, however long) and for paper (PDF)."""

import csv
import io
from collections.abc import Iterator
from collections.abc import Mapping
from itertools import islice

from appliance import currencies
from appliance.errors import Invalid
from appliance.ledger import sheets
from appliance.ledger import statements
from appliance.ledger.models import TransactionKind
from appliance.ledger.statements import Line
from appliance.ledger.statements import Statement

HEADINGS = ("date", "what", "for", "artist", "amount", "balance", "currency", "reference")
MOST_ON_PAPER = 2_000


def csv_lines(statement: Statement) -> Iterator[str]:
    """A heading, the opening balance, a row for each line, and the closing balance."""
    code = statement.currency
    yield _row(HEADINGS)
    opening = currencies.written(statement.opening_minor, code)
    yield _row((statement.first.isoformat(), "opening balance", "", "", "", opening, code, ""))
    for line in statements.every(statement):
        yield _row(
            (
                line.at.isoformat(),
                line.kind,
                _safe("; ".join(line.names)),
                _safe(line.artist),
                currencies.written(line.amount_minor, code),
                currencies.written(line.balance_minor, code),
                code,
                line.reference,
            )
        )
    closing = currencies.written(statement.closing_minor, code)
    yield _row((statement.last.isoformat(), "closing balance", "", "", "", closing, code, ""))


def pdf(
    statement: Statement,
    *,
    payee: str,
    collective: str,
    told: Mapping[TransactionKind, str],
    texts: Mapping[str, str],
) -> bytes:
    """The same on paper; ``Invalid`` for more lines than anybody prints.

    *told* are the kinds in the reader's words and *texts* the words around: ``statement``, ``date``, ``what``, ``for``, ``amount``,
    ``balance``, ``opening``, ``closing`` and ``period``.
    """
    lines = list(islice(statements.every(statement), MOST_ON_PAPER + 1))
    if len(lines) > MOST_ON_PAPER:
        raise Invalid(
            "This statement has more than {most} lines, which is too much for paper: choose fewer days, or take it as CSV.",
            most=f"{MOST_ON_PAPER:,}",
        )
    code = statement.currency
    head = [
        collective,
        f"{texts['period']}: {statement.first.isoformat()} – {statement.last.isoformat()} (UTC)",
        code,
        *(
            f"{told.get(kind, kind)}: {currencies.written(amount, code)}"
            for kind, amount in statement.sums.items()
        ),
    ]
    rows = [
        [texts[name] for name in ("date", "what", "for", "amount", "balance")],
        [
            statement.first.isoformat(),
            texts["opening"],
            "",
            "",
            currencies.written(statement.opening_minor, code),
        ],
        *(_cells(line, told, code) for line in lines),
        [
            statement.last.isoformat(),
            texts["closing"],
            "",
            "",
            currencies.written(statement.closing_minor, code),
        ],
    ]
    return sheets.drawn(f"{texts['statement']}: {payee}", head, rows)


def _cells(line: Line, told: Mapping[TransactionKind, str], code: str) -> list[str]:
    what = ", ".join([*line.names, *([line.artist] if line.artist else [])])
    return [
        line.at.date().isoformat(),
        str(told.get(line.kind, line.kind)),
        what,
        currencies.written(line.amount_minor, code),
        currencies.written(line.balance_minor, code),
    ]


def _row(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def _safe(text: str) -> str:
    # A cell that begins like this, whatever blanks stand before, is run as a formula by the programs that open such files.
    formula = text.lstrip().startswith(("=", "+", "-", "@", "|")) or text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if formula else text
