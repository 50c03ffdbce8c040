"""Download codes of an artist: batches, how many were redeemed, and the codes themselves as a table."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

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
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import codes as domain
from appliance.shop.models import CodeBatch
from web import addresses
from web import presentation
from web.people.routing import artist_with_money
from web.studio import days
from web.studio.routing import blueprint


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as its artist sees it; *state* is a word where it is over or stopped."""

    id: str
    name: str
    release: str
    number: int
    redeemed: int
    last: date | None
    over: bool
    stopped: bool
    made: date
    file: str


@blueprint.get("/artists/<slug>/codes")
def codes(slug: str) -> str:
    """The batches, newest first, and a form for one more."""
    artist, _who = artist_with_money(slug)
    return _page(artist)


@blueprint.post("/artists/<slug>/codes")
def make_codes(slug: str) -> ResponseReturnValue:
    """One more batch."""
    artist, who = artist_with_money(slug)
    try:
        release = releases.find(request.form.get("release", ""))
        if release.artist_id != artist.id:
            raise NotFound("There is no such release.")
        batch = domain.make(
            release,
            _number(request.form.get("number", "")),
            name=request.form.get("name", ""),
            expires_at=days.last(request.form.get("last", ""), field="last"),
            actor=who,
            now=clock.now(),
        )
    except (Invalid, Conflict, NotFound) as error:
        return _page(artist, problem=error), 422
    flash(_("%(number)s codes are there: take them as a table.", number=batch.number))
    return redirect(url_for("studio.codes", slug=artist.slug), 303)


@blueprint.get("/artists/<slug>/codes/<batch_id>.csv")
def code_file(slug: str, batch_id: str) -> Response:
    """The codes of a batch, each with the address that brings it along."""
    artist, _who = artist_with_money(slug)
    batch = domain.find(artist, batch_id)
    answer = Response(stream_with_context(lines(batch)), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename=codes-{batch.id}.csv"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/artists/<slug>/codes/<batch_id>/stop")
def stop_codes(slug: str, batch_id: str) -> ResponseReturnValue:
    """Those that nobody redeemed open nothing any more."""
    artist, who = artist_with_money(slug)
    domain.stop(artist, batch_id, actor=who, now=clock.now())
    flash(_("The codes that nobody redeemed open nothing any more."))
    return redirect(url_for("studio.codes", slug=artist.slug), 303)


def lines(batch: CodeBatch) -> Iterator[str]:
    """A row with the names of the columns, and one for each code."""
    address = addresses.root() + url_for("shop.redeem")
    yield _line("code", "address", "redeemed_at")
    for code, redeemed_at in domain.every(batch):
        yield _line(code, f"{address}?code={code}", redeemed_at.isoformat() if redeemed_at else "")


def _line(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _page(artist: Artist, *, problem: Exception | None = None) -> str:
    batches = domain.of_artist(artist)
    used = domain.redeemed(batches)
    now = clock.now()
    return render_template(
        "studio/codes.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        batches=[
            BatchView(
                id=row.id,
                name=row.name,
                release=row.release.title,
                number=row.number,
                redeemed=used.get(row.id, 0),
                last=days.last_day(row.expires_at) if row.expires_at else None,
                over=row.expires_at is not None and row.expires_at <= now,
                stopped=row.stopped_at is not None,
                made=row.created_at.date(),
                file=url_for("studio.code_file", slug=artist.slug, batch_id=row.id),
            )
            for row in batches
        ],
        releases=[(row.id, row.title) for row in releases.of_artist(artist)],
        most=domain.MOST_AT_ONCE,
        sent=request.form,
        problem=problem,
    )
