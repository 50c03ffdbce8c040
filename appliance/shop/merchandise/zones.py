"""Where an artist ships to and what that costs; a country stands in one zone, and what stands in none cannot be shipped to."""

from collections.abc import Collection
from datetime import datetime

from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog.models import Artist
from appliance.catalog.wording import clean_line
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import prices
from appliance.shop.merchandise import countries
from appliance.shop.merchandise.models import Zone

MOST_ZONES = 50
LONGEST_NAME = 60


def make(
    artist: Artist,
    name: str,
    codes: list[str],
    *,
    everywhere_else: bool = False,
    first_minor: int,
    further_minor: int,
    actor: User,
    now: datetime,
) -> Zone:
    """A new zone: of countries, or of *everywhere_else*; the first thing in a parcel costs so much, and each further one."""
    with transaction():
        members.hold(artist)
        if Zone.select().where(Zone.artist == artist.id).count() >= MOST_ZONES:
            raise Conflict("An artist has at most {most} shipping zones.", most=MOST_ZONES)
        values = _checked(artist, "", name, codes, everywhere_else, first_minor, further_minor)
        made: Zone = Zone.create(artist=artist.id, created_at=now, **values)
        _note(artist, actor=actor, now=now)
    return made


def change(
    zone: Zone,
    name: str,
    codes: list[str],
    *,
    everywhere_else: bool = False,
    first_minor: int,
    further_minor: int,
    actor: User,
    now: datetime,
) -> None:
    """Change a zone; orders that were begun stay as they are."""
    with transaction():
        members.hold(zone.artist)
        values = _checked(zone.artist, zone.id, name, codes, everywhere_else, first_minor, further_minor)
        Zone.update(**values).where(Zone.id == zone.id).execute()
        _note(zone.artist, actor=actor, now=now)


def remove(zone: Zone, *, actor: User, now: datetime) -> None:
    """Ship there no more; what was ordered is still sent."""
    with transaction():
        Zone.delete().where(Zone.id == zone.id).execute()
        _note(zone.artist, actor=actor, now=now)


def find(artist: Artist, zone_id: str) -> Zone:
    """The zone of this artist with this id, or ``NotFound``."""
    zone: Zone | None = Zone.get_or_none(Zone.id == zone_id, Zone.artist == artist.id)
    if zone is None:
        raise NotFound("There is no such shipping zone.")
    return zone


def of_artist(artist_id: str) -> list[Zone]:
    """The zones of the artist by name, what is everywhere else last."""
    rows = Zone.select().where(Zone.artist == artist_id)
    return sorted(rows, key=lambda row: (not row.countries, row.name.casefold(), row.id))


def holding(rows: Collection[Zone], country: str) -> Zone | None:
    """Pure: the zone of this country; the one for everywhere else when it stands in no other, or none."""
    named = next((row for row in rows if country in row.countries.split()), None)
    return named or next((row for row in rows if not row.countries), None)


def reached(rows: Collection[Zone]) -> frozenset[str]:
    """Pure: all countries that are shipped to."""
    if any(not row.countries for row in rows):
        return countries.EVERY
    return frozenset(code for row in rows for code in row.countries.split())


def cost_minor(zone: Zone, quantity: int) -> int:
    """Pure: what a parcel with so many things costs to ship."""
    return zone.first_minor + (quantity - 1) * zone.further_minor if quantity > 0 else 0


def _checked(
    artist: Artist,
    zone_id: str,
    name: str,
    codes: list[str],
    everywhere_else: bool,
    first_minor: int,
    further_minor: int,
) -> dict[str, object]:
    named = clean_line(name, field="name", longest=LONGEST_NAME)
    wanted = frozenset[str]() if everywhere_else else countries.several(codes)
    if not everywhere_else and not wanted:
        raise Invalid("Name the countries, or choose everywhere else.", field="countries")
    for field, amount in (("first", first_minor), ("further", further_minor)):
        if not 0 <= amount <= prices.MOST_MINOR:
            raise Invalid("Shipping costs nothing or more, and less than anything may cost.", field=field)
    for other in Zone.select().where(Zone.artist == artist.id, Zone.id != zone_id):
        if everywhere_else and not other.countries:
            raise Invalid("Everywhere else is in the zone “{zone}” already.", zone=other.name, field="countries")  # fmt: skip
        if twice := sorted(wanted & set(other.countries.split())):
            raise Invalid("{code} is in the zone “{zone}” already.", code=twice[0], zone=other.name, field="countries")  # fmt: skip
    return {
        "name": named,
        "countries": " ".join(sorted(wanted)),
        "first_minor": first_minor,
        "further_minor": further_minor,
    }


def _note(artist: Artist, *, actor: User, now: datetime) -> None:
    audit.record(Action.SHIPPING_CHANGED, actor=actor.id, subject=f"artist:{artist.id}", now=now)
