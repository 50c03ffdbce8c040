"""What an artist sold: the orders, and all of them as a table for other programs."""

from collections.abc import Iterator
from collections.abc import Sequence

from flask import Response
from flask import render_template
from flask import request
from flask import stream_with_context
from flask import url_for

from appliance import clock
from appliance import currencies
from appliance.catalog.models import Artist
from appliance.shop import order_lists
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from web import presentation
from web.people.routing import artist_with_money
from web.presentation import shop as shown
from web.studio import tables
from web.studio.routing import blueprint

ON_A_PAGE = 50
AT_ONCE = 500
COLUMNS = (
    "order",
    "receipt",
    "paid_at",
    "buyer",
    "things",
    "message",
    "currency",
    "total",
    "tax",
    "discount",
    "country",
    "vat_number",
    "state",
    "refunded_at",
)


@blueprint.get("/artists/<slug>/orders")
def orders(slug: str) -> str:
    """What was sold, newest first."""
    artist, _who = artist_with_money(slug)
    before = request.args.get("before", "")[:26]
    rows = order_lists.of_artist(artist, limit=ON_A_PAGE + 1, before=before)
    more, rows = len(rows) > ON_A_PAGE, rows[:ON_A_PAGE]
    items = order_lists.items_of(rows)
    return render_template(
        "studio/orders.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        orders=[shown.order(row, items[row.id]) for row in rows],
        older=url_for("studio.orders", slug=artist.slug, before=rows[-1].id) if more else "",
        first=not before,
    )


@blueprint.get("/artists/<slug>/orders.csv")
def order_file(slug: str) -> Response:
    """The same as a table, however long it is."""
    artist, _who = artist_with_money(slug)
    answer = Response(stream_with_context(lines(artist)), mimetype="text/csv; charset=utf-8")
    day = clock.now().date().isoformat()
    answer.headers["Content-Disposition"] = f"attachment; filename=orders-{day}.csv"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def lines(artist: Artist) -> Iterator[str]:
    """A row with the names of the columns, and one for each order."""
    yield tables.line(COLUMNS)
    before = ""
    while rows := order_lists.of_artist(artist, limit=AT_ONCE, before=before):
        items, numbers = order_lists.items_of(rows), order_lists.receipts_of(rows)
        for row in rows:
            yield tables.line(_cells(row, items[row.id], numbers.get(row.id, "")))
        before = rows[-1].id


def _cells(row: Order, items: Sequence[OrderItem], receipt: str) -> list[str]:
    def amount(minor: int) -> str:
        return currencies.written(minor, row.currency)

    return [
        row.id,
        receipt,
        row.paid_at.isoformat() if row.paid_at else "",
        row.email,
        "; ".join(item.name for item in items),
        " ".join(item.message for item in items if item.message),
        row.currency,
        amount(row.total_minor),
        amount(row.tax_minor),
        amount(row.discount_minor),
        row.country,
        row.business_number,
        row.state,
        row.refunded_at.isoformat() if row.refunded_at else "",
    ]
