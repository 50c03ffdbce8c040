"""The transcode job: original in, renditions out, one transaction at the end; it can run twice and be killed anywhere."""

import logging
import shutil
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from appliance import clock
from appliance import jobs
from appliance import measures
from appliance import startup
from appliance.catalog import artwork
from appliance.catalog import masters
from appliance.catalog import originals
from appliance.catalog import publishing
from appliance.catalog import rendition_keys
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Rendition
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.startup import Appliance
from appliance.storage import ObjectStore
from appliance.storage import as_file
from transcoder import pipeline
from transcoder import program
from transcoder import tags

log = logging.getLogger(__name__)

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"


def give_up(track_id: str, sentence: str) -> None:
    """Tell the artist that this track cannot be made; the original stays, and so does an older run that listeners hear."""
    track = Track.get_or_none(Track.id == track_id)
    if track is None:
        return
    if track.run_id and track.duration_ms:
        Track.update(problem=sentence).where(Track.id == track_id).execute()
    else:
        Track.update(state=TrackState.FAILED, problem=sentence, updated_at=clock.now()).where(
            Track.id == track_id
        ).execute()


@jobs.handles(tracks.TRANSCODE, failed=give_up)
def transcode(job: jobs.Running) -> None:
    """Make every rendition of the track *job.subject* from its original and set it ``ready``."""
    appliance = startup.appliance()
    try:
        track = tracks.find(job.subject)
    except NotFound:
        return
    run = Run(track, job, appliance)
    try:
        run.go()
    finally:
        shutil.rmtree(run.folder, ignore_errors=True)


class Run:
    """One attempt: its own id in every key, so that a rerun never overwrites what someone is hearing."""

    def __init__(self, track: Track, job: jobs.Running, appliance: Appliance) -> None:
        self.track = track
        self.job = job
        self.store: ObjectStore = appliance.store
        self.settings = appliance.settings
        self.run_id = new_id()
        self.folder: Path = appliance.scratch / f"{job.job_id}-{self.run_id}"
        self.first = not track.duration_ms
        self.source_key: str = track.original_key
        self.kept: set[str] = set()
        self.ring = rendition_keys.ring(appliance.settings, appliance.secret)

    @property
    def asset(self) -> str:
        """The folder of this run's streams in the store."""
        return f"hls/{self.track.id}/{self.run_id}"

    def go(self) -> None:
        """Encode, store, and commit."""
        began = time.monotonic()
        made_folder = self.folder / "made"
        made_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.first:
            tracks.move(self.track, TrackState.PROCESSING, now=clock.now())
        with as_file(self.store, self.source_key, folder=self.folder) as source:
            if self.first:
                self.take_tags(source)
            made = pipeline.transcode(
                source,
                made_folder,
                ffmpeg=program.path(self.settings.ffmpeg),
                on_progress=lambda fraction: self.job.progress(0.95 * fraction),
                on_low_ready=self.low_is_ready,
                limits=pipeline.Limits(max_duration_s=60 * self.settings.max_duration_min),
                sealed=self.track.exclusive,
            )
        for rung in made.rungs:
            self.put_rung(rung)
        waveform_key, preview_key = f"waveforms/{self.asset[4:]}.json", f"previews/{self.asset[4:]}.m4a"
        self.store.put_file(waveform_key, made.waveform, content_type="application/json", move=True)
        self.store.put_file(preview_key, made.preview, content_type="audio/mp4", move=True)
        # The master goes up last: a player must never see one that names a missing rung.
        self.store.put_file(f"{self.asset}/master.m3u8", made.master_playlist, content_type=PLAYLIST_TYPE)
        self.job.progress(0.99)
        self.commit(made, waveform_key, preview_key, now=clock.now())
        measures.TRANSCODED_AUDIO_SECONDS.labels(self.job.kind).inc(made.source.duration_ms / 1000)
        measures.TRANSCODING_SECONDS.labels(self.job.kind).inc(time.monotonic() - began)

    def low_is_ready(self, rung: pipeline.EncodedRung) -> None:
        """Let the artist hear the lowest rung while the others are made."""
        if not self.first:
            return
        self.put_rung(rung)
        with transaction():
            still = (Track.id == self.track.id) & (Track.original_key == self.source_key)
            if Track.update(run_id=self.run_id, updated_at=clock.now()).where(still).execute():
                self.add_rendition(rung)

    def put_rung(self, rung: pipeline.EncodedRung) -> None:
        """Put media first, playlist second, for the same reason as the master last."""
        if rung.quality not in self.kept:
            self.store.put_file(f"{self.asset}/{rung.quality}.mp4", rung.media, content_type="audio/mp4")
            self.store.put_file(
                f"{self.asset}/{rung.playlist.name}", rung.playlist, content_type=PLAYLIST_TYPE
            )
            self.kept.add(rung.quality)

    def add_rendition(self, rung: pipeline.EncodedRung) -> None:
        """Note the rung once, also when it was noted as ``low`` before, and what opens it."""
        Rendition.insert(
            track=self.track.id,
            run_id=self.run_id,
            quality=rung.quality,
            codecs=rung.codecs,
            bandwidth=rung.bandwidth,
            average_bandwidth=rung.average_bandwidth,
            sample_rate_hz=rung.sample_rate_hz,
            channels=rung.channels,
            bits=rung.bits,
            size_bytes=rung.size_bytes,
        ).on_conflict_ignore().execute()
        if rung.sealed:
            here = (Rendition.track == self.track.id) & (Rendition.run_id == self.run_id)
            row = Rendition.get(here, Rendition.quality == rung.quality)
            rendition_keys.keep(row, rung.sealed, self.ring)

    def commit(
        self, made: pipeline.Transcoded, waveform_key: str, preview_key: str, *, now: datetime
    ) -> None:
        """Renditions and ``ready`` in one transaction; the runs before are dropped from the database."""
        with transaction():
            values = {
                "run_id": self.run_id,
                "duration_ms": made.source.duration_ms,
                "original_format": described(made.source),
                "loudness_lufs": made.loudness_lufs,
                "true_peak_dbtp": made.true_peak_dbtp,
                "fingerprint": made.fingerprint,
                "waveform_key": waveform_key,
                "preview_key": preview_key,
            }
            if not self.switch(values, now=now):
                return
            for rung in made.rungs:
                self.add_rendition(rung)
            track = tracks.find(self.track.id)
            Rendition.delete().where(Rendition.track == track.id, Rendition.run_id != self.run_id).execute()
            # Somebody may have made it exclusive meanwhile, or open.
            queued = [*publishing.became_ready(track, now=now), *tracks.queue_reseal(track.id, now=now)]
        for job_id in queued:
            jobs.send(job_id)

    def switch(self, values: Mapping[str, object], *, now: datetime) -> bool:
        """Let listeners hear this run; False when another master has taken the place of the one it was made from."""
        still = (Track.id == self.track.id) & (Track.original_key == self.source_key)
        ready = Track.update(state=TrackState.READY, problem="", updated_at=now, **values)
        return bool(ready.where(still).execute())

    def take_tags(self, source: Path) -> None:
        """Fill what the artist has not filled: title, ISRC and lyrics of the track, the cover of the release."""
        found = tags.read(source)
        track = self.track
        values = {
            name: value
            for name, value in (("title", found.title), ("isrc", found.isrc), ("lyrics", found.lyrics))
            if value and (name != "title" or track.title == originals.title_from(track.original_name))
        }
        for name, value in values.items():
            try:
                tracks.edit(track, {name: value}, now=clock.now())
            except Invalid:
                log.info("tag not taken", extra={"track": track.id, "tag": name})
        if found.cover and not Release.get_by_id(track.release_id).artwork_key:
            try:
                artwork.set_artwork(track.release, found.cover_file(), store=self.store, now=clock.now())
            except Invalid:
                log.info("embedded cover not taken", extra={"track": track.id})


class Replacing(Run):
    """One attempt with a new master: nothing of the track changes before all of it is verified."""

    def __init__(self, replacement: Replacement, job: jobs.Running, appliance: Appliance) -> None:
        super().__init__(replacement.track, job, appliance)
        self.first = False
        self.source_key = replacement.original_key
        self.replacement = replacement

    def switch(self, values: Mapping[str, object], *, now: datetime) -> bool:
        """Make it the master of the track; False when it has given way to a newer one."""
        return masters.take_over(self.replacement, now=now, **values)


@jobs.handles(masters.REPLACE, failed=masters.give_up)
def replace_master(job: jobs.Running) -> None:
    """Make every rendition from a new master, and let it take the old one's place."""
    replacement = masters.find(job.subject)
    if replacement is None:
        return
    run = Replacing(replacement, job, startup.appliance())
    try:
        run.go()
    finally:
        shutil.rmtree(run.folder, ignore_errors=True)


def described(facts: pipeline.SourceFacts) -> str:
    """The original in an engineer's words, such as ``flac 24-bit 96 kHz stereo``."""
    depth = f"{facts.bits_per_sample}-bit" if facts.bits_per_sample else f"{facts.bitrate_kbps} kbit/s"
    layout = {1: "mono", 2: "stereo"}.get(facts.channels, f"{facts.channels} channels")
    return f"{facts.codec} {depth} {facts.sample_rate_hz / 1000:g} kHz {layout}"


@jobs.handles(publishing.ANNOUNCE)
def announce(job: jobs.Running) -> None:
    """Tell the plugins of a published track."""
    appliance = startup.appliance()
    publishing.announce(job.subject, public_url=appliance.settings.public_url, now=clock.now())
