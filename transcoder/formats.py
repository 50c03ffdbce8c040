"""How ffmpeg makes each format that music is handed out in: bit by bit where the format can, never more than the source holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from appliance.downloads.formats import Format
from appliance.errors import N_
from transcoder import encoding
from transcoder import failures
from transcoder.ladder import CAREFUL
from transcoder.ladder import aac_rate_for
from transcoder.ladder import capped
from transcoder.ladder import channels_for
from transcoder.source import SourceFacts
from transcoder.source import open_source

FLAC_BITS = 24
FLAC_MAX_HZ = 384_000
OPUS_HZ = 48_000
LARGEST_RIFF_BYTES = 2**32 - 2**26
"""WAV and AIFF tell their length in 32 bits; tags and cover need a little too."""
TOO_LARGE = N_("This recording is too long for a WAV or AIFF file; take it as FLAC or ALAC.")
PLAIN = {"map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact", "flags:a": "+bitexact"}
"""No tags but those that are written afterwards, and the same bytes every time."""
MUXERS = {
    "flac": "flac",
    "m4a": "ipod",
    "wav": "wav",
    "aiff": "aiff",
    "mp3": "mp3",
    "ogg": "ogg",
    "opus": "opus",
}
LOSSY: dict[Format, dict[str, Any]] = {
    Format.MP3_320: {"acodec": "libmp3lame", "audio_bitrate": "320k"},
    Format.MP3_V0: {"acodec": "libmp3lame", "q:a": 0},
    # The careful coder: nothing checks its level afterwards, as is done with the rungs (docs/aac-coder.md).
    Format.AAC: {"acodec": "aac", "aac_coder": CAREFUL, **encoding.AAC_OPTIONS},
    Format.VORBIS: {"acodec": "libvorbis", "q:a": 8},
    Format.OPUS: {"acodec": "libopus"},
}
STEREO_KBPS = {Format.AAC: 256, Format.OPUS: 192}


def arguments(source: Path, facts: SourceFacts, format: Format, ending: str, target: Path) -> list[str]:
    """The command line that makes *target* from *source*; ``Unplayable`` where the format cannot hold it."""
    node = open_source(source)["a:0"]
    options: dict[str, Any]
    if format is Format.ORIGINAL:
        sound, options = node, {"acodec": "copy"}
    elif format in LOSSY:
        sound, options = _lossy(node, facts, format)
    else:
        sound, options = _lossless(node, facts, format)
    if ending == "m4a":
        options["movflags"] = "+faststart"
    if ending == "mp3":
        options["write_id3v2"] = 0
    return encoding.arguments([sound.output(str(target), format=MUXERS[ending], **options, **PLAIN)])


def _lossy(node: Any, facts: SourceFacts, format: Format) -> tuple[Any, dict[str, Any]]:
    """Stereo or mono as listeners hear it, at a rate that every player plays, from fractions: no bits are lost before the encoder."""
    rate_hz = OPUS_HZ if format is Format.OPUS else aac_rate_for(facts.sample_rate_hz)
    sound = encoding.at_rate(encoding.heard(node, facts), facts.sample_rate_hz, rate_hz)
    options = dict(LOSSY[format])
    if format in STEREO_KBPS:
        options["audio_bitrate"] = f"{STEREO_KBPS[format] * channels_for(facts) // 2}k"
    return sound.filter("aformat", sample_fmts="fltp" if format is not Format.OPUS else "flt"), options


def _lossless(node: Any, facts: SourceFacts, format: Format) -> tuple[Any, dict[str, Any]]:
    """Rate, depth and channels of the source. What the format cannot hold, more than 24 bits or fractions, is dithered to 24."""
    bits = facts.bits_per_sample or 16
    if format in {Format.WAV, Format.AIFF}:
        if facts.duration_s * facts.sample_rate_hz * facts.channels * -(-bits // 8) > LARGEST_RIFF_BYTES:
            raise failures.Unplayable(TOO_LARGE)
        return _plain_samples(node, facts, format, bits)
    rate_hz = capped(facts.sample_rate_hz, FLAC_MAX_HZ)
    deep = bits > 16 or facts.floating
    planar = "p" if format is Format.ALAC else ""
    sample_format = f"s{32 if deep else 16}{planar}"
    sound = encoding.at_rate(node, facts.sample_rate_hz, rate_hz)
    exact = rate_hz == facts.sample_rate_hz and not facts.floating and bits <= FLAC_BITS
    sound = sound.filter("aformat", sample_fmts=sample_format) if exact else _dithered(sound, sample_format)
    options: dict[str, Any] = {"acodec": str(format), "sample_fmt": sample_format}
    if deep:
        options["bits_per_raw_sample"] = FLAC_BITS
    return sound, options


def _plain_samples(node: Any, facts: SourceFacts, format: Format, bits: int) -> tuple[Any, dict[str, Any]]:
    if format is Format.AIFF:
        if facts.floating:
            return _dithered(node, "s32"), {"acodec": "pcm_s24be"}
        return node, {"acodec": f"pcm_s{_bytes(bits)}be" if bits > 8 else "pcm_s8"}
    if facts.floating:
        return node, {"acodec": f"pcm_f{bits}le"}
    return node, {"acodec": f"pcm_s{_bytes(bits)}le" if bits > 8 else "pcm_u8"}


def _bytes(bits: int) -> int:
    """The next depth that samples are stored in: a master of 20 bits lies in 24."""
    return -(-bits // 8) * 8


def _dithered(sound: Any, sample_format: str) -> Any:
    return sound.filter(
        "aresample", osf=sample_format, output_sample_bits=FLAC_BITS, dither_method="triangular"
    )
