"""The demo collective: accounts, artists and releases at once, their music by durable jobs through the real upload path."""

import hashlib
import io
import shutil
from datetime import datetime

from appliance import clock
from appliance import jobs
from appliance import plugin_settings
from appliance import startup
from appliance.accounts import people
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import artist_page
from appliance.catalog import artists
from appliance.catalog import artwork
from appliance.catalog import findable
from appliance.catalog import originals
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.discovery import featured
from appliance.library import entries
from appliance.library import playlists
from appliance.library.models import Playlist
from appliance.library.models import Visibility
from appliance.memberships import founding
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.memberships.models import Origin
from appliance.shop import prices
from transcoder import covers
from transcoder import demo_goods
from transcoder import liner_notes
from transcoder import program
from transcoder import synthesis

ARTIST_EMAIL, FAN_EMAIL, PASSWORD = "artist@demo.com", "fan@demo.com", "password123"
SONG = jobs.kind("demo_song", jobs.Lane.TRANSCODE)
"""The kind of job that makes one demo song; its subject is the song's title."""
TILL = "demo_payments"
"""The plugin by which fans of the demo pay with cards that are none; it looks itself whether it may run here."""


def make(*, now: datetime) -> bool:
    """Make the demo once, all of it or nothing; its music follows by jobs. False when it is there already."""
    with transaction():
        if User.select().where(User.email == FAN_EMAIL).exists():
            return False
        for email, role, name in (
            (FAN_EMAIL, RoleName.LISTENER, "Demo fan"),
            (ARTIST_EMAIL, RoleName.ARTIST, "Demo artist"),
        ):
            people.create(email, PASSWORD, roles=[role], now=now, display_name=name, demo=True)
        owner = people.find(ARTIST_EMAIL)
        made = {song.release: _release(owner, song, now=now) for song in synthesis.SONGS}
        for slug, said in liner_notes.ARTISTS.items():
            artist_page.edit(artists.find(slug), said, actor=owner, now=now)
        _memberships(owner, now=now)
        for title, (price_minor, pay_more) in liner_notes.PRICES.items():
            prices.set_release(made[title], price_minor, pay_more=pay_more, actor=owner, now=now)
        for slug, percent in liner_notes.CATALOGUES.items():
            prices.set_catalogue(artists.find(slug), percent, actor=owner, now=now)
        demo_goods.offer(owner, made, now=now)
        draft = {name: value for name, value in liner_notes.DRAFT.items() if name != "artist"}
        releases.create(artists.find(liner_notes.DRAFT["artist"]), draft, now=now)
        notes = {made[title].id: note for title, note in liner_notes.FEATURED.items()}
        featured.put(list(notes), notes=notes, now=now)
        kept = {name: liner_notes.PLAYLIST[name] for name in ("title", "about")}
        playlists.create(people.find(FAN_EMAIL), {**kept, "visibility": Visibility.PUBLIC}, now=now)
        plugin_settings.keep(TILL, {"enabled": True}, forget=set(), now=now)
        queued = [jobs.add(SONG, song.title, now=now).id for song in synthesis.SONGS]
    for job_id in queued:
        # Below transcoding, so that the first song can be heard before the last is synthesised.
        jobs.send(job_id, priority=-10)
    return True


def _memberships(owner: User, *, now: datetime) -> None:
    """What the artists made of their tiers, and where the fan is a member."""
    for slug, said in liner_notes.TIERS.items():
        for tier in tiers.of_artist(artists.find(slug)):
            if tier.kind in said:
                tiers.edit(tier, said[tier.kind], actor=owner, now=now)
    for slug, kind in liner_notes.MEMBERSHIPS.items():
        artist = artists.find(slug)
        (tier,) = [row for row in tiers.of_artist(artist) if row.kind == kind]
        granting.grant(
            artist,
            FAN_EMAIL,
            tier_id=tier.id,
            origin=Origin.GIFT,
            note="For the demo.",
            actor=owner,
            now=now,
        )


def track_id(song: synthesis.Song) -> str:
    """The same id at every run, so that a song is never made twice."""
    return hashlib.sha256(f"{song.artist_slug}/{song.title}".encode()).hexdigest()[:26].upper()


def _release(owner: User, song: synthesis.Song, *, now: datetime) -> Release:
    artist = Artist.get_or_none(Artist.slug == song.artist_slug) or founding.found(
        owner, name=song.artist, slug=song.artist_slug, now=now
    )
    release: Release | None = Release.get_or_none(Release.artist == artist.id, Release.title == song.release)
    if release is None:
        fields = {
            "title": song.release,
            "kind": song.kind,
            "genre": song.genre,
            "tags": list(song.tags),
            **liner_notes.RELEASES[song.release],
        }
        release = releases.create(artist, fields, now=now)
        # Public before any track is ready, unlike an artist's release: the demo shows how music arrives.
        Release.update(state=ReleaseState.PUBLISHED, published_at=now).where(
            Release.id == release.id
        ).execute()
        findable.release(release.id)
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
    if not release.artwork_key:
        picture = io.BytesIO(covers.cover(song.artist, song.release))
        artwork.set_artwork(release, picture, store=appliance.store, now=clock.now())
    demo_goods.draw(artist, appliance)
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
    tracks.edit(track, {"title": song.title, **liner_notes.TRACKS.get(song.title, {})}, now=clock.now())
    _put_into_playlist(song, track)
    # Two songs of a release may be made at once; their order is the score's, not the workers'.
    Track.update(position=song.number).where(Track.id == track.id).execute()
    jobs.send(work_id)


def _put_into_playlist(song: synthesis.Song, track: Track) -> None:
    if song.title not in liner_notes.PLAYLIST["tracks"]:
        return
    fan = people.find(FAN_EMAIL)
    # Its owner may have renamed or removed it.
    playlist = Playlist.get_or_none(Playlist.owner == fan.id, Playlist.title == liner_notes.PLAYLIST["title"])
    if playlist is not None:
        entries.add(playlist, track, now=clock.now())
