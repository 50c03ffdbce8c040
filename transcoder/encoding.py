"""The two passes over a source as ffmpeg graphs: which filters, which encoders, which files.

Pass one makes ``low`` and reads every meter; pass two makes all other rungs and the preview from one decode.
Two passes and not one, because ``low`` must be playable early and the slowest encoder would hold it back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg as graph

from transcoder.ladder import FAST
from transcoder.ladder import PREVIEW_KBPS
from transcoder.ladder import Rung
from transcoder.ladder import aac_rate_for
from transcoder.ladder import channels_for
from transcoder.measurement import PREVIEW_S
from transcoder.source import SourceFacts
from transcoder.source import open_source

# ``delay_moov`` is what makes ffmpeg write the encoder's delay into the edit list; its HLS muxer cannot.
FRAGMENTED = {
    "format": "mp4",
    "movflags": "cmaf+delay_moov+skip_trailer",
    "frag_duration": 500_000,
    "map_metadata": -1,
    "fflags": "+bitexact",
}
# By measurement (docs/aac-coder.md): both coders use intensity stereo and noise substitution at any bit rate and far
# too much of them; without, ``fast`` at 320 kbit/s leaves 12 dB less noise.
AAC_OPTIONS = {"aac_is": 0, "aac_pns": 0}
AAC_CODER = {"aac_coder": FAST, **AAC_OPTIONS}
FINGERPRINT_S = 120  # as AcoustID does it
FADE_IN_S = 0.3
FADE_OUT_S = 2.0


def first_pass(
    source: Path, facts: SourceFacts, low: Rung, *, files: dict[str, Path], most_s: float
) -> list[str]:
    """The arguments that make ``low`` and the fingerprint and run the meters; *most_s* bounds a lying header."""
    sound = heard(open_source(source, t=most_s)["a:0"], facts)
    outputs = []
    if native_format(facts) == "s32":
        # Many a "24-bit" file is a 16-bit one with zeros below; only the samples tell.
        untouched = split(sound, 2, facts, sample_format="s32")
        sound = untouched[0]
        meter = untouched[1].filter("astats", measure_perchannel="none", measure_overall="Bit_depth")
        outputs.append(meter.output("pipe:2", format="null", acodec="pcm_s32le"))
    # The meters hear what people hear: ultrasound in a 192 kHz file must not make it "loud".
    branches = split(at_rate(sound, facts.sample_rate_hz, low.sample_rate_hz), 5, facts, sample_format="fltp")
    # The waveform needs 8 bits of every sample and no more; ``measurement`` reads them as they come.
    eight_bits = branches[1].filter("aresample", osf="u8").filter("asetnsamples", n=65_536, p=0)
    outputs += [
        encode(branches[0], low, files["low"]),
        eight_bits.output("pipe:1", format="u8", acodec="pcm_u8"),
        branches[2].filter("ebur128", framelog="verbose").output("pipe:2", format="null", acodec="pcm_f64le"),
        true_peak(branches[3], facts, low).output("pipe:2", format="null", acodec="pcm_s16le"),
        branches[4].output(str(files["fingerprint"]), format="chromaprint", t=FINGERPRINT_S, ar=11_025, ac=1),
    ]
    return arguments(outputs)


def second_pass(
    source: Path,
    facts: SourceFacts,
    rungs: Sequence[Rung],
    *,
    folder: Path,
    preview: Path,
    preview_start_s: float,
) -> list[str]:
    """The arguments that make every rung above ``low`` from one decode, and the preview."""
    outputs = rung_outputs(source, facts, rungs, folder) if rungs else []
    return arguments([preview_output(source, facts, preview, start_s=preview_start_s), *outputs])


def remake(source: Path, facts: SourceFacts, rungs: Sequence[Rung], *, folder: Path) -> list[str]:
    """The arguments that make only these rungs, once more."""
    return arguments(rung_outputs(source, facts, rungs, folder))


def rung_outputs(source: Path, facts: SourceFacts, rungs: Sequence[Rung], folder: Path) -> list[Any]:
    """One decode, one resampling for every rate, one file for every rung."""
    sound = heard(open_source(source)["a:0"], facts)
    per_rate = Counter(rung.sample_rate_hz for rung in rungs)
    own_format = native_format(facts)
    roots = split(sound, len(per_rate), facts, sample_format=own_format)
    outputs = []
    for index, (rate_hz, count) in enumerate(per_rate.items()):
        resampled = at_rate(roots[index], facts.sample_rate_hz, rate_hz)
        kept = own_format if rate_hz == facts.sample_rate_hz else "fltp"
        branches = split(resampled, count, facts, sample_format=kept)
        of_this_rate = [rung for rung in rungs if rung.sample_rate_hz == rate_hz]
        for place, rung in enumerate(of_this_rate):
            branch = at_depth(branches[place], facts, rung) if rung.codec == "flac" else branches[place]
            outputs.append(encode(branch, rung, folder / f"{rung.quality}.mp4"))
    return outputs


def true_peak(sound: Any, facts: SourceFacts, low: Rung) -> Any:
    """A true-peak meter (ITU-R BS.1770: four times oversampled) at a third of what ebur128's own costs.

    It counts 16-bit samples, so the sound is taken down first to leave room above full scale.
    """
    padded = sound.filter("volume", f"-{pad_db(facts)}dB")
    return padded.filter("aresample", low.sample_rate_hz * 4, filter_size=16, osf="s16").filter(
        "volumedetect"
    )


def pad_db(facts: SourceFacts) -> int:
    """Room above full scale for the true-peak meter: floating point may go far above it."""
    return 18 if facts.floating else 6


def split(sound: Any, count: int, facts: SourceFacts, *, sample_format: str) -> Any:
    """*count* copies of the sound, in a sample format and a channel layout that are named.

    Left to itself, ffmpeg lets any branch choose for all: a waveform in 8 bits would make every rung 8 bits, and a
    fingerprint in mono every rung mono.
    """
    layout = "mono" if channels_for(facts) == 1 else "stereo"
    pinned = sound.filter("aformat", sample_fmts=sample_format, channel_layouts=layout)
    return pinned.filter_multi_output("asplit", count)


def native_format(facts: SourceFacts) -> str:
    """The sample format that holds everything a source has: mixing down and lossy decoding need fractions."""
    if facts.floating or not facts.lossless or facts.channels > 2:
        return "fltp"
    return "s16" if (facts.bits_per_sample or 0) <= 16 else "s32"


def heard(sound: Any, facts: SourceFacts) -> Any:
    """The sound as listeners get it: mono and stereo as they are, anything wider mixed down to stereo.

    ``rematrix_maxval`` keeps the sum of all channels within full scale; without it that depends on the sample format.
    """
    if facts.channels <= 2:
        return sound
    return sound.filter("aresample", ochl="stereo", osf="fltp", rematrix_maxval=1)


def at_rate(sound: Any, from_hz: int, to_hz: int) -> Any:
    """Resampled by soxr where the rate differs, kept in floating point so that depth is reduced only once."""
    if from_hz == to_hz:
        return sound
    return sound.filter("aresample", to_hz, resampler="soxr", precision=28, osf="fltp")


def at_depth(sound: Any, facts: SourceFacts, rung: Rung) -> Any:
    """The sound in the depth of a FLAC rung, dithered with a triangular distribution where bits are lost."""
    assert rung.bits is not None
    sample_format = "s16" if rung.bits <= 16 else "s32"
    same_rate = facts.sample_rate_hz == rung.sample_rate_hz
    exact = (
        same_rate and facts.channels <= 2 and not facts.floating and (facts.bits_per_sample or 0) <= rung.bits
    )
    if exact:
        return sound.filter("aformat", sample_fmts=sample_format)
    return sound.filter(
        "aresample", osf=sample_format, output_sample_bits=rung.bits, dither_method="triangular"
    )


def encode(sound: Any, rung: Rung, target: Path) -> Any:
    """One rung as one fragmented MP4 file."""
    if rung.codec == "aac":
        options = {"acodec": "aac", "aac_coder": rung.coder, **AAC_OPTIONS, "audio_bitrate": f"{rung.kbps}k"}
    else:
        assert rung.bits is not None
        options = {"acodec": "flac", "sample_fmt": "s16" if rung.bits <= 16 else "s32"}
    return sound.output(str(target), **options, **FRAGMENTED)


def preview_output(source: Path, facts: SourceFacts, target: Path, *, start_s: float) -> Any:
    """Thirty seconds for everyone, as a small file that any browser plays; faded where it cuts into the music."""
    sound = heard(open_source(source, ss=start_s, t=PREVIEW_S)["a:0"], facts)
    rate_hz = aac_rate_for(facts.sample_rate_hz)
    sound = at_rate(sound, facts.sample_rate_hz, rate_hz)
    if start_s > 0:
        sound = sound.filter("afade", type="in", duration=FADE_IN_S)
    if facts.duration_s > start_s + PREVIEW_S:
        sound = sound.filter("afade", type="out", start_time=PREVIEW_S - FADE_OUT_S, duration=FADE_OUT_S)
    return sound.output(
        str(target),
        acodec="aac",
        **AAC_CODER,
        audio_bitrate=f"{PREVIEW_KBPS * channels_for(facts) // 2}k",
        format="ipod",
        movflags="faststart",
        map_metadata=-1,
        fflags="+bitexact",
    )


def arguments(outputs: Sequence[Any]) -> list[str]:
    """The command line of a graph with several outputs, without the program's name."""
    merged = graph.merge_outputs(*outputs) if len(outputs) > 1 else outputs[0]
    return ["-y", *map(str, merged.get_args())]
