"""What an artist is owed and every cent of it: balances, statements, and who shares what."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Response
from flask import jsonify
from flask import request

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog.models import Artist
from appliance.errors import Invalid
from appliance.ledger import balances
from appliance.ledger import statement_files
from appliance.ledger import statements
from appliance.ledger.statements import Line
from appliance.ledger.statements import Statement
from appliance.payouts import requesting
from web.api import money
from web.api.routing import blueprint
from web.api.routing import cursor_for
from web.api.routing import cursor_number
from web.api.routing import limit
from web.api.selling import table
from web.request_cycle import appliance


@blueprint.get("/artists/<slug>/balance")
def show_balance(slug: str) -> Response:
    """What an artist is owed, held back of it, and can be paid out, in each currency."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    least = appliance().settings.payout_minimum
    return jsonify(
        items=[
            {
                "currency": row.currency,
                "owed_minor": row.owed_minor,
                "held_minor": row.held_minor,
                "available_minor": row.available_minor,
                "least_payout_minor": requesting.least_minor(row.currency, least),
            }
            for row in balances.of_payee(artist.id)
        ]
    )


@blueprint.get("/artists/<slug>/statement")
def show_statement(slug: str) -> Response:
    """Every cent of a period, a page at a time, in the order it was written."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    told, wanted = _asked(artist), limit()
    lines = statements.page(told, after=cursor_number(), limit=wanted)
    more = bool(lines) and lines[-1].id < told.last_entry
    return jsonify(
        currency=told.currency,
        first=told.first.isoformat(),
        last=told.last.isoformat(),
        opening_minor=told.opening_minor,
        closing_minor=told.closing_minor,
        sums=[{"kind": kind, "amount_minor": amount} for kind, amount in told.sums.items()],
        items=_lines(lines),
        next_cursor=cursor_for(str(lines[-1].id)) if more else None,
    )


@blueprint.get("/artists/<slug>/statement.csv")
def statement_table(slug: str) -> Response:
    """The same as a table, however long it is."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    told = _asked(artist)
    name = f"{artist.slug}-{told.currency}-{told.first.isoformat()}-{told.last.isoformat()}"
    return table(statement_files.csv_lines(told), name)


def _asked(artist: Artist) -> Statement:
    first, last = statements.month(clock.now())
    known = statements.currencies_of(artist.id)
    return statements.of(
        artist.id,
        request.args.get("currency") or (known[0] if known else "EUR"),
        first=_day("first", first),
        last=_day("last", last),
    )


def _day(name: str, default: date) -> date:
    text = request.args.get(name, "")
    try:
        return date.fromisoformat(text) if text else default
    except ValueError as error:
        raise Invalid("Write the day like this: 2026-12-31.", field=name) from error


def _lines(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "at": line.at.isoformat(),
            "kind": line.kind,
            "names": list(line.names),
            "artist": line.artist or None,
            "amount_minor": line.amount_minor,
            "balance_minor": line.balance_minor,
            "reference": line.reference,
        }
        for line in lines
    ]
