"""Some releases of an artist that are sold together."""

import peewee

from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class Bundle(Identified):
    """Chosen releases for one price, in minor units of the artist's currency; the picture is that of the first. Who likes may *pay_more*."""

    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", index=False)
    artist_id: str
    title = peewee.CharField(max_length=200)
    about = peewee.TextField(default="")
    price_minor = peewee.BigIntegerField()
    pay_more = peewee.BooleanField(default=True)
    stopped_at = UtcDateTimeField(null=True)
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        table_name = "shop_bundle"
        indexes = ((("artist", "id"), False),)


class BundlePart(Identified):
    """A release in a bundle, at its place."""

    bundle = peewee.ForeignKeyField(Bundle, backref="parts", on_delete="CASCADE", index=False)
    bundle_id: str
    release = peewee.ForeignKeyField(Release, on_delete="CASCADE")
    release_id: str
    position = peewee.IntegerField()

    class Meta:
        table_name = "shop_bundle_part"
        indexes = ((("bundle", "release"), True),)


MODELS: tuple[type[Base], ...] = (Bundle, BundlePart)
