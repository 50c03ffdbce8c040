"""Who shares what an artist, a release or a track earns: what holds now, what held before, and a form for what is to hold."""

from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from typing import Any

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import currencies
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.ledger import agreements
from appliance.ledger.agreements import Subject
from appliance.ledger.models import SplitAgreement
from appliance.ledger.models import SplitPart
from web import presentation
from web.people.routing import artist_with_money
from web.presentation.wording import amount
from web.security import mailing
from web.sentences import told
from web.studio import forms
from web.studio import split_forms
from web.studio.routing import blueprint
from web.studio.split_forms import Row


@dataclass(frozen=True, slots=True)
class AgreementView:
    """An agreement as the page tells it, with a line for each part."""

    id: str
    starts_at: datetime
    state: str
    parts: list[str]
    can_be_taken_back: bool


@blueprint.get("/artists/<slug>/splits")
def splits(slug: str) -> str:
    """What all else of the artist is shared by, and the way to its releases."""
    artist, _who = artist_with_money(slug)
    return _page(Subject(artist))


@blueprint.post("/artists/<slug>/splits")
def agree(slug: str) -> ResponseReturnValue:
    """Agree on all that has no agreement of its own."""
    artist, _who = artist_with_money(slug)
    return _agree(Subject(artist))


@blueprint.get("/artists/<slug>/splits/releases/<release_id>")
def release_splits(slug: str, release_id: str) -> str:
    """What one release is shared by, and the way to its tracks."""
    return _page(_release(slug, release_id))


@blueprint.post("/artists/<slug>/splits/releases/<release_id>")
def agree_on_release(slug: str, release_id: str) -> ResponseReturnValue:
    """Agree on one release."""
    return _agree(_release(slug, release_id))


@blueprint.get("/artists/<slug>/splits/tracks/<track_id>")
def track_splits(slug: str, track_id: str) -> str:
    """What one track is shared by."""
    return _page(_track(slug, track_id))


@blueprint.post("/artists/<slug>/splits/tracks/<track_id>")
def agree_on_track(slug: str, track_id: str) -> ResponseReturnValue:
    """Agree on one track."""
    return _agree(_track(slug, track_id))


@blueprint.post("/artists/<slug>/splits/agreements/<agreement_id>/take-back")
def take_back_agreement(slug: str, agreement_id: str) -> ResponseReturnValue:
    """Take an agreement back that has not begun."""
    artist, who = artist_with_money(slug)
    try:
        agreements.take_back(artist, agreement_id, actor=who, now=clock.now())
    except (Conflict, NotFound) as error:
        flash(told(error), "problem")
    else:
        flash(_("The agreement is taken back."))
    return redirect(url_for("studio.splits", slug=artist.slug), 303)


def _release(slug: str, release_id: str) -> Subject:
    artist, _who = artist_with_money(slug)
    row = releases.find(release_id)
    if row.artist_id != artist.id:
        raise NotFound("There is no such release.")
    return Subject(artist, row)


def _track(slug: str, track_id: str) -> Subject:
    artist, _who = artist_with_money(slug)
    row = tracks.find(track_id)
    if row.release.artist_id != artist.id:
        raise NotFound("There is no such track.")
    return Subject(artist, row.release, row)


def _agree(subject: Subject) -> ResponseReturnValue:
    _artist, who = artist_with_money(subject.artist.slug)
    rows, act = split_forms.sent(), forms.act()
    if act == "add_link" or act.startswith("remove_link:"):
        left = [row for number, row in enumerate(rows) if act != f"remove_link:{number}"]
        return _page(subject, rows=[*left, Row()] if act == "add_link" else left), 422
    rows = [row for row in rows if not row.blank]
    try:
        wanted = [split_forms.wanted(number, row) for number, row in enumerate(rows, start=1)]
        now = clock.now()
        starts = split_forms.start(request.form.get("from", ""), now)
        agreements.make(subject, wanted, starts_at=starts, actor=who, letters=mailing.letters(), now=now)
    except (Invalid, Conflict) as error:
        return _page(subject, rows=rows, problem=error), 422
    flash(_("Agreed. It holds for what is paid from then on."))
    return redirect(_address(subject), 303)


def _address(subject: Subject) -> str:
    if subject.track:
        return url_for("studio.track_splits", slug=subject.artist.slug, track_id=subject.track.id)
    if subject.release:
        return url_for("studio.release_splits", slug=subject.artist.slug, release_id=subject.release.id)
    return url_for("studio.splits", slug=subject.artist.slug)


def _page(subject: Subject, *, rows: list[Row] | None = None, problem: Exception | None = None) -> str:
    now, found = clock.now(), agreements.history(subject)
    parts = agreements.parts(found)
    names = agreements.names(part.payee for some in parts.values() for part in some)
    if rows is None:
        rows = (
            [split_forms.of_part(part, names) for part in parts[found[0].id]]
            if found
            else [Row(subject.artist.slug, "100")]
        )
        rows.append(Row())
    return render_template(
        "studio/splits.html",
        artist=presentation.artist(subject.artist),
        slug=subject.artist.slug,
        subject=subject.title,
        whole=subject.release is None,
        action=_address(subject),
        parent=_parent(subject),
        agreements=_views(found, parts, names, now),
        rows=rows or [Row()],
        starts=request.form.get("from", ""),
        things=_things(subject),
        currencies=sorted(currencies.DIGITS),
        most=agreements.MOST_PARTS,
        today=now.astimezone(UTC).date().isoformat(),
        problem=problem,
    )


def _views(
    found: list[SplitAgreement],
    parts: dict[str, list[SplitPart]],
    names: dict[str, tuple[str, str]],
    now: datetime,
) -> list[AgreementView]:
    holding = next((row.id for row in found if row.starts_at <= now), "")
    return [
        AgreementView(
            id=row.id,
            starts_at=row.starts_at,
            state=_("coming") if row.starts_at > now else _("holds now") if row.id == holding else _("over"),
            parts=[_line(part, names) for part in parts[row.id]],
            can_be_taken_back=row.starts_at > now,
        )
        for row in found
    ]


def _line(part: SplitPart, names: dict[str, tuple[str, str]]) -> str:
    name = names.get(part.payee, (_("somebody who is gone"), ""))[0]
    share = agreements.written_share(part.share_bps)
    if not part.recoup_minor:
        return _("%(share)s %% to %(name)s", share=share, name=name)
    first = amount(part.recoup_minor, part.recoup_currency)
    return _("%(amount)s first, then %(share)s %% to %(name)s", amount=first, share=share, name=name)


def _parent(subject: Subject) -> tuple[str, str]:
    """The page above this one: its title and its address; empty for the artist's own."""
    if subject.track and subject.release:
        return subject.release.title, _address(Subject(subject.artist, subject.release))
    return (subject.artist.name, _address(Subject(subject.artist))) if subject.release else ("", "")


def _things(subject: Subject) -> list[dict[str, Any]]:
    """What has, or can have, an agreement of its own below this: releases of an artist, tracks of a release."""
    if subject.track:
        return []
    shared = agreements.shared_things(subject.artist)
    below = (
        [Subject(subject.artist, subject.release, row) for row in tracks.of_release(subject.release)]
        if subject.release
        else [Subject(subject.artist, row) for row in releases.of_artist(subject.artist)]
    )
    return [
        {"title": one.title, "href": _address(one), "own": (one.track or one.release).id in shared}  # type: ignore[union-attr]
        for one in below
    ]
