"""What the button beside a release or track needs: the formats that make sense, the one chosen last, and what is left this month."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from appliance import clock
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.downloads import formats
from appliance.downloads import orders
from appliance.downloads import quotas
from appliance.downloads.formats import OWN
from appliance.downloads.formats import Format
from appliance.memberships.access import Access
from web.request_cycle import person


@dataclass(frozen=True, slots=True)
class Offer:
    """A form: where it is sent, its choices as (value, text), which is chosen, and what is to be said."""

    action: str
    choices: list[tuple[str, str]]
    chosen: str
    notes: list[str]


def of(action: str, rows: Sequence[Track], rights: Mapping[str, Access]) -> Offer | None:
    """The form for *rows* of one release, or None for whom it is not; by two queries."""
    who = person()
    may = [row for row in rows if rights[row.id].may_download and row.state == TrackState.READY]
    if who is None or not may:
        return None
    codecs = [formats.codec_of(row) for row in may]
    offered = formats.offered(codecs)
    last = orders.last_format(who)
    limits = [rights[row.id].downloads_a_month for row in may]
    most = max((limit for limit in limits if limit is not None), default=None)
    artist_id = may[0].release.artist_id
    return Offer(
        action=action,
        choices=[(format, name(format, codecs[0] if len(set(codecs)) == 1 else "")) for format in offered],
        chosen=last if last in offered else offered[0],
        notes=[*_lossy(codecs), *_left(quotas.left(who, artist_id, most, now=clock.now()), most)],
    )


def name(format: Format, codec: str) -> str:
    """A format for people: ``FLAC: lossless, for nearly every player``."""
    row = formats.row(format, codec)
    return f"{row.name}: {_(row.note)}"


def left(number: int | None, most: int | None) -> str:
    """What is left of a month's downloads, as a sentence."""
    if number is None or most is None:
        return _("As many downloads as you like.")
    return str(
        ngettext(
            "%(num)d of %(most)d downloads is left this month.",
            "%(num)d of %(most)d downloads are left this month.",
            number,
            most=most,
        )
    )


def _left(number: int | None, most: int | None) -> list[str]:
    return [] if most is None else [left(number, most)]


def _lossy(codecs: Sequence[str]) -> list[str]:
    lossy = sum(codec in OWN for codec in codecs)
    if not lossy:
        return []
    if lossy == len(codecs):
        return [
            _("The artist sent this in a lossy format. FLAC made of it would be larger and sound no better.")
        ]
    return [_("Some of it was sent in a lossy format, and comes as it was sent.")]
