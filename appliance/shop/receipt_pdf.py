"""The receipt of an order on paper: who sold what to whom, the tax in it, and its number."""

from collections.abc import Callable
from collections.abc import Sequence

from appliance.errors import N_
from appliance.mail.rendering import translator
from appliance.shop import paper
from appliance.shop import receipts
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.models import Receipt
from appliance.shop.paper import Sheet

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
    told = translator(locale)
    rows = [(told(THING), told(TAX), told(AMOUNT))]
    rows += [line(item, order.currency) for item in items]
    rows += sums(order, items, told)
    if taken_off[1]:
        rows.append((f"{told(TAKEN_OFF)}: {taken_off[0]}", "", paper.amount(taken_off[1], order.currency)))
    sheet = Sheet(
        title=told(RECEIPT),
        number=receipts.named(receipt),
        facts=facts(order, receipt, told),
        people=people(order, receipt, told),
        rows=rows,
    )
    return paper.drawn(sheet, at=receipt.issued_at)


def facts(order: Order, receipt: Receipt, told: Callable[[str], str]) -> list[str]:
    """Pure: the number and the days."""
    said = [
        f"{told(NUMBER)}: {receipts.named(receipt)}",
        f"{told(ISSUED)}: {paper.day(receipt.issued_at)}",
        f"{told(ORDER)}: {order.id}",
    ]
    if order.paid_at:
        said.append(f"{told(PAID)}: {paper.day(order.paid_at)}")
    if order.state == OrderState.REFUNDED and order.refunded_at:
        said.append(f"{told(GONE_BACK)}: {paper.day(order.refunded_at)}")
    return said


def people(order: Order, receipt: Receipt, told: Callable[[str], str]) -> list[str]:
    """Pure: who sold, and to whom."""
    return [
        *sellers(receipt.seller, receipt.address, receipt.tax_number, order.collective, told),
        "",
        *buyers(order, told),
    ]


def sellers(
    name: str, address: str, tax_number: str, collective: str, told: Callable[[str], str]
) -> list[str]:
    """Pure: who sold."""
    said = [f"{told(SOLD_BY)}: {name}", *address.splitlines()]
    if tax_number:
        said.append(f"{told(TAX_NUMBER)}: {tax_number}")
    if collective:
        said.append(f"{told(THROUGH)} {collective}")
    return said


def buyers(who: Order | Receipt, told: Callable[[str], str]) -> list[str]:
    """Pure: to whom; an order says it as the receipt of a membership does."""
    if who.buyer_name:
        said = [f"{told(SOLD_TO)}: {who.buyer_name}", *who.buyer_address.splitlines(), who.email]
    else:
        said = [f"{told(SOLD_TO)}: {who.email}", *who.buyer_address.splitlines()]
    if who.country:
        said.append(f"{told(COUNTRY)}: {who.country}")
    if who.business_number:
        said.append(f"{told(TAX_NUMBER)}: {who.business_number}")
    return said


def line(item: OrderItem, currency: str) -> tuple[str, str, str]:
    """Pure: one line, with the rate of the tax in it."""
    return item.name, paper.tax_called(item.tax_name, item.tax_bps), paper.amount(item.amount_minor, currency)


def sums(order: Order, items: Sequence[OrderItem], told: Callable[[str], str]) -> list[tuple[str, str, str]]:
    """Pure: the total, and of each tax how much it is and of what."""
    taxed: dict[tuple[str, int], tuple[int, int]] = {}
    for item in items:
        if item.tax_name:
            net, tax = taxed.get((item.tax_name, item.tax_bps), (0, 0))
            taxed[item.tax_name, item.tax_bps] = (
                net + item.amount_minor - item.tax_minor,
                tax + item.tax_minor,
            )
    rows = [(told(TOTAL), "", paper.amount(order.total_minor, order.currency))]
    for (name, bps), (net, tax) in taxed.items():
        rows += taxes(name, bps, net, tax, order.currency, told)
    return rows


def taxes(
    name: str, bps: int, net_minor: int, tax_minor: int, currency: str, told: Callable[[str], str]
) -> list[tuple[str, str, str]]:
    """Pure: how much a tax is, and of what."""
    called = paper.tax_called(name, bps)
    return [
        (told(WITHOUT), called, paper.amount(net_minor, currency)),
        (told(TAX), called, paper.amount(tax_minor, currency)),
    ]
