"""What an artist sold, and what brings buyers: discounts and download codes."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask import jsonify
from flask import stream_with_context
from flask import url_for

from appliance import clock
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import codes
from appliance.shop import discounts
from appliance.shop import order_lists
from appliance.shop import orders
from appliance.shop.models import CodeBatch
from appliance.shop.models import Discount
from web import addresses
from web.api import fields
from web.api import money
from web.api import order_told
from web.api.once import once
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_id
from web.api.routing import limit
from web.studio import codes as code_tables
from web.studio import orders as order_tables

OF_DISCOUNT = ("code", "percent", "amount_minor", "starts_at", "ends_at", "most_uses")
OF_BATCH = ("release", "number", "name", "expires_at")


@blueprint.get("/artists/<slug>/orders")
def list_sales(slug: str) -> Response:
    """What an artist sold, the last first."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    wanted = limit()
    rows = order_lists.of_artist(artist, limit=wanted + 1, before=cursor_id())
    following = cursor_for(rows[wanted - 1].id) if len(rows) > wanted else None
    return jsonify(items=order_told.sold(rows[:wanted]), next_cursor=following)


@blueprint.get("/artists/<slug>/orders.csv")
def sales_table(slug: str) -> Response:
    """The same as a table, however long it is."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    return table(order_tables.lines(artist), f"orders-{clock.now().date().isoformat()}")


@blueprint.get("/artists/<slug>/orders/<order_id>")
def show_sale(slug: str, order_id: str) -> Response:
    """One order of an artist."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    row = orders.find(order_id)
    if row.artist != artist.id:
        raise NotFound("There is no such order.")
    return jsonify(order_told.sold([row])[0])


@blueprint.get("/artists/<slug>/discounts")
def list_discounts(slug: str) -> Response:
    """The discount codes of an artist, newest first."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    rows = discounts.of_artist(artist)
    used = discounts.uses(rows, now=clock.now())
    return jsonify(items=[_discount(row, used.get(row.id, 0)) for row in rows])


@blueprint.post("/artists/<slug>/discounts")
def make_discount(slug: str) -> tuple[Response, int]:
    """One more code that takes something off."""
    artist, who = money.seller(slug)
    sent = body(required=("code",))
    fields.only(sent, OF_DISCOUNT)
    made = discounts.make(
        artist,
        fields.text(sent, "code"),
        percent=fields.whole(sent, "percent"),
        amount_minor=fields.whole(sent, "amount_minor"),
        starts_at=fields.instant(sent, "starts_at"),
        ends_at=fields.instant(sent, "ends_at"),
        most_uses=fields.whole(sent, "most_uses"),
        actor=who,
        now=clock.now(),
    )
    return jsonify(_discount(made, 0)), 201


@blueprint.post("/artists/<slug>/discounts/<discount_id>/stop")
def stop_discount(slug: str, discount_id: str) -> tuple[str, int]:
    """Let a code take nothing off any more."""
    artist, who = money.seller(slug)
    discounts.stop(artist, discount_id, actor=who, now=clock.now())
    return "", 204


@blueprint.get("/artists/<slug>/codes")
def list_code_batches(slug: str) -> Response:
    """The download codes of an artist, a batch each, newest first."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    wanted = limit()
    rows = codes.of_artist(artist, limit=wanted + 1, before=cursor_id())
    following = cursor_for(rows[wanted - 1].id) if len(rows) > wanted else None
    return jsonify(items=_batches(artist, rows[:wanted]), next_cursor=following)


@blueprint.post("/artists/<slug>/codes")
def make_code_batch(slug: str) -> tuple[Response, int]:
    """One more batch of download codes for a release."""
    artist, who = money.seller(slug)
    sent = body(required=("release", "number"))
    fields.only(sent, OF_BATCH)
    made = once(who, sent, lambda: _make(artist, who, sent).id, needed=False)
    return jsonify(_batches(artist, [codes.find(artist, made)])[0]), 201


@blueprint.get("/artists/<slug>/codes/<batch_id>.csv")
def code_table(slug: str, batch_id: str) -> Response:
    """The codes of a batch, each with the address that brings it along."""
    # Who has a code has the music: to read these is more than to read what was sold.
    artist, _who = money.seller(slug)
    batch = codes.find(artist, batch_id)
    return table(code_tables.lines(batch), f"codes-{batch.id}")


@blueprint.post("/artists/<slug>/codes/<batch_id>/stop")
def stop_code_batch(slug: str, batch_id: str) -> tuple[str, int]:
    """Let the codes that nobody redeemed open nothing any more."""
    artist, who = money.seller(slug)
    codes.stop(artist, batch_id, actor=who, now=clock.now())
    return "", 204


def table(lines: Any, name: str) -> Response:
    """Lines of CSV as a file of this name, which nobody keeps on the way."""
    answer = Response(stream_with_context(lines), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename={name}.csv"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _make(artist: Artist, who: User, sent: Mapping[str, Any]) -> CodeBatch:
    release = releases.find(fields.text(sent, "release"))
    if release.artist_id != artist.id:
        raise NotFound("There is no such release.")
    number = fields.whole(sent, "number")
    if number is None:
        raise Invalid("'{name}' is a whole number from 0 on.", name="number", field="number")
    return codes.make(
        release,
        number,
        name=fields.text(sent, "name"),
        expires_at=fields.instant(sent, "expires_at"),
        actor=who,
        now=clock.now(),
    )


def _discount(row: Discount, used: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "code": row.code,
        "percent": row.percent,
        "amount_minor": row.amount_minor,
        "currency": row.currency or None,
        "starts_at": row.starts_at.isoformat() if row.starts_at else None,
        "ends_at": row.ends_at.isoformat() if row.ends_at else None,
        "most_uses": row.most_uses,
        "used": used,
        "stopped_at": row.stopped_at.isoformat() if row.stopped_at else None,
        "created_at": row.created_at.isoformat(),
    }


def _batches(artist: Artist, rows: list[CodeBatch]) -> list[dict[str, Any]]:
    used, root = codes.redeemed(rows), addresses.root()
    return [
        {
            "id": row.id,
            "name": row.name,
            "release": {"id": row.release_id, "title": row.release.title},
            "number": row.number,
            "redeemed": used.get(row.id, 0),
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
            "stopped_at": row.stopped_at.isoformat() if row.stopped_at else None,
            "created_at": row.created_at.isoformat(),
            "table_url": root + url_for("api.code_table", slug=artist.slug, batch_id=row.id),
        }
        for row in rows
    ]
