"""What an artist has to send: the list, as a table and on paper, and one parcel with what can be done about it."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Response
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import stream_with_context
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import currencies
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.shop.merchandise import dispatch
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelLine
from appliance.shop.merchandise.models import ParcelState
from web import presentation
from web.errors import told
from web.people.routing import artist_with_money
from web.presentation import merchandise as shown
from web.presentation.merchandise import ParcelView
from web.studio import tables
from web.studio.routing import blueprint

ON_A_PAGE = 50
AT_ONCE = 500
LISTS = {
    "to_send": (ParcelState.TO_SEND,),
    "sent": (ParcelState.SENT,),
    "other": (ParcelState.SHORT, ParcelState.RETURNED),
    "all": dispatch.PAID_FOR,
}
COLUMNS = (
    "order",
    "paid_at",
    "state",
    "name",
    "address",
    "postal_code",
    "city",
    "country",
    "email",
    "things",
    "sku",
    "quantity",
    "shipping",
    "currency",
    "sent_at",
    "tracking",
)


@dataclass(frozen=True, slots=True)
class Slip:
    """A parcel with its order."""

    parcel: ParcelView
    url: str
    ordered: datetime
    email: str


@blueprint.get("/artists/<slug>/parcels")
def parcels(slug: str) -> str:
    """What is to be sent, the oldest first; or what was."""
    artist, _who = artist_with_money(slug)
    which = _which()
    rows = dispatch.of_artist(
        artist, LISTS[which], limit=ON_A_PAGE + 1, after=request.args.get("after", "")[:26]
    )
    more, rows = len(rows) > ON_A_PAGE, rows[:ON_A_PAGE]
    contents = dispatch.contents_of(rows)
    return render_template(
        "studio/parcels.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        which=which,
        waiting=dispatch.count(artist, ParcelState.TO_SEND),
        slips=[_slip(artist, row, contents[row.id]) for row in rows],
        later=url_for("studio.parcels", slug=artist.slug, state=which, after=rows[-1].order_id)
        if more
        else "",
        file=url_for("studio.parcel_file", slug=artist.slug, state=which),
    )


@blueprint.get("/artists/<slug>/parcels.csv")
def parcel_file(slug: str) -> Response:
    """The same as a table, however long it is."""
    artist, _who = artist_with_money(slug)
    which = _which()
    answer = Response(stream_with_context(_lines(artist, which)), mimetype="text/csv; charset=utf-8")
    day = clock.now().date().isoformat()
    answer.headers["Content-Disposition"] = f"attachment; filename=parcels-{which}-{day}.csv"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/artists/<slug>/parcels/<order_id>")
def parcel(slug: str, order_id: str) -> str:
    """One parcel."""
    artist, _who = artist_with_money(slug)
    return _page(artist, dispatch.find(artist, order_id[:26]))


@blueprint.post("/artists/<slug>/parcels/<order_id>")
def send_parcel(slug: str, order_id: str) -> ResponseReturnValue:
    """It was sent, or its tracking has changed."""
    artist, who = artist_with_money(slug)
    row = dispatch.find(artist, order_id[:26])
    try:
        dispatch.mark_sent(row, tracking=request.form.get("tracking", ""), actor=who, now=clock.now())
    except Invalid as error:
        return _page(artist, row, problem=error), 422
    except Conflict as error:
        flash(told(error), "problem")
    else:
        flash(_("Noted. The buyer gets a message.") if row.state == ParcelState.TO_SEND else _("Saved."))
    return redirect(url_for("studio.parcel", slug=artist.slug, order_id=row.order_id), 303)


@blueprint.post("/artists/<slug>/parcels/<order_id>/stock")
def restock_parcel(slug: str, order_id: str) -> ResponseReturnValue:
    """What was refunded is in stock again, or is not."""
    artist, who = artist_with_money(slug)
    row = dispatch.find(artist, order_id[:26])
    try:
        dispatch.set_in_stock(row, request.form.get("back") == "yes", actor=who, now=clock.now())
    except Conflict as error:
        flash(told(error), "problem")
    else:
        flash(_("Saved."))
    return redirect(url_for("studio.parcel", slug=artist.slug, order_id=row.order_id), 303)


def _which() -> str:
    wanted = request.args.get("state", "")
    return wanted if wanted in LISTS else "to_send"


def _slip(artist: Artist, row: Parcel, lines: Sequence[ParcelLine]) -> Slip:
    return Slip(
        parcel=shown.parcel(row, lines),
        url=url_for("studio.parcel", slug=artist.slug, order_id=row.order_id),
        ordered=row.order.paid_at or row.order.created_at,
        email=row.order.email,
    )


def _page(artist: Artist, row: Parcel, *, problem: Exception | None = None) -> str:
    lines = dispatch.contents_of([row])[row.id]
    return render_template(
        "studio/parcel.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        slip=_slip(artist, row, lines),
        may_send=row.state == ParcelState.TO_SEND and bool(row.name),
        refunded=row.order.state == "refunded" and row.state != ParcelState.SHORT,
        taken=dispatch.is_taken(lines),
        tracking=request.form.get("tracking", row.tracking),
        longest=dispatch.LONGEST_TRACKING,
        problem=problem,
    )


def _lines(artist: Artist, which: str) -> Iterator[str]:
    yield tables.line(COLUMNS)
    after = ""
    while rows := dispatch.of_artist(artist, LISTS[which], limit=AT_ONCE, after=after):
        contents = dispatch.contents_of(rows)
        for row in rows:
            yield tables.line(_cells(row, contents[row.id]))
        after = rows[-1].order_id


def _cells(row: Parcel, lines: Sequence[ParcelLine]) -> list[str]:
    order = row.order
    return [
        order.id,
        order.paid_at.isoformat() if order.paid_at else "",
        row.state,
        row.name,
        ", ".join(row.lines.splitlines()),
        row.postal_code,
        row.city,
        row.country,
        order.email,
        "; ".join(line.name for line in lines),
        "; ".join(line.sku for line in lines),
        str(sum(line.quantity for line in lines)),
        currencies.written(row.shipping_minor, order.currency),
        order.currency,
        row.sent_at.isoformat() if row.sent_at else "",
        row.tracking,
    ]
