"""Which rungs a source deserves: pure decisions, no files."""

from __future__ import annotations

from dataclasses import dataclass

from transcoder.source import SourceFacts

SEGMENT_S = 6
PREVIEW_KBPS = 128

LOSSLESS_BITS = 16
LOSSLESS_MAX_HZ = 48_000
MASTER_BITS = 24
# FLAC in MP4 could go higher, but no browser and no converter in a living room does.
MASTER_MAX_HZ = 192_000
# Encoders miss their target a little: a "256 kbit/s" file may well average 245.
BITRATE_TOLERANCE = 0.9

AAC_RATES_HZ = (44_100, 48_000)


# ffmpeg's AAC coders, by measurement (docs/aac-coder.md): the fast one is as good and takes a third of the time, but
# turns down a loud, pure tone. ``verification`` notices, and that rung is made again by the careful one.
FAST = "fast"
CAREFUL = "twoloop"


@dataclass(frozen=True)
class Rung:
    """One quality of a track, to be made: what it is called and how it is encoded."""

    quality: str
    codec: str
    sample_rate_hz: int
    channels: int
    kbps: int | None = None
    bits: int | None = None
    coder: str = FAST

    @property
    def codecs(self) -> str:
        """The codec as a playlist names it (RFC 6381; AAC-LC is object type 2)."""
        return "mp4a.40.2" if self.codec == "aac" else "fLaC"


@dataclass(frozen=True)
class AacGrade:
    """An AAC quality and its bits for two channels."""

    quality: str
    stereo_kbps: int


AAC_GRADES = (AacGrade("low", 128), AacGrade("medium", 256), AacGrade("high", 320))
LOW = AAC_GRADES[0]


def rungs_for(facts: SourceFacts) -> list[Rung]:
    """The rungs for a source, from the smallest up: ``low`` always, nothing above what the source holds.

    A lossy source gets no FLAC: that would only wrap its losses in more bytes. ``master`` exists where the
    source holds more than 16 bits or 48 kHz.
    """
    channels = channels_for(facts)
    rate_hz = aac_rate_for(facts.sample_rate_hz)
    grades = [
        LOW,
        *(grade for grade in AAC_GRADES[1:] if grade.stereo_kbps * channels / 2 <= held_kbps(facts)),
    ]
    rungs = [aac_rung(grade, rate_hz, channels) for grade in grades]
    if facts.lossless:
        rungs.append(
            Rung(
                "lossless",
                "flac",
                capped(facts.sample_rate_hz, LOSSLESS_MAX_HZ),
                channels,
                bits=LOSSLESS_BITS,
            )
        )
        bits = facts.bits_per_sample or LOSSLESS_BITS
        if bits > LOSSLESS_BITS or facts.sample_rate_hz > LOSSLESS_MAX_HZ:
            rungs.append(
                Rung(
                    "master",
                    "flac",
                    capped(facts.sample_rate_hz, MASTER_MAX_HZ),
                    channels,
                    bits=MASTER_BITS if bits > LOSSLESS_BITS else LOSSLESS_BITS,
                )
            )
    return rungs


def aac_rung(grade: AacGrade, rate_hz: int, channels: int) -> Rung:
    """An AAC rung; mono takes half the bits of stereo, which is the same quality per channel."""
    return Rung(grade.quality, "aac", rate_hz, channels, kbps=grade.stereo_kbps * channels // 2)


def channels_for(facts: SourceFacts) -> int:
    """Mono stays mono; everything wider is heard in stereo."""
    return min(facts.channels, 2)


def held_kbps(facts: SourceFacts) -> float:
    """How many kbit/s of AAC a source can fill: its own rate when lossy, that of the plain samples otherwise."""
    if facts.lossless:
        bits = facts.bits_per_sample or LOSSLESS_BITS
        return facts.sample_rate_hz * channels_for(facts) * bits / 1000
    return facts.bitrate_kbps / BITRATE_TOLERANCE


def aac_rate_for(rate_hz: int) -> int:
    """44.1 or 48 kHz, whichever divides evenly: two rates that every decoder plays, also for 8 or 384 kHz."""
    return AAC_RATES_HZ[0] if rate_hz % 11_025 == 0 else AAC_RATES_HZ[1]


def capped(rate_hz: int, most_hz: int) -> int:
    """The rate itself, or a half, a quarter ... of it that fits below *most_hz*; odd rates become *most_hz*."""
    halved = rate_hz
    while halved > most_hz and halved % 2 == 0:
        halved //= 2
    return halved if most_hz / 2 < halved <= most_hz or halved == rate_hz <= most_hz else most_hz
