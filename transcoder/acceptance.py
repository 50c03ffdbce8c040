"""Whether a source that was heard to its end may become a track: pure rules, and the search for damage."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from transcoder import failures
from transcoder import ffmpeg as program
from transcoder.failures import Unplayable
from transcoder.limits import Limits
from transcoder.measurement import Meters
from transcoder.source import SourceFacts
from transcoder.source import open_source
from transcoder.source import too_long

SHORTEST_S = 0.1
MOST_OVER_DB = 3.0
# Damage this close to the end is a file that was cut off in the middle of a frame.
LAST_S = 0.3
# A lossy stream hides a lost frame or two, and MP3s often carry junk at either end; a master must be whole.
LOSSY_MAY_LOSE_S = 0.25
LOSSLESS_MAY_LOSE_S = 0.05


def measured_facts(declared: SourceFacts, meters: Meters, limits: Limits) -> SourceFacts:
    """The facts after every sample was heard: length, bit rate and depth as they are, not as a header says."""
    duration_s = meters.samples / declared.sample_rate_hz
    if duration_s > limits.max_duration_s:
        raise too_long(duration_s, limits)
    if duration_s < SHORTEST_S:
        raise Unplayable(failures.SILENT_LENGTH)
    bits = declared.bits_per_sample
    return dataclasses.replace(
        declared,
        duration_ms=round(duration_s * 1000),
        bitrate_kbps=round(meters.packet_bytes * 8 / duration_s / 1000),
        # Digital silence uses no bits at all, which says nothing of the file.
        bits_per_sample=min(bits, max(meters.used_bits, 16)) if bits and meters.used_bits else bits,
    )


def refuse_overload(facts: SourceFacts, meters: Meters) -> None:
    """Raise ``Unplayable`` for a floating-point mix that is far above full scale, which no player can play undistorted.

    Up to 3 dB are let through: they clip for a few samples, as on many a CD.
    """
    over_db = meters.true_peak_dbtp or 0.0
    if facts.floating and over_db > MOST_OVER_DB:
        raise Unplayable(
            "This file is {over} dB louder than full scale, so listeners would hear it distorted. "
            "Turn the mix down until its peaks are below 0 dB and export it again.",
            over=f"{over_db:.0f}",
        )


def refuse_damage(
    source: Path, declared: SourceFacts, facts: SourceFacts, *, meters: Meters, ffmpeg: str, limits: Limits
) -> None:
    """Raise ``Unplayable`` when sound is missing from *source*, with the place where that begins.

    A glitch in a published track is worse than a refusal: the artist has the whole file, MusicConnect does not.
    """
    tolerance_s = LOSSLESS_MAY_LOSE_S if facts.lossless else LOSSY_MAY_LOSE_S
    lost_s = declared.duration_s - facts.duration_s if declared.duration_is_exact else 0.0
    if not (lost_s > tolerance_s or (meters.errors and (facts.lossless or lost_s > LOSSLESS_MAY_LOSE_S))):
        return
    place_s = first_damage_s(source, ffmpeg=ffmpeg, limits=limits, facts=facts)
    if place_s is None and meters.errors:
        raise Unplayable(failures.DAMAGED_INSIDE)
    if place_s is None or place_s >= facts.duration_s - LAST_S:
        end = failures.clock(facts.duration_s)
        if lost_s >= 1:
            raise Unplayable(
                "This file is cut off: it ends at {end} although it says that it lasts {length}. "
                "Export it again, or upload it again if it was whole.",
                end=end,
                length=failures.clock(declared.duration_s),
            )
        raise Unplayable(
            "This file is cut off: it ends at {end}. Export it again, or upload it again if it was whole.",
            end=end,
        )
    raise Unplayable(
        "This file is damaged at {place}. Export it again and upload the new file.",
        place=failures.clock(place_s),
    )


def first_damage_s(source: Path, *, ffmpeg: str, limits: Limits, facts: SourceFacts) -> float | None:
    """How far *source* can be decoded before its first error; a run of its own, only for files that are refused.

    None when the decoder stumbles over nothing: then whole packets are missing, or the end is.
    """
    node = open_source(source, err_detect="explode")["a:0"].output("pipe:2", format="null")
    reached_s = 0.0

    def see(at_s: float) -> None:
        nonlocal reached_s
        reached_s = at_s

    try:
        program.run(
            ffmpeg,
            ["-xerror", *node.get_args()],
            sound_s=facts.duration_s,
            limits=limits,
            reads=[source],
            on_progress=see,
        )
    except Unplayable:
        return reached_s
    return None
