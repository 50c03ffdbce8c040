"""The job that follows a track's change between exclusive and open: its rungs stored anew, encrypted or in clear, without encoding.

As a new master, it makes a run of its own and switches in one transaction. Until then listeners hear the run before, if the gate lets them.
"""

from __future__ import annotations

import dataclasses
import shutil
from datetime import datetime
from pathlib import Path

from appliance import clock
from appliance import jobs
from appliance import startup
from appliance.catalog import rendition_keys
from appliance.catalog import tracks
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.catalog.rendition_keys import Sealed
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import NotFound
from appliance.startup import Appliance
from appliance.storage import as_file
from transcoder import playlist
from transcoder import sealed_rungs

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"


@dataclasses.dataclass(frozen=True)
class Resealed:
    """A rung in its new form: what the database and the playlists say of it."""

    row: Rendition
    bandwidth: int
    average_bandwidth: int
    size_bytes: int
    opener: Sealed | None

    @property
    def quality(self) -> str:
        """What the rung is called."""
        return str(self.row.quality)

    @property
    def codecs(self) -> str:
        """The codec as a playlist names it."""
        return str(self.row.codecs)


@jobs.handles(tracks.RESEAL)
def reseal(job: jobs.Running) -> None:
    """Store the rungs of the track *job.subject* as the track says; return quietly when they are."""
    try:
        track = tracks.find(job.subject)
    except NotFound:
        return
    if track.state != TrackState.READY or rendition_keys.is_sealed(track) == track.exclusive:
        return
    work = Resealing(track, job, startup.appliance())
    try:
        work.go()
    finally:
        shutil.rmtree(work.folder, ignore_errors=True)


class Resealing:
    """One attempt, under a run id of its own."""

    def __init__(self, track: Track, job: jobs.Running, appliance: Appliance) -> None:
        self.track = track
        self.job = job
        self.store = appliance.store
        self.ring = rendition_keys.ring(appliance.settings, appliance.secret)
        self.run_id = new_id()
        self.folder: Path = appliance.scratch / f"{job.job_id}-{self.run_id}"

    def go(self) -> None:
        """Make every rung anew, store it, and let listeners hear this run."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        rows = tracks.renditions_of([self.track])[self.track.id]
        made = []
        for number, row in enumerate(rows, start=1):
            made.append(self.rung(row))
            self.job.progress(0.95 * number / len(rows))
        master = playlist.master_playlist(made).encode()
        self.put_text("master.m3u8", master)
        named = {
            "waveform_key": self.copy(self.track.waveform_key, "application/json"),
            "preview_key": self.copy(self.track.preview_key, "audio/mp4"),
        }
        self.switch(made, now=clock.now(), **named)

    def rung(self, row: Rendition) -> Resealed:
        """Read one rung of the run before, and store it in its new form: media first, playlist second."""
        quality = str(row.quality)
        before = f"hls/{self.track.id}/{row.run_id}"
        with self.store.open(f"{before}/{playlist.media_playlist_name(quality)}") as stream:
            header_bytes, segments = playlist.read_media_playlist(stream.read().decode("utf-8"))
        was = rendition_keys.find(self.track.id, row.run_id, quality, self.ring)
        media = self.folder / f"{quality}.mp4"
        with as_file(self.store, f"{before}/{quality}.mp4", folder=self.folder) as source:
            if was:
                sealed_rungs.unseal(source, media, was)
                segments = playlist.clear_segments(was.layout, segments)
            else:
                shutil.copyfile(source, media)
        opener, key_name = None, ""
        if self.track.exclusive:
            opener = sealed_rungs.seal(media, header_bytes=header_bytes, segments=segments)
            segments = playlist.sealed_segments(opener.layout, segments)
            key_name = playlist.key_name(quality)
        text = playlist.media_playlist(
            f"{quality}.mp4", header_bytes=header_bytes, segments=segments, key_name=key_name
        )
        size_bytes = media.stat().st_size
        asset = f"hls/{self.track.id}/{self.run_id}"
        self.store.put_file(f"{asset}/{quality}.mp4", media, content_type="audio/mp4", move=True)
        self.put_text(playlist.media_playlist_name(quality), text.encode())
        return Resealed(row, *playlist.bandwidths(segments), size_bytes, opener)

    def put_text(self, name: str, text: bytes) -> None:
        """Store a playlist of this run."""
        path = self.folder / name
        path.write_bytes(text)
        key = f"hls/{self.track.id}/{self.run_id}/{name}"
        self.store.put_file(key, path, content_type=PLAYLIST_TYPE, move=True)

    def copy(self, key: str, content_type: str) -> str:
        """A public object of the run before under the id of this one, or an empty text where there is none."""
        if not key:
            return ""
        folder, _, name = key.partition("/")
        target = f"{folder}/{self.track.id}/{self.run_id}.{name.rpartition('.')[2]}"
        with self.store.open(key) as stream:
            self.store.put(target, stream, content_type=content_type)
        return target

    def switch(self, made: list[Resealed], *, now: datetime, **named: str) -> None:
        """Let listeners hear this run, unless another has come, or the track has changed its mind, meanwhile."""
        track = self.track
        still = (Track.id == track.id) & (Track.run_id == track.run_id) & (Track.exclusive == track.exclusive)
        with transaction():
            if not Track.update(run_id=self.run_id, updated_at=now, **named).where(still).execute():
                return
            for one in made:
                Rendition.insert(
                    track=track.id,
                    run_id=self.run_id,
                    quality=one.quality,
                    codecs=one.codecs,
                    bandwidth=one.bandwidth,
                    average_bandwidth=one.average_bandwidth,
                    sample_rate_hz=one.row.sample_rate_hz,
                    channels=one.row.channels,
                    bits=one.row.bits,
                    size_bytes=one.size_bytes,
                ).execute()
                if one.opener:
                    here = (Rendition.track == track.id) & (Rendition.run_id == self.run_id)
                    row = Rendition.get(here, Rendition.quality == one.quality)
                    rendition_keys.keep(row, one.opener, self.ring)
            Rendition.delete().where(Rendition.track == track.id, Rendition.run_id != self.run_id).execute()
