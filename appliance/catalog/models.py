"""Artists, releases, tracks, renditions and uploads; states and the moves between them."""

from enum import StrEnum

import peewee

from appliance.accounts.models import User
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class ReleaseKind(StrEnum):
    """What sort of release it is."""

    ALBUM = "album"
    EP = "ep"
    SINGLE = "single"


class ReleaseState(StrEnum):
    """Whether the public may know of a release."""

    DRAFT = "draft"
    PUBLISHED = "published"


class TrackState(StrEnum):
    """How far a track is from the upload of its original to being heard."""

    UPLOADED = "uploaded"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class Quality(StrEnum):
    """The rungs of the ladder, lowest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    LOSSLESS = "lossless"
    MASTER = "master"


MOVES = {
    TrackState.UPLOADED: {TrackState.PROCESSING, TrackState.FAILED},
    TrackState.PROCESSING: {TrackState.READY, TrackState.FAILED},
    TrackState.READY: {TrackState.PROCESSING},
    TrackState.FAILED: {TrackState.PROCESSING},
}
"""From which state a track may go to which; a rerun after a crash stays in ``processing``."""


class Artist(Identified):
    """An act with a page of its own; *owner* runs it."""

    slug = peewee.CharField(max_length=60, unique=True)
    name = peewee.CharField(max_length=200)
    about = peewee.TextField(default="")
    owner = peewee.ForeignKeyField(User, backref="artists")
    owner_id: str
    created_at = UtcDateTimeField()


class Release(Identified):
    """An album, EP or single; *artwork_key* is the folder of its artwork in the store, *colour* its page's."""

    artist = peewee.ForeignKeyField(Artist, backref="releases")
    artist_id: str
    slug = peewee.CharField(max_length=80)
    title = peewee.CharField(max_length=300)
    kind = peewee.CharField(max_length=10, default=ReleaseKind.ALBUM)
    state = peewee.CharField(max_length=10, default=ReleaseState.DRAFT)
    about = peewee.TextField(default="")
    genre = peewee.CharField(max_length=60, default="")
    tags = peewee.TextField(default="")  # one a line
    credits = peewee.TextField(default="")
    licence = peewee.CharField(max_length=60, default="")
    catalogue_number = peewee.CharField(max_length=60, default="")
    release_date = peewee.DateField(null=True)
    artwork_key = peewee.CharField(max_length=200, default="")
    colour = peewee.CharField(max_length=7, default="")
    published_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = (
            (("artist", "slug"), True),
            (("state", "published_at", "id"), False),
        )


class Track(Identified):
    """One recording: its original, untouched, and what was made of it in the run that counts now."""

    release = peewee.ForeignKeyField(Release, backref="tracks")
    release_id: str
    position = peewee.IntegerField()
    title = peewee.CharField(max_length=300)
    state = peewee.CharField(max_length=12, default=TrackState.UPLOADED)
    problem = peewee.TextField(default="")
    isrc = peewee.CharField(max_length=12, default="")
    lyrics = peewee.TextField(default="")
    original_key = peewee.CharField(max_length=200)
    original_name = peewee.CharField(max_length=255)
    original_type = peewee.CharField(max_length=60)
    original_size_bytes = peewee.BigIntegerField()
    original_sha256 = peewee.CharField(max_length=64)
    original_format = peewee.CharField(max_length=100, default="")
    run_id = peewee.CharField(max_length=26, default="")
    duration_ms = peewee.IntegerField(null=True)
    loudness_lufs = peewee.FloatField(null=True)
    true_peak_dbtp = peewee.FloatField(null=True)
    fingerprint = peewee.TextField(default="")
    waveform_key = peewee.CharField(max_length=200, default="")
    preview_key = peewee.CharField(max_length=200, default="")
    announced_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = ((("release", "position"), False),)


class Rendition(Base):
    """One rung of one run: a playlist and a media file in the store, and what a master playlist says of them."""

    id: int
    track = peewee.ForeignKeyField(Track, backref="renditions", on_delete="CASCADE")
    track_id: str
    run_id = peewee.CharField(max_length=26)
    quality = peewee.CharField(max_length=10)
    codecs = peewee.CharField(max_length=40)
    bandwidth = peewee.IntegerField()
    average_bandwidth = peewee.IntegerField()
    sample_rate_hz = peewee.IntegerField()
    channels = peewee.IntegerField()
    bits = peewee.IntegerField(null=True)
    size_bytes = peewee.BigIntegerField()

    class Meta:
        indexes = ((("track", "run_id", "quality"), True),)


class Upload(Identified):
    """An original on its way in by tus; the bytes lie in the staging folder under this id.

    The finished track takes the same id, so that finishing twice makes one track.
    """

    user = peewee.ForeignKeyField(User)
    release = peewee.ForeignKeyField(Release)
    release_id: str
    filename = peewee.CharField(max_length=255)
    size_bytes = peewee.BigIntegerField()
    offset_bytes = peewee.BigIntegerField(default=0)
    problem = peewee.TextField(default="")
    finished_at = UtcDateTimeField(null=True)
    expires_at = UtcDateTimeField()
    created_at = UtcDateTimeField()
