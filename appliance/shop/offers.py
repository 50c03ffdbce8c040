"""What can be bought now: a release, a track, a bundle, all of an artist at once, and a tip."""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import openness
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.errors import NotFound
from appliance.ledger.settlement import apportion
from appliance.memberships.models import Purchase
from appliance.shop import bundles
from appliance.shop import prices
from appliance.shop.bundle_models import Bundle
from appliance.shop.models import Kind
from appliance.shop.models import Price

MOST_OF_A_CATALOGUE = 500


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that an offer opens; *weight* is its part of the price."""

    name: str
    weight: int
    release: str = ""
    track: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be bought for at least *price_minor*, in one order: *full_minor* is what its parts cost one by one.

    *thing* is the id of the release, the track or, for its catalogue and for a tip, the artist. *preorder*: it is not out yet, and is at *out_at*;
    what of it is out already, by itself, is opened *at_once*.
    """

    kind: Kind
    thing: str
    name: str
    artist: Artist
    currency: str
    price_minor: int
    full_minor: int
    pay_more: bool
    parts: tuple[Part, ...] = ()
    preorder: bool = False
    out_at: datetime | None = None
    at_once: tuple[Part, ...] = ()


def find(kind: str, thing: str) -> Offer:
    """The offer for this thing, or ``NotFound`` when it cannot be bought."""
    found: Offer | None = None
    match kind:
        case Kind.RELEASE:
            found = of_release(releases.find(thing))
        case Kind.TRACK:
            found = of_track(tracks.find(thing))
        case Kind.CATALOGUE:
            found = of_catalogue(artists.by_id(thing))
        case Kind.BUNDLE:
            found = of_bundle(bundles.by_id(thing))
        case Kind.TIP:
            found = tip(artists.by_id(thing))
    if found is None:
        raise NotFound("This cannot be bought.")
    return found


def of_release(release: Release, price: Price | None = None) -> Offer | None:
    """The offer for this release, its artist joined; ``None`` where there is none."""
    price = price or prices.of_things([release.id]).get(release.id)
    if price is None or not (openness.is_public(release) or prices.is_ahead(release, price)):
        return None
    return Offer(
        kind=Kind.RELEASE,
        thing=release.id,
        name=release.title,
        artist=release.artist,
        currency=prices.currency_of(release.artist_id),
        price_minor=price.price_minor,
        full_minor=price.price_minor,
        pay_more=price.pay_more,
        parts=(Part(release.title, 1, release=release.id),),
        preorder=not openness.is_public(release),
        out_at=None if openness.is_public(release) else release.publish_at,
        at_once=() if openness.is_public(release) else tuple(_out_already(release)),
    )


def of_track(track: Track, price: Price | None = None) -> Offer | None:
    """The offer for this track, release and artist joined; ``None`` where there is none."""
    price = price or prices.of_things([track.id]).get(track.id)
    if price is None or not (openness.is_public(track.release) and openness.is_heard(track)):
        return None
    return Offer(
        kind=Kind.TRACK,
        thing=track.id,
        name=track.title,
        artist=track.release.artist,
        currency=prices.currency_of(track.release.artist_id),
        price_minor=price.price_minor,
        full_minor=price.price_minor,
        pay_more=price.pay_more,
        parts=(Part(track.title, 1, release=track.release_id, track=track.id),),
    )


def of_catalogue(artist: Artist) -> Offer | None:
    """All that is out and has a price, with what is taken off; ``None`` unless that is offered and more than one release."""
    known = prices.of_artist(artist)
    off = known.get(artist.id)
    if off is None:
        return None
    rows = releases.published(limit=MOST_OF_A_CATALOGUE, artist=artist)
    sold = [(row, known[row.id].price_minor) for row in rows if row.id in known]
    if len(sold) < 2:
        return None
    full = sum(cost for _row, cost in sold)
    return Offer(
        kind=Kind.CATALOGUE,
        thing=artist.id,
        name=artist.name,
        artist=artist,
        currency=prices.currency_of(artist.id),
        price_minor=discounted(full, off.percent_off),
        full_minor=full,
        pay_more=True,
        parts=tuple(Part(row.title, cost, release=row.id) for row, cost in sold),
    )


def of_bundle(bundle: Bundle) -> Offer | None:
    """The offer for this bundle, artist joined; ``None`` unless all that is in it can be had."""
    return of_bundles([bundle]).get(bundle.id)


def of_bundles(rows: Iterable[Bundle]) -> dict[str, Offer]:
    """The offers for those of these bundles that can be bought, artists joined, by the bundle's id; by three queries."""
    listed = [row for row in rows if row.stopped_at is None]
    inside = bundles.releases_of(listed)
    known = prices.of_things({row.id for parts in inside.values() for row in parts})
    codes = {key: prices.currency_of(key) for key in {row.artist_id for row in listed}}
    found = {}
    for row in listed:
        parts = inside[row.id]
        whole = len(parts) >= bundles.LEAST_PARTS and all(
            bundles.is_had(part, known.get(part.id)) for part in parts
        )
        if not whole:
            continue
        costs = [known[part.id].price_minor if part.id in known else 0 for part in parts]
        found[row.id] = Offer(
            kind=Kind.BUNDLE,
            thing=row.id,
            name=row.title,
            artist=row.artist,
            currency=codes[row.artist_id],
            price_minor=row.price_minor,
            full_minor=sum(costs),
            pay_more=row.pay_more,
            parts=tuple(
                Part(part.title, cost, release=part.id) for part, cost in zip(parts, costs, strict=True)
            ),
            at_once=tuple(
                one for part in parts if not openness.is_public(part) for one in _out_already(part)
            ),
        )
    return found


def tip(artist: Artist) -> Offer:
    """Money for the artist as such: as much as one likes."""
    return Offer(
        kind=Kind.TIP,
        thing=artist.id,
        name=artist.name,
        artist=artist,
        currency=prices.currency_of(artist.id),
        price_minor=0,
        full_minor=0,
        pay_more=True,
    )


def preorders(artist: Artist) -> list[Offer]:
    """What of this artist is sold before its day, the next one first."""
    query = (
        Release.select(Release, Artist)
        .join(Artist)
        .where(Release.artist == artist.id, Release.state == ReleaseState.SCHEDULED)
        .order_by(Release.publish_at)
    )
    found = prices.of_artist(artist)
    ahead = [of_release(row, found[row.id]) for row in query if row.id in found]
    return [offer for offer in ahead if offer is not None]


def discounted(amount_minor: int, percent: int) -> int:
    """Pure: what is left of an amount with so many percent taken off; a half is rounded up, for the artist."""
    return (amount_minor * (100 - percent) + 50) // 100


def shared(offer: Offer, amount_minor: int) -> list[tuple[Part, int]]:
    """Pure: each part of the offer with its part of *amount_minor*, to the cent; things that cost nothing share alike."""
    weights = [part.weight for part in offer.parts]
    if not any(weights):
        weights = [1] * len(weights)
    return list(zip(offer.parts, apportion(amount_minor, weights), strict=True))


def bought(user: User | None, things: Iterable[str]) -> frozenset[str]:
    """Of these releases and tracks, what this person has bought and not given back."""
    wanted = list(things)
    if user is None or not wanted:
        return frozenset()
    standing = Purchase.refunded_at.is_null() & (Purchase.user == user.id)
    mine = Purchase.release.in_(wanted) | Purchase.track.in_(wanted)
    rows = Purchase.select(Purchase.release, Purchase.track).where(standing & mine)
    return frozenset(key for row in rows for key in (row.release_id, row.track_id) if key)


def owned(offer: Offer, user: User | None) -> list[Part]:
    """What of it this person has bought already; a track also with its whole release."""
    keys = {key for part in offer.parts for key in (part.release, part.track) if key}
    mine = bought(user, keys)
    return [part for part in offer.parts if mine & {part.track or part.release, part.release}]


def has_all(offer: Offer, user: User | None) -> bool:
    """Whether this person has bought all of it already."""
    return bool(offer.parts) and len(owned(offer, user)) == len(offer.parts)


def _out_already(release: Release) -> Iterator[Part]:
    """Recordings of this release that the artist published before, on a single say: known by their ISRC, which names a recording."""
    known = [
        row.isrc for row in Track.select(Track.isrc).where(Track.release == release.id, Track.isrc != "")
    ]
    if not known:
        return
    query = (
        Track.select()
        .join(Release)
        .where(Release.artist == release.artist_id, openness.PUBLIC, openness.HEARD, Track.isrc.in_(known))
    )
    for row in query.order_by(Track.release, Track.position):
        yield Part(row.title, 0, release=row.release_id, track=row.id)
