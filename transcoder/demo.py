"""The demo collective: accounts, artists and releases at once, their music by durable jobs through the real upload path."""

import hashlib
import io
import shutil
from datetime import datetime

from appliance import clock
from appliance import jobs
from appliance import startup
from appliance.accounts import people
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import artwork
from appliance.catalog import originals
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.startup import Appliance
from transcoder import covers
from transcoder import program
from transcoder import synthesis

ARTIST_EMAIL, FAN_EMAIL, PASSWORD = "artist@demo.com", "fan@demo.com", "password123"
SONG = "demo_song"
"""The kind of job that makes one demo song; its subject is the song's title."""


def make(appliance: Appliance, *, now: datetime) -> bool:
    """Make the demo unless it is there; music follows by jobs. Safe to be killed anywhere and called again."""
    if not User.select().where(User.email == FAN_EMAIL).exists():
        people.create(
            FAN_EMAIL, PASSWORD, roles=[RoleName.LISTENER], now=now, display_name="Demo fan", demo=True
        )
    owner = User.get_or_none(User.email == ARTIST_EMAIL) or people.create(
        ARTIST_EMAIL, PASSWORD, roles=[RoleName.ARTIST], now=now, display_name="Demo artist", demo=True
    )
    queued = []
    for song in synthesis.SONGS:
        with transaction():
            release = _release(owner, song, now=now)
            known = Track.select().where(Track.id == track_id(song)).exists()
            job = None if known else jobs.add(SONG, song.title, now=now)
        if not release.artwork_key:
            artwork.set_artwork(release, io.BytesIO(covers.cover(song.artist, song.release)), store=appliance.store, now=now)
        if job is not None:
            queued.append(job.id)
    for job_id in queued:
        jobs.send(job_id)
    return bool(queued)


def track_id(song: synthesis.Song) -> str:
    """The same id at every run, so that a song is never made twice."""
    return hashlib.sha256(f"{song.artist_slug}/{song.title}".encode()).hexdigest()[:26].upper()


def _release(owner: User, song: synthesis.Song, *, now: datetime) -> Release:
    artist = Artist.get_or_none(Artist.slug == song.artist_slug) or artists.create(
        owner, name=song.artist, slug=song.artist_slug, now=now
    )
    release: Release | None = Release.get_or_none(
        Release.artist == artist.id, Release.title == song.release
    )
    if release is None:
        fields = {
            "title": song.release,
            "kind": song.kind,
            "genre": song.genre,
            "tags": list(song.tags),
            "licence": "CC BY 4.0",
        }
        release = releases.create(artist, fields, now=now)
        # Public before any track is ready, unlike an artist's release: the demo shows how music arrives.
        Release.update(state=ReleaseState.PUBLISHED, published_at=now).where(
            Release.id == release.id
        ).execute()
    return releases.find(release.id)


@jobs.handles(SONG)
def make_song(job: jobs.Running) -> None:
    """Synthesise one song and send it the way every original goes."""
    song = next((song for song in synthesis.SONGS if song.title == job.subject), None)
    if song is None or Track.select().where(Track.id == track_id(song)).exists():
        return
    appliance = startup.appliance()
    artist = artists.find(song.artist_slug)
    release = Release.get(Release.artist == artist.id, Release.title == song.release)
    folder = appliance.scratch / job.job_id
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path = folder / song.file_name
        synthesis.synthesise(song, path, ffmpeg=program.path(appliance.settings.ffmpeg))
        job.progress(0.9)
        track, work_id = originals.receive(
            release,
            path,
            track_id=track_id(song),
            filename=path.name,
            store=appliance.store,
            attempts=appliance.settings.job_attempts,
            now=clock.now(),
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tracks.edit(track, {"title": song.title}, now=clock.now())
    jobs.send(work_id)
