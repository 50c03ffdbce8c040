"""Agreements on sharing: who gets how much of what an artist, a release or a track earns, and from when on.

An agreement is never changed: a later one takes its place from its own instant on, so that everybody can see what held when a payment
was made. One that has not begun can be taken back.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from appliance import currencies
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.letters import Letters
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.ledger.models import SplitAgreement
from appliance.ledger.models import SplitPart
from appliance.ledger.models import SplitTotal

WHOLE_BPS = 10_000
MOST_PARTS = 50
MOST_RECOUP_MINOR = 10**11
FARTHEST = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payee's part as it is asked for: *payee* is the address (slug) or the id of an artist of this server."""

    payee: str
    share_bps: int
    recoup_minor: int = 0
    recoup_currency: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is shared: all that the artist earns, or what one release or one track of theirs does."""

    artist: Artist
    release: Release | None = None
    track: Track | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """The ids that an agreement names."""
        # A track's own agreement names no release: a sale of the track need not say on which it is.
        return (
            self.artist.id,
            self.release.id if self.release and not self.track else "",
            self.track.id if self.track else "",
        )

    @property
    def title(self) -> str:
        """What it is called."""
        return str((self.track or self.release).title) if self.track or self.release else self.artist.name  # type: ignore[union-attr]


def make(
    subject: Subject,
    wanted: Sequence[Wanted],
    *,
    starts_at: datetime | None,
    actor: User,
    letters: Letters,
    now: datetime,
) -> SplitAgreement:
    """Agree that *wanted* holds from *starts_at* on (``None``: at once); post the *letters* afterwards.

    ``Invalid`` names the row that cannot be taken, such as ``share-2``, where there is one.
    """
    starts = _start(starts_at, now)
    payees = _payees(wanted)
    _require_whole(wanted)
    artist, release, track = subject.place
    with transaction():
        members.hold(subject.artist)
        here = (
            (SplitAgreement.artist == artist)
            & (SplitAgreement.release == release)
            & (SplitAgreement.track == track)
        )
        if SplitAgreement.select().where(here & (SplitAgreement.starts_at == starts)).exists():
            raise Conflict(
                "Another agreement begins at that very instant; take it back first, or choose another day."
            )
        made = SplitAgreement.create(
            artist=artist,
            release=release,
            track=track,
            starts_at=starts,
            made_by=actor.id,
            created_at=now,
        )
        for position, (part, payee) in enumerate(zip(wanted, payees, strict=True)):
            SplitPart.create(
                agreement=made.id,
                payee=payee.id,
                share_bps=part.share_bps,
                recoup_minor=part.recoup_minor,
                recoup_currency=part.recoup_currency if part.recoup_minor else "",
                position=position,
            )
        _tell(subject, wanted, payees, actor=actor, letters=letters, now=now)
        audit.record(
            Action.SPLIT_AGREED,
            actor=actor.id,
            subject=f"artist:{artist}",
            now=now,
            detail={
                "agreement": made.id,
                "release": release,
                "track": track,
                "from": starts.isoformat(),
                "parts": [_noted(part, payee) for part, payee in zip(wanted, payees, strict=True)],
            },
        )
    found: SplitAgreement = SplitAgreement.get_by_id(made.id)
    return found


def take_back(artist: Artist, agreement_id: str, *, actor: User, now: datetime) -> None:
    """Take an agreement back that has not begun; ``Conflict`` for one that has, since money was or may be shared by it."""
    with transaction():
        members.hold(artist)
        found = SplitAgreement.get_or_none(
            SplitAgreement.id == agreement_id, SplitAgreement.artist == artist.id
        )
        if found is None:
            raise NotFound("There is no such agreement.")
        used = SplitTotal.select().where(SplitTotal.agreement == found.id).exists()
        if found.starts_at <= now or used:
            raise Conflict("This agreement has begun; make another one to take its place.")
        SplitAgreement.delete().where(SplitAgreement.id == found.id).execute()
        audit.record(
            Action.SPLIT_TAKEN_BACK,
            actor=actor.id,
            subject=f"artist:{artist.id}",
            now=now,
            detail={"agreement": found.id},
        )


def history(subject: Subject) -> list[SplitAgreement]:
    """All agreements on this, the one that begins last first."""
    artist, release, track = subject.place
    query = SplitAgreement.select().where(
        SplitAgreement.artist == artist, SplitAgreement.release == release, SplitAgreement.track == track
    )
    return list(query.order_by(SplitAgreement.starts_at.desc()))


def parts(agreements: Iterable[SplitAgreement]) -> dict[str, list[SplitPart]]:
    """The parts of each agreement, by its id, in their order; by one query."""
    found: dict[str, list[SplitPart]] = {row.id: [] for row in agreements}
    query = SplitPart.select().where(SplitPart.agreement.in_(list(found))) if found else []
    for part in sorted(query, key=lambda part: part.position):
        found[part.agreement_id].append(part)
    return found


def shared_things(artist: Artist) -> set[str]:
    """The ids of the artist's releases and tracks that have an agreement of their own."""
    rows = SplitAgreement.select(SplitAgreement.release, SplitAgreement.track).where(
        SplitAgreement.artist == artist.id
    )
    return {row.track or row.release for row in rows} - {""}


def names(ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Name and address of artists, by id, by one query; who is gone is missing."""
    wanted = set(ids)
    rows = Artist.select(Artist.id, Artist.name, Artist.slug).where(Artist.id.in_(wanted)) if wanted else ()
    return {row.id: (row.name, row.slug) for row in rows}


def read_share(text: str) -> int:
    """Pure: the part that somebody wrote in percent, such as ``33.34``, in basis points; ``Invalid`` for what is none."""
    whole, point, rest = text.strip().removesuffix("%").strip().replace(",", ".").partition(".")
    digits = whole.isascii() and whole.isdigit() and (not point or (rest.isascii() and rest.isdigit()))
    if not digits or len(rest) > 2 or len(whole) > 3 or int(whole + rest.ljust(2, "0")) > WHOLE_BPS:
        raise Invalid(
            "Write a share in percent, from 0 to 100 with at most two digits after the point, such as 33.34."
        )
    return int(whole + rest.ljust(2, "0"))


def written_share(bps: int) -> str:
    """Pure: basis points as one writes them in percent."""
    return f"{bps // 100}.{bps % 100:02}"


def _start(starts_at: datetime | None, now: datetime) -> datetime:
    starts = starts_at or now
    if starts < now:
        raise Invalid(
            "An agreement cannot begin in the past: what was paid before has been shared already.",
            field="from",
        )
    if starts > now + FARTHEST:
        raise Invalid("An agreement begins within five years.", field="from")
    return starts


def _payees(wanted: Sequence[Wanted]) -> list[Artist]:
    if not wanted:
        raise Invalid("Name at least one payee: somebody has to get the money.", field="payee-1")
    if len(wanted) > MOST_PARTS:
        raise Invalid(
            "An agreement has at most {most} parts; this one has {there}.", most=MOST_PARTS, there=len(wanted)
        )
    keys = {part.payee for part in wanted}
    rows = Artist.select(Artist, User).join(User).where(Artist.slug.in_(keys) | Artist.id.in_(keys))
    known = {key: row for row in rows for key in (row.slug, row.id)}
    found: list[Artist] = []
    for number, part in enumerate(wanted, start=1):
        payee = known.get(part.payee)
        if payee is None:
            raise Invalid(
                "There is no artist '{payee}' here; a payee is an artist of this server, named by the address of their page.",
                payee=part.payee[:60],
                field=f"payee-{number}",
            )
        if payee in found:
            raise Invalid(
                "{payee} stands there twice; add the two parts up.",
                payee=payee.name,
                field=f"payee-{number}",
            )
        found.append(payee)
    return found


def _require_whole(wanted: Sequence[Wanted]) -> None:
    for number, part in enumerate(wanted, start=1):
        if not 0 <= part.share_bps <= WHOLE_BPS:
            raise Invalid("A share is from 0 to 100 percent.", field=f"share-{number}")
        if not 0 <= part.recoup_minor <= MOST_RECOUP_MINOR:
            raise Invalid(
                "What is recouped first is an amount from nothing to 999,999,999.", field=f"recoup-{number}"
            )
        if part.recoup_minor and part.recoup_currency not in currencies.DIGITS:
            raise Invalid("Say in which currency that is recouped.", field=f"currency-{number}")
        if not part.share_bps and not part.recoup_minor:
            raise Invalid(
                "A payee without a share and without anything to recoup gets nothing; take the row away.",
                field=f"share-{number}",
            )
    whole = sum(part.share_bps for part in wanted)
    if whole != WHOLE_BPS:
        raise Invalid("The shares add up to {sum} %; they must be 100 % exactly.", sum=written_share(whole))


def _tell(
    subject: Subject,
    wanted: Sequence[Wanted],
    payees: Sequence[Artist],
    *,
    actor: User,
    letters: Letters,
    now: datetime,
) -> None:
    """A letter to whoever owns another artist that gets a part."""
    for part, payee in zip(wanted, payees, strict=True):
        if payee.id != subject.artist.id and payee.owner_id != actor.id:
            letters.write(
                "split_agreed",
                payee.owner.email,
                now=now,
                artist=subject.artist.name,
                payee=payee.name,
                title=subject.title,
                share=written_share(part.share_bps),
            )


def _noted(part: Wanted, payee: Artist) -> str:
    recoup = f" after {part.recoup_minor} {part.recoup_currency}" if part.recoup_minor else ""
    return f"{payee.id} {part.share_bps}{recoup}"
