"""What things cost: set by an artist's people, in the currency of its tiers, and never below what a processor takes."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime

from appliance import currencies
from appliance import processors
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.versions import Stale
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.memberships.models import Tier
from appliance.payments import Feature
from appliance.prepared import Prepared
from appliance.shop.models import Price

MOST_MINOR = 100_000_000
"""No single thing costs more, in minor units; it is as much as a tier may cost."""
MOST_PERCENT = 99
"""Of the whole catalogue at most this is taken off: what is free is priced at nothing."""
_of_things = Prepared(lambda *things: Price.select().where(Price.thing.in_(things)))
_of_artist = Prepared(lambda artist_id: Price.select().where(Price.artist == artist_id))


def currency_of(artist_id: str) -> str:
    """The currency of this artist's prices, which is that of its tiers."""
    tier = Tier.select(Tier.currency).where(Tier.artist == artist_id).order_by(Tier.position).first()
    return str(tier.currency) if tier is not None else currencies.EURO


def least_minor(currency: str) -> int:
    """The smallest amount above nothing that can be paid here: the least of what the providers take; 0 while nobody takes it."""
    taken = [
        least
        for provider in processors.every()
        if Feature.ONE_OFF in provider.features
        and (least := processors.least_minor(provider, currency)) is not None
    ]
    return min(taken, default=0)


def checked(price_minor: object, currency: str, *, field: str = "price") -> int:
    """*price_minor* if it can be asked; ``Invalid`` tells why not. Nothing (0) always can, and needs no provider."""
    currency = currencies.read(currency)
    if not isinstance(price_minor, int) or isinstance(price_minor, bool) or price_minor < 0:
        raise Invalid("A price is an amount, or 0 for what is given away.", field=field)
    if price_minor > MOST_MINOR:
        raise Invalid(
            "Nothing here costs more than {most} {currency}.",
            most=currencies.written(MOST_MINOR, currency),
            currency=currency,
            field=field,
        )
    least = least_minor(currency)
    if 0 < price_minor < least:
        raise Invalid(
            "The smallest amount that can be paid here is {least} {currency}. Ask for that much, or for nothing.",
            least=currencies.written(least, currency),
            currency=currency,
            field=field,
        )
    return price_minor


def of_things(things: Iterable[str]) -> dict[str, Price]:
    """The prices of these releases, tracks and artists (for the catalogue), by id; by one query."""
    wanted = list(things)
    rows = _of_things(*wanted) if wanted else ()
    return {row.thing: row for row in rows}


def of_artist(artist: Artist) -> dict[str, Price]:
    """All prices of this artist, by what they are for."""
    return {row.thing: row for row in _of_artist(artist.id)}


def is_ahead(release: Release, price: Price) -> bool:
    """Whether the release can be ordered before its day."""
    return (
        bool(price.preorder)
        and release.state == ReleaseState.SCHEDULED
        and release.publish_at is not None
        and release.taken_down_at is None
    )


def set_release(
    release: Release,
    price_minor: int | None,
    *,
    pay_more: bool,
    preorder: bool = False,
    actor: User,
    now: datetime,
    made_from: int | None = None,
) -> None:
    """Sell the release for at least this much; ``None`` takes it off sale. ``Stale`` unless the price is as it was when the form was made."""
    values = {"release": release.id, "pay_more": pay_more, "preorder": preorder}
    _set(
        release.id,
        release.artist_id,
        price_minor,
        values,
        about=f"release:{release.id}",
        actor=actor,
        now=now,
        made_from=made_from,
    )


def set_track(track: Track, price_minor: int | None, *, pay_more: bool, actor: User, now: datetime) -> None:
    """Sell the track, its release joined, by itself; ``None`` takes it off sale."""
    values = {"track": track.id, "pay_more": pay_more}
    _set(
        track.id,
        track.release.artist_id,
        price_minor,
        values,
        about=f"track:{track.id}",
        actor=actor,
        now=now,
    )


def set_all(
    release: Release,
    price_minor: int | None,
    of_tracks: Sequence[tuple[Track, int | None]],
    *,
    pay_more: bool,
    preorder: bool,
    actor: User,
    now: datetime,
    made_from: int | None = None,
) -> None:
    """The prices of a release and of its tracks, all or none; as ``set_release`` and ``set_track``."""
    with transaction():
        set_release(
            release,
            price_minor,
            pay_more=pay_more,
            preorder=preorder,
            actor=actor,
            now=now,
            made_from=made_from,
        )
        for track, asked in of_tracks:
            try:
                set_track(track, asked, pay_more=pay_more, actor=actor, now=now)
            except Invalid as error:
                error.field = f"price-{track.id}"
                raise


def set_catalogue(artist: Artist, percent_off: int | None, *, actor: User, now: datetime) -> None:
    """Sell all that is out and has a price at once, with *percent_off*; ``None`` takes that offer back."""
    if percent_off is not None and not 0 <= percent_off <= MOST_PERCENT:
        raise Invalid("Take off 0 to {most} percent.", most=MOST_PERCENT, field="percent_off")
    values = {"percent_off": percent_off or 0}
    _set(
        artist.id,
        artist.id,
        None if percent_off is None else 0,
        values,
        about=f"artist:{artist.id}",
        actor=actor,
        now=now,
    )


def _set(
    thing: str,
    artist_id: str,
    price_minor: int | None,
    values: Mapping[str, object],
    *,
    about: str,
    actor: User,
    now: datetime,
    made_from: int | None = None,
) -> None:
    if price_minor is not None:
        checked(price_minor, currency_of(artist_id))
    with transaction():
        before = Price.get_or_none(Price.thing == thing)
        if made_from is not None and made_from != (before.version if before else 0):
            raise Stale
        wanted = {**values, "price_minor": price_minor}
        if price_minor is None and before is None:
            return
        if price_minor is None:
            Price.delete().where(Price.thing == thing).execute()
        elif before is None:
            Price.insert(
                thing=thing, artist=artist_id, created_at=now, updated_at=now, **wanted
            ).on_conflict_ignore().execute()
        elif all(_held(before, name) == value for name, value in wanted.items()):
            return
        else:
            Price.update(version=Price.version + 1, updated_at=now, **wanted).where(
                Price.thing == thing
            ).execute()
        audit.record(
            Action.PRICE_CHANGED,
            actor=actor.id,
            subject=about,
            now=now,
            detail={"artist": artist_id, "price_minor": price_minor},
        )


def _held(row: Price, name: str) -> object:
    return getattr(row, f"{name}_id" if name in {"release", "track"} else name)
