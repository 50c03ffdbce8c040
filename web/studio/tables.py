"""Tables for other programs (CSV): what strangers wrote must not reach into the artist's computer."""

import csv
import io
from collections.abc import Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a table program would reckon with."""


def line(cells: Sequence[str]) -> str:
    """One line; a cell that would be taken for a formula begins with an apostrophe."""
    text = io.StringIO()
    csv.writer(text).writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return text.getvalue()
