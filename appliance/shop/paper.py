"""A paper as it is drawn: a title, a few lines, and a table of what it is about, on pages of A4.

Letters that the font lacks (see ``ledger.sheets``), Chinese, Japanese and Korean above all, are drawn as squares; nothing else of
the paper suffers by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance import currencies
from appliance.ledger import writing
from appliance.ledger.sheets import FONT

WIDTHS_MM = (120, 30, 40)
ROW_MM, FOOT_MM = 6, 15
Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on a paper: its *title* and *number*, *facts* and *people* as lines, and *rows* of which the first is the heading."""

    title: str
    number: str
    facts: Sequence[str]
    people: Sequence[str]
    rows: Sequence[Row]


def drawn(sheet: Sheet, *, at: datetime) -> bytes:
    """The paper as a PDF; the same for the same *at*."""
    # It takes a fifth of a second to import, and most processes never draw.
    from fpdf import FPDF

    paper = FPDF(format="A4")
    paper.set_title(f"{sheet.title} {sheet.number}")
    paper.set_creation_date(at)
    paper.set_auto_page_break(True, FOOT_MM)
    paper.add_font("DejaVu", fname=FONT)
    paper.add_page()
    _text(paper, 18, sheet.title)
    _text(paper, 10, "\n".join(sheet.facts))
    paper.ln(4)
    _text(paper, 10, "\n".join(sheet.people))
    paper.ln(6)
    paper.set_font("DejaVu", size=9)
    for number, cells in enumerate(sheet.rows):
        _row(paper, cells, filled=not number)
    return bytes(paper.output())


def amount(amount_minor: int, currency: str) -> str:
    """Pure: an amount as it stands on a paper."""
    return f"{currencies.written(amount_minor, currency)} {currency}"


def rate(bps: int) -> str:
    """Pure: hundredths of a percent as they stand on a paper."""
    whole, rest = divmod(bps, 100)
    return f"{whole}.{rest:02}".rstrip("0") + " %" if rest else f"{whole} %"


def tax_called(name: str, bps: int) -> str:
    """Pure: a tax with its rate; only its rate's place stays empty where nobody told it."""
    return f"{name} {rate(bps)}" if name else ""


def day(instant: datetime) -> str:
    """Pure: a day (UTC) as it stands on a paper."""
    return instant.date().isoformat()


def _text(paper: Any, size: int, text: str) -> None:
    paper.set_font("DejaVu", size=size)
    for line in _lines(paper, paper.epw, text):
        paper.cell(0, size * 0.55, line, new_x="LMARGIN", new_y="NEXT")


def _row(paper: Any, cells: Row, *, filled: bool = False) -> None:
    paper.set_fill_color(235)
    lines = _lines(paper, WIDTHS_MM[0], cells[0])
    if paper.will_page_break(ROW_MM * len(lines)):
        paper.add_page()
    for number, line in enumerate(lines):
        for text, width, side in zip((line, *cells[1:]), WIDTHS_MM, "LRR", strict=True):
            paper.cell(width, ROW_MM, "" if number and side == "R" else text, fill=filled, align=side)
        paper.ln(ROW_MM)


def _lines(paper: Any, width_mm: float, text: str) -> list[str]:
    """*text* in lines that fit, each as it stands on paper: broken as it is read, and only then turned."""
    drawable = writing.drawable(writing.joined(text), paper.current_font.cmap)
    found = paper.multi_cell(width_mm, ROW_MM, drawable, dry_run=True, output="LINES")
    return [writing.in_sight(line) for line in found] or [""]
