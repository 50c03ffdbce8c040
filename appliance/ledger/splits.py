"""Sharing what is earned: agreements with a day from which they hold, and what each payee gets.

Shares are reckoned on all that an agreement ever shared, and a payment brings each payee the difference to what they had before. So it
does not matter in which order payments, refunds and fees become known, and odd cents even out over time instead of always going to the same
payee. First of all come the recoups, in their order; what is left is apportioned by shares (see ``settlement.apportion``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance import database
from appliance.ledger.models import SplitAgreement
from appliance.ledger.models import SplitPart
from appliance.ledger.models import SplitTotal
from appliance.ledger.settlement import apportion
from appliance.prepared import Prepared

_latest = Prepared(
    lambda artist, release, track, at: (
        SplitAgreement.select()
        .where(
            SplitAgreement.artist == artist,
            SplitAgreement.release == release,
            SplitAgreement.track == track,
            SplitAgreement.starts_at <= at,
        )
        .order_by(SplitAgreement.starts_at.desc())
        .limit(1)
    )
)
_parts = Prepared(
    lambda agreement: SplitPart.select().where(SplitPart.agreement == agreement).order_by(SplitPart.position)
)


@dataclass(frozen=True, slots=True)
class Part:
    """What a payee gets: *recoup* (minor units) before all else, then *share_bps* of the rest."""

    payee: str
    share_bps: int
    recoup: int = 0


def allocate(total: int, parts: Sequence[Part]) -> dict[str, int]:
    """Pure: what each payee has of *total*; a loss is shared as a gain is, without recoups."""
    got = dict.fromkeys((part.payee for part in parts), 0)
    left = total
    for part in parts:
        recouped = min(max(left, 0), part.recoup)
        got[part.payee] += recouped
        left -= recouped
    shared = apportion(left, [part.share_bps for part in parts])
    for part, amount in zip(parts, shared, strict=True):
        got[part.payee] += amount
    return got


def share(amount: int, *, agreement: str, artist: str, currency: str) -> dict[str, int]:
    """What each payee gets of *amount* more or (negative) less by the *agreement* (an id); call it in the transaction that books it.

    Without an agreement all of it is the *artist*'s.
    """
    if not agreement:
        return {artist: amount}
    SplitTotal.insert(agreement=agreement, currency=currency).on_conflict_ignore().execute()
    here = (SplitTotal.agreement == agreement) & (SplitTotal.currency == currency)
    before = int(database.locked(SplitTotal.select().where(here)).get().total_minor)
    SplitTotal.update(total_minor=before + amount).where(here).execute()
    return difference(parts_of(agreement, currency), before, before + amount)


def difference(parts: Sequence[Part], before: int, after: int) -> dict[str, int]:
    """Pure: what each payee gets more or less when all that was shared goes from *before* to *after*."""
    had, has = allocate(before, parts), allocate(after, parts)
    return {payee: has[payee] - had[payee] for payee in has if has[payee] != had[payee]}


def holding(artist: str, *, release: str = "", track: str = "", at: datetime) -> SplitAgreement | None:
    """The agreement that holds for this at that instant: the track's own, else the release's, else the artist's; of several the latest."""
    for of_release, of_track in dict.fromkeys([("", track), (release, ""), ("", "")]):
        for found in _latest(artist, of_release, of_track, SplitAgreement.starts_at.db_value(at)):
            return found
    return None


def parts_of(agreement: str, currency: str) -> list[Part]:
    """The parts of an agreement (an id), in order; a recoup counts in its own currency only."""
    return [
        Part(row.payee, row.share_bps, row.recoup_minor if row.recoup_currency == currency else 0)
        for row in _parts(agreement)
    ]
