"""Artists, releases, tracks, renditions and uploads; states and the moves between them."""

from enum import StrEnum

import peewee

from appliance.accounts.models import User
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField
from appliance.database import new_id


class ReleaseKind(StrEnum):
    """What sort of release it is."""

    ALBUM = "album"
    EP = "ep"
    SINGLE = "single"


class ReleaseState(StrEnum):
    """Whether the public may know of a release."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"


class Audience(StrEnum):
    """Who may hear the whole of what is published; all others hear its previews.

    *Members* are those whose tier opens exclusive tracks.
    """

    EVERYONE = "everyone"
    LISTENERS = "listeners"
    MEMBERS = "members"


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
RELEASE_MOVES = {
    ReleaseState.DRAFT: {ReleaseState.SCHEDULED, ReleaseState.PUBLISHED},
    ReleaseState.SCHEDULED: {ReleaseState.DRAFT, ReleaseState.PUBLISHED},
    ReleaseState.PUBLISHED: {ReleaseState.DRAFT},
}
"""From which state a release may go to which; one that is taken back becomes a draft and keeps its address."""


class Artist(Identified):
    """An act with a page of its own; *owner* answers for it, and its members work on it.

    *picture_key* is the folder of its picture in the store and *colour* what carries that picture; *accent* is the colour its people chose.
    """

    slug = peewee.CharField(max_length=60, unique=True)
    name = peewee.CharField(max_length=200)
    about = peewee.TextField(default="")
    location = peewee.CharField(max_length=100, default="")
    links = peewee.TextField(default="")  # one a line: address, a space, label
    picture_key = peewee.CharField(max_length=200, default="")
    colour = peewee.CharField(max_length=7, default="")
    accent = peewee.CharField(max_length=7, default="")
    owner = peewee.ForeignKeyField(User, backref="artists")
    owner_id: str
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()


class Release(Identified):
    """An album, EP or single; *artwork_key* is the folder of its artwork in the store, *colour* its page's.

    *version* grows with every change an editor makes. Until it is published, whoever has its *private_key* may see and hear it; an
    empty one opens nothing. *publish_at* is set while it is scheduled. *withdrawn_at* is when it was last taken back from the public: who
    bought it before then keeps it.
    """

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
    publish_at = UtcDateTimeField(null=True)
    withdrawn_at = UtcDateTimeField(null=True)
    private_key = peewee.CharField(max_length=64, default="")
    audience = peewee.CharField(max_length=10, default=Audience.EVERYONE)
    taken_down_at = UtcDateTimeField(null=True)
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = (
            (("artist", "slug"), True),
            (("state", "published_at", "id"), False),
            (("artist", "state", "published_at", "id"), False),
        )


class Track(Identified):
    """One recording: its original, untouched, and what was made of it in the run that counts now.

    Its *slug* is its part of an address, its own within the release, and stays when the title changes. Without a *licence* of its own
    it has that of the release. *synced_lyrics* are LRC. An *exclusive* track is for members whose tier says so. What was *taken_down* is heard by
    nobody, whatever they bought.
    """

    release = peewee.ForeignKeyField(Release, backref="tracks")
    release_id: str
    position = peewee.IntegerField()
    slug = peewee.CharField(max_length=80, default=lambda: new_id().lower())
    title = peewee.CharField(max_length=300)
    state = peewee.CharField(max_length=12, default=TrackState.UPLOADED)
    problem = peewee.TextField(default="")
    isrc = peewee.CharField(max_length=12, default="")
    lyrics = peewee.TextField(default="")
    synced_lyrics = peewee.TextField(default="")
    licence = peewee.CharField(max_length=60, default="")
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
    exclusive = peewee.BooleanField(default=False)
    taken_down_at = UtcDateTimeField(null=True)
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = (
            (("release", "position"), False),
            (("release", "slug"), True),
        )


class Credit(Identified):
    """Who did what on a release, or on one *track* of it."""

    release = peewee.ForeignKeyField(Release, backref="contributors", on_delete="CASCADE")
    release_id: str
    track = peewee.ForeignKeyField(Track, backref="contributors", null=True, on_delete="CASCADE")
    track_id: str | None
    name = peewee.CharField(max_length=200)
    role = peewee.CharField(max_length=100, default="")
    position = peewee.IntegerField()


class Replacement(Identified):
    """A new original for a track that has one, until what is made of it is verified; a *problem* ends it.

    Originals never change: each has a key of its own, and the former one is cleaned away when no row names it any more.
    """

    track = peewee.ForeignKeyField(Track, backref="replacements", unique=True, on_delete="CASCADE")
    track_id: str
    original_key = peewee.CharField(max_length=200)
    original_name = peewee.CharField(max_length=255)
    original_type = peewee.CharField(max_length=60)
    original_size_bytes = peewee.BigIntegerField()
    original_sha256 = peewee.CharField(max_length=64)
    problem = peewee.TextField(default="")
    created_at = UtcDateTimeField()


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


class RenditionKey(Base):
    """What opens a rung that is stored encrypted: its key, wrapped by a master key, how the clear file is laid out, and its SHA-256."""

    id: int
    rendition = peewee.ForeignKeyField(Rendition, backref="keys", unique=True, on_delete="CASCADE")
    rendition_id: int
    master = peewee.CharField(max_length=16, index=True)
    wrapped = peewee.CharField(max_length=100)
    layout = peewee.TextField()
    clear_sha256 = peewee.CharField(max_length=64)


class Upload(Identified):
    """An original on its way in by tus; what arrived lies in the store in pieces.

    The finished track takes the same id, so that finishing twice makes one track. With *replaces*, the id of a track, it becomes
    that track's new master instead.
    """

    user = peewee.ForeignKeyField(User)
    release = peewee.ForeignKeyField(Release)
    release_id: str
    filename = peewee.CharField(max_length=255)
    replaces = peewee.CharField(max_length=26, default="")
    size_bytes = peewee.BigIntegerField()
    offset_bytes = peewee.BigIntegerField(default=0)
    problem = peewee.TextField(default="")
    finished_at = UtcDateTimeField(null=True)
    expires_at = UtcDateTimeField()
    created_at = UtcDateTimeField()


class UploadPiece(Base):
    """What one request brought of an upload: the bytes from *start_bytes*, an object of the store."""

    id = peewee.BigAutoField()
    upload = peewee.ForeignKeyField(Upload, on_delete="CASCADE", index=False)
    start_bytes = peewee.BigIntegerField()
    size_bytes = peewee.BigIntegerField()
    sha256 = peewee.CharField(max_length=64)
    key = peewee.CharField(max_length=80, unique=True)

    class Meta:
        indexes = ((("upload", "start_bytes"), True),)
