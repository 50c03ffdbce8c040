"""Who shares what an artist, a release or a track earns: an agreement is never changed, a later one takes its place."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from flask import Response
from flask import jsonify
from flask import request

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog import members
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.versions import Stale
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.ledger import agreements
from appliance.ledger.agreements import Subject
from appliance.ledger.agreements import Wanted
from appliance.ledger.models import SplitAgreement
from appliance.ledger.models import SplitPart
from web.api import fields
from web.api import money
from web.api.routing import blueprint
from web.api.routing import body
from web.security import mailing

OF_AGREEMENT = ("parts", "starts_at", "release", "track", "after")
OF_PART = ("payee", "share_bps", "recoup_minor", "recoup_currency")


@blueprint.get("/artists/<slug>/splits")
def list_splits(slug: str) -> Response:
    """All agreements on the artist, or on one release or track, the one that begins last first."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    subject = _subject(artist, request.args.get("release", ""), request.args.get("track", ""))
    return jsonify(items=_told(agreements.history(subject)))


@blueprint.post("/artists/<slug>/splits")
def agree_on_split(slug: str) -> tuple[Response, int]:
    """Agree that shares hold from an instant on."""
    artist, who = money.seller(slug)
    sent = body(required=("parts",))
    fields.only(sent, OF_AGREEMENT)
    subject = _subject(artist, fields.text(sent, "release"), fields.text(sent, "track"))
    wanted, starts_at = _wanted(sent["parts"]), fields.instant(sent, "starts_at")
    with transaction():
        members.hold(artist)
        if "after" in sent:
            _require_last(subject, fields.text(sent, "after"))
        made = agreements.make(
            subject, wanted, starts_at=starts_at, actor=who, letters=mailing.letters(), now=clock.now()
        )
    return jsonify(_told([made])[0]), 201


@blueprint.delete("/artists/<slug>/splits/<agreement_id>")
def take_split_back(slug: str, agreement_id: str) -> tuple[str, int]:
    """Take an agreement back that has not begun."""
    artist, who = money.seller(slug)
    agreements.take_back(artist, agreement_id, actor=who, now=clock.now())
    return "", 204


def _subject(artist: Artist, release_id: str, track_id: str) -> Subject:
    if track_id:
        track = tracks.find(track_id)
        if track.release.artist_id != artist.id or release_id not in {"", track.release_id}:
            raise NotFound("There is no such track.")
        return Subject(artist, track.release, track)
    if release_id:
        release = releases.find(release_id)
        if release.artist_id != artist.id:
            raise NotFound("There is no such release.")
        return Subject(artist, release)
    return Subject(artist)


def _require_last(subject: Subject, known: str) -> None:
    """``Stale`` when another agreement was made since *known*; in the transaction that makes the next one."""
    found = agreements.history(subject)
    if max((row.id for row in found), default="") != known:
        raise Stale


def _wanted(sent: object) -> list[Wanted]:
    if not isinstance(sent, list) or not all(isinstance(part, dict) for part in sent):
        raise Invalid("'parts' is a list of payees with their shares.", field="parts")
    return [_part(part) for part in sent[: agreements.MOST_PARTS + 1]]


def _part(sent: Mapping[str, Any]) -> Wanted:
    fields.only(sent, OF_PART)
    return Wanted(
        fields.text(sent, "payee"),
        fields.whole(sent, "share_bps") or 0,
        fields.whole(sent, "recoup_minor") or 0,
        fields.text(sent, "recoup_currency"),
    )


def _told(rows: Sequence[SplitAgreement]) -> list[dict[str, Any]]:
    """Agreements with their parts, by two more queries whatever their number."""
    parts = agreements.parts(rows)
    names = agreements.names(part.payee for some in parts.values() for part in some)
    now = clock.now()
    holding = next((row.id for row in rows if row.starts_at <= now), "")
    return [
        {
            "id": row.id,
            "starts_at": row.starts_at.isoformat(),
            "state": "coming" if row.starts_at > now else "holding" if row.id == holding else "over",
            "release": row.release or None,
            "track": row.track or None,
            "parts": [_told_part(part, names) for part in parts[row.id]],
        }
        for row in rows
    ]


def _told_part(part: SplitPart, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    name, slug = names.get(part.payee, (None, None))
    return {
        "payee": part.payee,
        "name": name,
        "slug": slug,
        "share_bps": part.share_bps,
        "recoup_minor": part.recoup_minor,
        "recoup_currency": part.recoup_currency or None,
    }
