"""What an artist is owed, and its statements: on a page, as CSV, on paper."""

from dataclasses import dataclass
from datetime import date

from flask import Response
from flask import render_template
from flask import request
from flask import stream_with_context
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.catalog.models import Artist
from appliance.collective import identity
from appliance.errors import Invalid
from appliance.ledger import balances
from appliance.ledger import statement_files
from appliance.ledger import statements
from appliance.ledger.statements import Statement
from web import presentation
from web import reading
from web.people.routing import artist_with_money
from web.presentation import books as shown
from web.presentation.wording import amount
from web.request_cycle import appliance
from web.studio.routing import blueprint


@dataclass(frozen=True, slots=True)
class Asked:
    """What a statement was asked for, as it was written."""

    currency: str
    first: str
    last: str


@blueprint.get("/artists/<slug>/money")
def money(slug: str) -> str:
    """What is owed in each currency, and the way to the statements."""
    artist, _who = artist_with_money(slug)
    first, last = statements.month(clock.now())
    return render_template(
        "studio/money.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        owed=shown.owed(balances.of_payee(artist.id)),
        first=first.isoformat(),
        last=last.isoformat(),
    )


@blueprint.get("/artists/<slug>/statement")
def statement(slug: str) -> ResponseReturnValue:
    """Every cent of a period, a page at a time."""
    artist, _who = artist_with_money(slug)
    reading.settle_for_replica()
    asked = _asked(artist)
    try:
        told = _statement(artist, asked)
    except Invalid as error:
        return _page(artist, asked, None, problem=error), 422
    return _page(artist, asked, told)


@blueprint.get("/artists/<slug>/statement.csv")
def statement_csv(slug: str) -> Response:
    """The same as a table for other programs, however long it is."""
    artist, _who = artist_with_money(slug)
    reading.settle_for_replica()
    told = _statement(artist, _asked(artist))
    lines = stream_with_context(statement_files.csv_lines(told))
    return _file(Response(lines, mimetype="text/csv; charset=utf-8"), artist, told, "csv")


@blueprint.get("/artists/<slug>/statement.pdf")
def statement_pdf(slug: str) -> ResponseReturnValue:
    """The same on paper."""
    artist, _who = artist_with_money(slug)
    reading.settle_for_replica()
    asked = _asked(artist)
    told = _statement(artist, asked)
    try:
        made = statement_files.pdf(
            told,
            payee=artist.name,
            collective=identity.current(appliance().settings).name,
            told={kind: str(text) for kind, text in shown.KINDS.items()},
            texts={
                "statement": _("Statement"),
                "date": _("Date"),
                "what": _("What"),
                "for": _("For"),
                "amount": _("Amount"),
                "balance": _("Balance"),
                "opening": _("Balance before"),
                "closing": _("Balance after"),
                "period": _("Period"),
            },
        )
    except Invalid as error:
        return _page(artist, asked, told, problem=error), 422
    return _file(Response(made, mimetype="application/pdf"), artist, told, "pdf")


def _asked(artist: Artist) -> Asked:
    first, last = statements.month(clock.now())
    known = statements.currencies_of(artist.id)
    return Asked(
        currency=request.args.get("currency", "").strip()[:10] or (known[0] if known else "EUR"),
        first=request.args.get("first", "").strip()[:20] or first.isoformat(),
        last=request.args.get("last", "").strip()[:20] or last.isoformat(),
    )


def _statement(artist: Artist, asked: Asked) -> Statement:
    return statements.of(
        artist.id, asked.currency, first=_day(asked.first, "first"), last=_day(asked.last, "last")
    )


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("Write the day like this: 2026-12-31.", field=field) from error


def _page(artist: Artist, asked: Asked, told: Statement | None, *, problem: Exception | None = None) -> str:
    lines = (
        statements.page(told, after=_number("after"), before=_number("before"), limit=statements.ON_A_PAGE)
        if told
        else []
    )
    known = statements.currencies_of(artist.id)
    words = {"slug": artist.slug, "currency": asked.currency, "first": asked.first, "last": asked.last}
    newer = lines and told and lines[-1].id < told.last_entry
    older = lines and told and statements.reaches_before(told, lines[0].id)
    return render_template(
        "studio/statement.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        asked=asked,
        currencies=sorted({*known, asked.currency} if told else {*known, "EUR"}),
        lines=shown.lines(lines, told.currency) if told else [],
        opening=amount(told.opening_minor, told.currency) if told else "",
        closing=amount(told.closing_minor, told.currency) if told else "",
        sums=[(shown.KINDS[kind], amount(sum_, told.currency)) for kind, sum_ in told.sums.items()]
        if told
        else [],
        newer=url_for("studio.statement", after=lines[-1].id, **words) if newer else "",
        older=url_for("studio.statement", before=lines[0].id, **words) if older else "",
        csv=url_for("studio.statement_csv", **words),
        pdf=url_for("studio.statement_pdf", **words),
        problem=problem,
    )


def _number(name: str) -> int:
    number = request.args.get(name, type=int) or 0
    return number if 0 < number < 2**62 else 0


def _file(answer: Response, artist: Artist, told: Statement, ending: str) -> Response:
    name = f"{artist.slug}-{told.currency}-{told.first.isoformat()}-{told.last.isoformat()}.{ending}"
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    answer.headers["Cache-Control"] = "no-store"
    return answer
