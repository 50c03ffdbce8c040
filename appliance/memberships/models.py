"""Tiers of an artist, who is a member in which, and what was bought."""

from enum import StrEnum

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Quality
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class TierKind(StrEnum):
    """Which of the three tiers every artist begins with it is; an empty text for one that they added."""

    FREE = "free"
    SUPPORTER = "supporter"
    SUPERFAN = "superfan"
    OWN = ""


class Origin(StrEnum):
    """Where a membership comes from; the first three are given by hand, a present is paid for by somebody else."""

    GIFT = "gift"
    PRESS = "press"
    BAND = "band"
    PAID = "paid"
    PRESENT = "present"


class Tier(Identified):
    """What somebody is to an artist and what that opens; prices are in the minor units of *currency* (ISO 4217).

    Who is no member has what the artist's *free* tier says. Without a number of *downloads_a_month* there is no limit. An archived
    tier keeps its members and takes no new ones.
    """

    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", backref="tiers", index=False)
    artist_id: str
    kind = peewee.CharField(max_length=10, default=TierKind.OWN)
    name = peewee.CharField(max_length=60)
    about = peewee.TextField(default="")
    position = peewee.IntegerField()
    price_minor = peewee.IntegerField(default=0)
    annual_price_minor = peewee.IntegerField(null=True)
    currency = peewee.CharField(max_length=3, default="EUR")
    top_quality = peewee.CharField(max_length=10, default=Quality.MEDIUM)
    early_access_hours = peewee.IntegerField(default=0)
    exclusives = peewee.BooleanField(default=False)
    downloads_a_month = peewee.IntegerField(null=True, default=0)
    monthly_qa = peewee.BooleanField(default=False)
    live_sessions = peewee.BooleanField(default=False)
    virtual_backstage = peewee.BooleanField(default=False)
    direct_messages_a_month = peewee.IntegerField(default=0)
    offline = peewee.BooleanField(default=False)
    merchandise_discount_percent = peewee.IntegerField(default=0)
    trial_days = peewee.IntegerField(default=0)
    archived_at = UtcDateTimeField(null=True)
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = ((("artist", "position"), False),)


class Membership(Identified):
    """A person is a member of an artist in a tier, until it was *ended* or *paid_through* has passed; without that, for good.

    One that is paid for has the id of its subscription. It may run beside one that was given; of both the better counts, perk by perk.
    """

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", backref="tier_memberships", index=False)
    user_id: str
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", index=False)
    artist_id: str
    tier = peewee.ForeignKeyField(Tier, on_delete="CASCADE", backref="memberships")
    tier_id: str
    origin = peewee.CharField(max_length=10)
    paid_through = UtcDateTimeField(null=True)
    granted_by = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="granted")
    granted_by_id: str | None
    note = peewee.CharField(max_length=300, default="")
    ended_at = UtcDateTimeField(null=True)
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = (
            (("user", "artist"), False),
            (("artist", "ended_at", "id"), False),
        )


class Purchase(Identified):
    """A person bought a release or one *track*, and may hear and download it as long as it is not refunded."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", backref="purchases", index=False)
    user_id: str
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE")
    artist_id: str
    release = peewee.ForeignKeyField(Release, null=True, on_delete="CASCADE")
    release_id: str | None
    track = peewee.ForeignKeyField(Track, null=True, on_delete="CASCADE")
    track_id: str | None
    bought_at = UtcDateTimeField()
    refunded_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = ((("user", "artist"), False),)


MODELS: tuple[type[Base], ...] = (Tier, Membership, Purchase)

# The database itself refuses a second free tier, and a second membership that was given and runs.
Tier.add_index(
    Tier.index(
        Tier.artist,
        Tier.kind,
        unique=True,
        where=(Tier.kind != TierKind.OWN),
        name="tier_kind",
    )
)
Membership.add_index(
    Membership.index(
        Membership.user,
        Membership.artist,
        unique=True,
        where=Membership.ended_at.is_null() & Membership.origin.not_in((Origin.PAID, Origin.PRESENT)),
        name="membership_given",
    )
)
