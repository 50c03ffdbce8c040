"""A receipt on paper: who sold what to whom, the tax in it, and its number."""

import gettext
from collections.abc import Callable
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from appliance import currencies
from appliance.errors import N_
from appliance.ledger.sheets import FONT
from appliance.mail.rendering import TRANSLATIONS
from appliance.shop import receipts
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.models import Receipt

WIDTHS_MM = (120, 30, 40)
ROW_MM, FOOT_MM = 6, 15
RECEIPT, SOLD_BY, SOLD_TO = N_("Receipt"), N_("Sold by"), N_("Sold to")
NUMBER, ISSUED, PAID, ORDER = N_("Number"), N_("Issued on"), N_("Paid on"), N_("Your order")
THING, TAX, AMOUNT, TOTAL = N_("What"), N_("Tax"), N_("Amount"), N_("Together")
TAX_NUMBER, COUNTRY, WITHOUT, GONE_BACK = (
    N_("VAT number"),
    N_("Country"),
    N_("without tax"),
    N_("Refunded on"),
)
THROUGH, TAKEN_OFF = N_("through"), N_("Taken off")


def drawn(
    order: Order,
    items: Sequence[OrderItem],
    receipt: Receipt,
    *,
    locale: str,
    taken_off: tuple[str, int] = ("", 0),
) -> bytes:
    """The receipt as a PDF in the language of its order; *taken_off* is by what the lines are less than their price, and how much."""
    # It takes a fifth of a second to import, and most processes never draw.
    from fpdf import FPDF

    told = gettext.translation("mail", TRANSLATIONS, languages=[locale], fallback=True).gettext
    paper = FPDF(format="A4")
    paper.set_title(f"{told(RECEIPT)} {receipts.named(receipt)}")
    paper.set_creation_date(receipt.issued_at)
    paper.set_auto_page_break(True, FOOT_MM)
    paper.add_font("DejaVu", fname=FONT)
    paper.add_page()
    _text(paper, 18, told(RECEIPT))
    _text(paper, 10, "\n".join(facts(order, receipt, told)))
    paper.ln(4)
    _text(paper, 10, "\n".join(people(order, receipt, told)))
    paper.ln(6)
    paper.set_font("DejaVu", size=9)
    _row(paper, (told(THING), told(TAX), told(AMOUNT)), filled=True)
    for item in items:
        _row(paper, line(item, order.currency))
    for cells in sums(order, items, told):
        _row(paper, cells)
    if taken_off[1]:
        _row(paper, (f"{told(TAKEN_OFF)}: {taken_off[0]}", "", _amount(taken_off[1], order.currency)))
    return bytes(paper.output())


def facts(order: Order, receipt: Receipt, told: Callable[[str], str]) -> list[str]:
    """Pure: the number and the days."""
    said = [
        f"{told(NUMBER)}: {receipts.named(receipt)}",
        f"{told(ISSUED)}: {_day(receipt.issued_at)}",
        f"{told(ORDER)}: {order.id}",
    ]
    if order.paid_at:
        said.append(f"{told(PAID)}: {_day(order.paid_at)}")
    if order.state == OrderState.REFUNDED and order.refunded_at:
        said.append(f"{told(GONE_BACK)}: {_day(order.refunded_at)}")
    return said


def people(order: Order, receipt: Receipt, told: Callable[[str], str]) -> list[str]:
    """Pure: who sold, and to whom."""
    said = [f"{told(SOLD_BY)}: {receipt.seller}", *receipt.address.splitlines()]
    if receipt.tax_number:
        said.append(f"{told(TAX_NUMBER)}: {receipt.tax_number}")
    if order.collective:
        said.append(f"{told(THROUGH)} {order.collective}")
    said += ["", f"{told(SOLD_TO)}: {order.email}"]
    if order.country:
        said.append(f"{told(COUNTRY)}: {order.country}")
    if order.business_number:
        said.append(f"{told(TAX_NUMBER)}: {order.business_number}")
    return said


def line(item: OrderItem, currency: str) -> tuple[str, str, str]:
    """Pure: one line, with the rate of the tax in it."""
    rate = f"{item.tax_name} {_rate(item.tax_bps)}" if item.tax_name else ""
    return item.name, rate, _amount(item.amount_minor, currency)


def sums(order: Order, items: Sequence[OrderItem], told: Callable[[str], str]) -> list[tuple[str, str, str]]:
    """Pure: the total, and of each tax how much it is and of what."""
    rows = [(told(TOTAL), "", _amount(order.total_minor, order.currency))]
    taxed: dict[tuple[str, int], tuple[int, int]] = {}
    for item in items:
        if item.tax_name:
            net, tax = taxed.get((item.tax_name, item.tax_bps), (0, 0))
            taxed[item.tax_name, item.tax_bps] = (
                net + item.amount_minor - item.tax_minor,
                tax + item.tax_minor,
            )
    for (name, bps), (net, tax) in taxed.items():
        rows.append((told(WITHOUT), f"{name} {_rate(bps)}", _amount(net, order.currency)))
        rows.append((told(TAX), f"{name} {_rate(bps)}", _amount(tax, order.currency)))
    return rows


def _text(paper: Any, size: int, text: str) -> None:
    paper.set_font("DejaVu", size=size)
    paper.multi_cell(0, size * 0.55, text, new_x="LMARGIN", new_y="NEXT")


def _row(paper: Any, cells: Sequence[str], *, filled: bool = False) -> None:
    paper.set_fill_color(235)
    with paper.offset_rendering() as tried:
        tried.multi_cell(WIDTHS_MM[0], ROW_MM, cells[0])
    if tried.page_break_triggered:
        paper.add_page()
    top, lines = paper.get_y(), paper.multi_cell(WIDTHS_MM[0], ROW_MM, cells[0], dry_run=True, output="LINES")
    paper.multi_cell(WIDTHS_MM[0], ROW_MM, cells[0], fill=filled, new_x="RIGHT", new_y="TOP")
    paper.cell(WIDTHS_MM[1], ROW_MM, cells[1], fill=filled, align="R")
    paper.cell(WIDTHS_MM[2], ROW_MM, cells[2], fill=filled, align="R")
    paper.set_xy(paper.l_margin, top + ROW_MM * max(1, len(lines)))


def _amount(amount_minor: int, currency: str) -> str:
    return f"{currencies.written(amount_minor, currency)} {currency}"


def _rate(bps: int) -> str:
    whole, rest = divmod(bps, 100)
    return f"{whole}.{rest:02}".rstrip("0") + " %" if rest else f"{whole} %"


def _day(instant: datetime) -> str:
    return instant.date().isoformat()
