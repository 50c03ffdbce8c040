"""A table on paper: pages of A4 with a title, a few lines below it, and rows under a heading that every page repeats."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appliance.ledger import writing

FONT = Path(__file__).with_name("fonts") / "DejaVuSansCondensed.ttf"
"""Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic and many signs; a letter it lacks is drawn as a square."""
WIDTHS_MM = (22, 30, 84, 27, 27)
SIDES = ("L", "L", "L", "R", "R")
ROW_MM, FOOT_MM = 5, 15


def drawn(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A PDF of it; the first of *rows* is the heading, and each has as many cells as ``WIDTHS_MM``."""
    # It takes a fifth of a second to import, and most processes never draw.
    from fpdf import FPDF

    paper = FPDF(format="A4")
    paper.set_title(title)
    paper.set_auto_page_break(True, FOOT_MM)
    paper.add_font("DejaVu", fname=FONT)
    paper.add_page()
    paper.set_font("DejaVu", size=16)
    paper.multi_cell(0, 9, title, new_x="LMARGIN", new_y="NEXT")
    paper.set_font("DejaVu", size=10)
    paper.multi_cell(0, 6, "\n".join(head), new_x="LMARGIN", new_y="NEXT")
    paper.ln(4)
    paper.set_font("DejaVu", size=8)
    heading, *body = rows
    _row(paper, heading, filled=True)
    for row in body:
        if paper.will_page_break(ROW_MM):
            paper.add_page()
            _row(paper, heading, filled=True)
        _row(paper, row)
    return bytes(paper.output())


def _row(paper: Any, cells: Sequence[str], *, filled: bool = False) -> None:
    paper.set_fill_color(235)
    for text, width, side in zip(cells, WIDTHS_MM, SIDES, strict=True):
        drawable = writing.drawable(writing.joined(text), paper.current_font.cmap)
        said = writing.in_sight(_fitting(paper, drawable, width - 2))
        paper.cell(width, ROW_MM, said, border="B", align=side, fill=filled)
    paper.ln(ROW_MM)


def _fitting(paper: Any, text: str, width_mm: float) -> str:
    """*text*, or as much of its beginning as there is room for."""
    if paper.get_string_width(text) <= width_mm:
        return text
    # By halves: a name can have thousands of letters.
    least, most = 0, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        fits = paper.get_string_width(text[:middle] + "…") <= width_mm
        least, most = (middle, most) if fits else (least, middle - 1)
    return text[:least] + "…"
