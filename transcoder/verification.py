"""Nothing is published unheard: every rung is decoded once more and compared with its source."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg as graph

from appliance.errors import N_
from transcoder import failures
from transcoder import ffmpeg
from transcoder.boxes import Fragmented
from transcoder.encoding import arguments
from transcoder.encoding import at_rate
from transcoder.ladder import FAST
from transcoder.ladder import LOSSLESS_MAX_HZ
from transcoder.ladder import Rung
from transcoder.ladder import aac_rate_for
from transcoder.limits import Limits
from transcoder.measurement import METER_STEP_S
from transcoder.measurement import Meters
from transcoder.measurement import mean_lufs
from transcoder.source import channels_of

DURATION_TOLERANCE_S = 0.050
AAC_DELAY_SAMPLES = 1024
LISTEN_S = 30.0
# A low-pass takes the very top from AAC, which noise and square waves notice; a FLAC rung has nothing to lose. The
# smallest mistake that a wrong graph can make, a channel counted twice or half, is 3 dB.
LEVEL_TOLERANCE_LU = {"aac": 2.8, "flac": 0.3}
# Beyond these the fast AAC coder is at fault: on music both coders stay within 0.6 LU in any 400 ms and 0.2 dB overall.
UNEVEN_MOMENT_LU = 1.0
UNEVEN_MEAN_DB = 0.4
PAD_DB = 6
# Below this the meter hears the coder's own noise.
QUIETEST_LUFS = -60.0
METER_WINDOW_STEPS = 4  # momentary loudness looks back 400 ms

DECODED = re.compile(r"Input stream #(\d+):0 \(audio\): .*?(\d+) decode errors \((\d+) samples\)")
SHAPE = re.compile(r"\[info\]   Stream #(\d+):0\S*: Audio: .*?, (\d+) Hz, ([^,]+), .*\(default\)$")
NOT_AS_GIVEN = N_(
    "The prepared track did not pass its own checks, so it was not published. It will be tried again."
)


@dataclass(frozen=True)
class Made:
    """A rung on disk, waiting to be checked."""

    rung: Rung
    media: Path
    layout: Fragmented


def verify(
    program: str,
    made: Sequence[Made],
    *,
    duration_s: float,
    source: Meters,
    start_s: float,
    limits: Limits,
    on_progress: Callable[[float], None],
) -> list[Rung]:
    """Decode every rung to its end; raise ``Interrupted`` unless each is whole, aligned and as loud as its source.

    The mean level is compared over the whole track, and every moment of the thirty seconds from *start_s*, where the
    music is loudest. Answers the rungs whose level the fast AAC coder changed, to be made again by the careful one.
    """
    levels = {one.rung.quality: Meters(pad_db=PAD_DB) for one in made}
    samples: dict[int, int] = {}
    shapes: dict[int, tuple[int, int]] = {}
    errors: list[str] = []

    def hear(line: str) -> None:
        if found := re.match(r"\[(?:ebur128|volumedetect)@(\w+) @", line):
            levels[found[1]].hear(line)
        elif found := SHAPE.match(line):
            shapes.setdefault(int(found[1]), (int(found[2]), channels_of(found[3])))
        elif found := DECODED.search(line):
            samples[int(found[1])] = int(found[3])
            if int(found[2]):
                errors.append(line)

    outputs = []
    for one in made:
        branches = decoded(one).filter_multi_output("asplit", 2)
        excerpt = branches[1].filter("atrim", start=start_s, end=start_s + LISTEN_S)
        if one.rung.sample_rate_hz > LOSSLESS_MAX_HZ:  # the source was measured without its ultrasound, too
            excerpt = at_rate(excerpt, one.rung.sample_rate_hz, aac_rate_for(one.rung.sample_rate_hz))
        meter = excerpt.filter(f"ebur128@{one.rung.quality}", framelog="verbose")
        if one.rung.codec == "aac":
            padded = branches[0].filter("volume", f"-{PAD_DB}dB").filter("aresample", osf="s16")
            mean = padded.filter(f"volumedetect@{one.rung.quality}")
            outputs.append(mean.output("pipe:2", format="null", acodec="pcm_s16le"))
        else:
            outputs.append(branches[0].output("pipe:2", format="null", acodec="pcm_s32le"))
        outputs.append(meter.output("pipe:2", format="null", acodec="pcm_f64le"))
    try:
        ffmpeg.run(
            program,
            arguments(outputs),
            sound_s=duration_s,
            limits=limits,
            folder=made[0].media.parent,
            on_progress=on_progress,
            on_line=hear,
        )
    except failures.Unplayable as exc:
        # What we encoded ourselves is not the artist's fault.
        raise failures.Interrupted(NOT_AS_GIVEN, detail=exc.detail) from exc
    complaints = errors
    uneven = []
    for index, one in enumerate(made):
        if shapes.get(index) != (one.rung.sample_rate_hz, one.rung.channels):
            complaints.append(f"{one.rung.quality} has the rate and channels {shapes.get(index)}")
        complaints += complaints_about(one, samples.get(index, 0), duration_s)
        change = LevelChange.between(source, levels[one.rung.quality], start_s=start_s)
        if one.rung.codec == "aac" and one.rung.coder == FAST and change.is_uneven:
            uneven.append(one.rung)
        # FLAC cannot hold what a floating-point master has above full scale, so that its level may rightly drop.
        elif abs(change.mean_lu) > LEVEL_TOLERANCE_LU[one.rung.codec] and not (
            one.rung.codec == "flac" and (source.true_peak_dbtp or 0.0) > 0
        ):
            complaints.append(f"{one.rung.quality} is {change.mean_lu:+.1f} LU off the source's loudness")
    if complaints:
        raise failures.Interrupted(NOT_AS_GIVEN, detail="; ".join(complaints))
    return uneven


@dataclass(frozen=True)
class LevelChange:
    """How much louder a rung is than its source: in the mean of a stretch, at its worst moment, and all in all."""

    mean_lu: float
    worst_lu: float
    whole_db: float

    @property
    def is_uneven(self) -> bool:
        """True when a coder has changed the level, if only of one bass note."""
        return abs(self.worst_lu) > UNEVEN_MOMENT_LU or abs(self.whole_db) > UNEVEN_MEAN_DB

    @classmethod
    def between(cls, source: Meters, rung: Meters, *, start_s: float) -> LevelChange:
        """Compare what the meters said of a source, from *start_s* on, and of a rung."""
        first = round(start_s / METER_STEP_S)
        mine = rung.momentary_lufs[METER_WINDOW_STEPS - 1 :]
        theirs = source.momentary_lufs[
            first + METER_WINDOW_STEPS - 1 : first + round(LISTEN_S / METER_STEP_S)
        ]
        both = list(zip(theirs, mine, strict=False))
        loud = [(before, after) for before, after in both if before > QUIETEST_LUFS]
        expected = mean_lufs([before for before, _ in both])
        return cls(
            mean_lu=mean_lufs([after for _, after in both]) - expected if expected > QUIETEST_LUFS else 0.0,
            worst_lu=max((after - before for before, after in loud), key=abs, default=0.0),
            whole_db=(rung.mean_db or 0.0) - (source.mean_db or 0.0) if expected > QUIETEST_LUFS else 0.0,
        )


def decoded(made: Made) -> Any:
    """The sound of a rung, in large frames: handing 1024 samples from thread to thread costs as much as decoding.

    Read as an ordinary input: ``amovie`` would be cheaper still, but ffmpeg 9.0 dies of a double free on it in three
    runs of a hundred, and it hides decoding errors.
    """
    return graph.input(made.media.name, thread_queue_size=1024)["a:0"].filter("asetnsamples", n=65_536, p=0)


def complaints_about(made: Made, samples: int, duration_s: float) -> list[str]:
    """What is wrong with the time in one decoded rung, for the log; empty when it is as it should be."""
    rung = made.rung
    complaints = []
    off_s = samples / rung.sample_rate_hz - duration_s
    if abs(off_s) > DURATION_TOLERANCE_S:
        complaints.append(f"{rung.quality} is {off_s:+.3f} s off the source's length")
    delay = AAC_DELAY_SAMPLES if rung.codec == "aac" else 0
    if made.layout.delay != delay:
        complaints.append(
            f"{rung.quality} declares a delay of {made.layout.delay} samples instead of {delay}"
        )
    return complaints
