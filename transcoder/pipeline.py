"""From a master to everything a listener needs: rungs, playlists, loudness, fingerprint, waveform, preview.

Works on local files alone; who stores the results, and what the database says of them, is the tasks' business.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.catalog.rendition_keys import Sealed
from transcoder import acceptance
from transcoder import boxes
from transcoder import encoding
from transcoder import ffmpeg as program
from transcoder import ladder
from transcoder import measurement
from transcoder import playlist
from transcoder import sealed_rungs
from transcoder import verification
from transcoder.failures import Interrupted
from transcoder.failures import Unplayable
from transcoder.ladder import Rung
from transcoder.limits import DEFAULT_LIMITS
from transcoder.limits import Limits
from transcoder.measurement import Meters
from transcoder.source import SourceFacts
from transcoder.source import probe
from transcoder.verification import Made

__all__ = [
    "EncodedRung",
    "Interrupted",
    "Limits",
    "SourceFacts",
    "Transcoded",
    "Unplayable",
    "probe",
    "transcode",
]

# How much of the bar each stage fills, by what they cost on two cores.
LOW_DONE, LOW_CHECKED, ALL_DONE = 0.35, 0.40, 0.92


@dataclass(frozen=True)
class EncodedRung:
    """One finished rung: one media file, its playlist, and what a player must know beforehand."""

    quality: str
    codecs: str
    bandwidth: int
    average_bandwidth: int
    sample_rate_hz: int
    channels: int
    bits: int | None
    size_bytes: int
    playlist: Path
    media: Path
    duration_ms: int
    sealed: Sealed | None = None


@dataclass(frozen=True)
class Transcoded:
    """Everything made from one source. Loudness and peak are None for digital silence."""

    source: SourceFacts
    rungs: tuple[EncodedRung, ...]
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    fingerprint: str
    waveform: Path
    preview: Path
    master_playlist: Path


def transcode(
    source: Path,
    folder: Path,
    *,
    ffmpeg: str,
    on_progress: Callable[[float], None] = lambda fraction: None,
    on_low_ready: Callable[[EncodedRung], None] = lambda low: None,
    limits: Limits = DEFAULT_LIMITS,
    sealed: bool = False,
) -> Transcoded:
    """Make every rung of *source* in *folder*, verified, and measure it; *sealed* rungs are encrypted once they are verified.

    *on_progress* gets 0 to 1 about twice a second, and what it raises stops the work. *on_low_ready* gets the
    first rung as soon as it is verified, long before the others are made. Raises ``Unplayable`` with a
    sentence for the artist, or ``Interrupted`` where trying again is worth it.
    """
    declared = probe(source, ffmpeg=ffmpeg, limits=limits)
    low_rung = ladder.rungs_for(declared)[0]
    stage = _stages(on_progress)

    meters = Meters(
        pad_db=encoding.pad_db(declared), samples_per_s=low_rung.sample_rate_hz * low_rung.channels
    )
    files = {"low": folder / "low.mp4", "fingerprint": folder / "fingerprint.txt"}
    program.run(
        ffmpeg,
        encoding.first_pass(source, declared, low_rung, files=files, most_s=limits.max_duration_s + 1),
        sound_s=declared.duration_s,
        limits=limits,
        reads=[source],
        folder=folder,
        on_progress=stage(0.0, LOW_DONE, declared.duration_s),
        on_line=meters.hear,
        on_bytes=meters.see,
    )
    facts = acceptance.measured_facts(declared, meters, limits)
    acceptance.refuse_damage(source, declared, facts, meters=meters, ffmpeg=ffmpeg, limits=limits)
    acceptance.refuse_overload(facts, meters)
    start_s = measurement.preview_start_s(meters.momentary_lufs, duration_s=facts.duration_s)

    def checked(rungs: Sequence[Rung], see: Callable[[float], None]) -> tuple[list[Made], list[Rung]]:
        made = [_made(rung, folder) for rung in rungs]
        uneven = verification.verify(
            ffmpeg,
            made,
            duration_s=facts.duration_s,
            source=meters,
            start_s=start_s,
            limits=limits,
            on_progress=see,
        )
        return made, uneven

    def finish(rungs: Sequence[Rung], *, on_progress: Callable[[float], None]) -> list[EncodedRung]:
        made, uneven = checked(rungs, on_progress)
        if uneven:
            careful = [dataclasses.replace(rung, coder=ladder.CAREFUL) for rung in uneven]
            again = encoding.remake(source, facts, careful, folder=folder)
            program.run(
                ffmpeg,
                again,
                sound_s=facts.duration_s,
                limits=limits,
                reads=[source],
                folder=folder,
                on_progress=lambda at: on_progress(math.inf),
            )
            remade, _ = checked(careful, lambda at: on_progress(math.inf))
            anew = {one.rung.quality: one for one in remade}
            made = [anew.get(one.rung.quality, one) for one in made]
        return [_with_playlist(one, facts, sealed=sealed) for one in made]

    encoded = finish([low_rung], on_progress=stage(LOW_DONE, LOW_CHECKED, facts.duration_s))
    on_low_ready(encoded[0])

    rungs = ladder.rungs_for(facts)[1:]
    preview = folder / "preview.m4a"
    program.run(
        ffmpeg,
        encoding.second_pass(source, facts, rungs, folder=folder, preview=preview, preview_start_s=start_s),
        sound_s=facts.duration_s,
        limits=limits,
        reads=[source],
        folder=folder,
        on_progress=stage(LOW_CHECKED, ALL_DONE, facts.duration_s),
    )
    if rungs:
        encoded += finish(rungs, on_progress=stage(ALL_DONE, 1.0, facts.duration_s))

    waveform = folder / "waveform.json"
    waveform.write_text(measurement.waveform(meters, duration_ms=facts.duration_ms))
    master = folder / "master.m3u8"
    master.write_text(playlist.master_playlist(encoded))
    on_progress(1.0)
    return Transcoded(
        source=facts,
        rungs=tuple(encoded),
        loudness_lufs=meters.loudness_lufs,
        true_peak_dbtp=meters.true_peak_dbtp,
        fingerprint=files["fingerprint"].read_text().strip(),
        waveform=waveform,
        preview=preview,
        master_playlist=master,
    )


def _made(rung: Rung, folder: Path) -> Made:
    media = folder / f"{rung.quality}.mp4"
    try:
        layout = boxes.read_fragmented(media)
    except (OSError, ValueError) as exc:
        raise Interrupted(verification.NOT_AS_GIVEN, detail=f"{rung.quality}: {exc}") from exc
    return Made(rung, media, layout)


def _with_playlist(made: Made, facts: SourceFacts, *, sealed: bool) -> EncodedRung:
    rung, media = made.rung, made.media
    segments = playlist.segments_of(made.layout, duration_s=facts.duration_s, target_s=ladder.SEGMENT_S)
    opener, key_name = None, ""
    if sealed:
        opener = sealed_rungs.seal(media, header_bytes=made.layout.header_bytes, segments=segments)
        segments = playlist.sealed_segments(opener.layout, segments)
        key_name = playlist.key_name(rung.quality)
    bandwidth, average_bandwidth = playlist.bandwidths(segments)
    text = playlist.media_playlist(
        media.name, header_bytes=made.layout.header_bytes, segments=segments, key_name=key_name
    )
    path = media.with_name(playlist.media_playlist_name(made.rung.quality))
    path.write_text(text)
    return EncodedRung(
        quality=rung.quality,
        codecs=rung.codecs,
        bandwidth=bandwidth,
        average_bandwidth=average_bandwidth,
        sample_rate_hz=rung.sample_rate_hz,
        channels=rung.channels,
        bits=rung.bits,
        size_bytes=media.stat().st_size,
        playlist=path,
        media=media,
        duration_ms=facts.duration_ms,
        sealed=opener,
    )


def _stages(on_progress: Callable[[float], None]) -> Callable[[float, float, float], Callable[[float], None]]:
    """Cut the bar into stages: each turns its seconds of sound into its part of 0 to 1."""

    def stage(start: float, end: float, sound_s: float) -> Callable[[float], None]:
        def see(reached_s: float) -> None:
            done = min(1.0, reached_s / sound_s) if sound_s else 0.0
            on_progress(start + (end - start) * done)

        return see

    return stage
