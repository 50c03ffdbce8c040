"""What an uploaded file really holds, read from its bytes and never from its name.

ffmpeg itself is the judge, because it is what will decode the file, and it runs with limits; only the few
formats that artists may send are switched on, so that the playlist, tracker and image readers in it stay shut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg as graph

from transcoder import boxes
from transcoder import failures
from transcoder import ffmpeg
from transcoder.limits import DEFAULT_LIMITS
from transcoder.limits import Limits

CONTAINERS = "wav,w64,aiff,flac,mp3,mov,ogg,aac"
PCM = ("u8", "s8", *(f"{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")))
LOSSLESS = frozenset({"flac", "alac"} | {f"pcm_{kind}" for kind in PCM})
LOSSY = frozenset({"mp3", "aac", "vorbis", "opus"})
DECODERS = ",".join(sorted(LOSSLESS | LOSSY | {"mp3float"}))

LARGEST_OGG_PAGE_BYTES = 65_307

CONTAINER_NAMES = {"mov": "mp4"}
BITS = {"u8": 8, "s16": 16, "s32": 32, "s64": 64, "flt": 32, "dbl": 64}
LAYOUTS = {
    "mono": 1,
    "stereo": 2,
    "downmix": 2,
    "binaural": 2,
    "quad": 4,
    "hexagonal": 6,
    "octagonal": 8,
    "cube": 8,
}

INPUT = re.compile(r"^\[info\] Input #0, (?P<container>\w+)")
DURATION = re.compile(
    r"^\[info\]   Duration: (?:(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d\.\d+)|N/A).*?(?:bitrate: (?P<kbps>\d+) kb/s)?$"
)
STREAM = re.compile(
    r"^\[info\]   Stream #0:\d+\S*: Audio: (?P<codec>\w+)(?P<about>.*?), (?P<rate>\d+) Hz, (?P<layout>[^,]+),"
    r" (?P<format>[a-z]+\d*)p?(?: \((?P<bits>\d+) bit\))?(?:,.*?(?P<kbps>\d+) kb/s)?"
)


@dataclass(frozen=True)
class SourceFacts:
    """What a source holds; ``bits_per_sample`` is None where it means nothing (lossy codecs)."""

    container: str
    codec: str
    duration_ms: int
    sample_rate_hz: int
    channels: int
    bits_per_sample: int | None
    floating: bool
    bitrate_kbps: int
    lossless: bool
    duration_is_exact: bool = True

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        return self.duration_ms / 1000


def open_source(source: Path, **options: Any) -> Any:
    """The input node for an untrusted file: local bytes only, known formats only."""
    # ``file:`` keeps ffmpeg from reading a protocol out of an odd path.
    return graph.input(
        f"file:{source}",
        protocol_whitelist="file,pipe",
        format_whitelist=CONTAINERS,
        codec_whitelist=DECODERS,
        **options,
    )


def probe(source: Path, *, ffmpeg: str, limits: Limits = DEFAULT_LIMITS) -> SourceFacts:
    """Read what *source* holds by decoding its first moment.

    Raises ``Unplayable`` with a sentence for the artist when it is no sound, protected, empty, too long or
    of a shape that cannot be a track, and ``Interrupted`` when the server is at fault.
    """
    if not source.exists() or source.stat().st_size == 0:
        raise failures.Unplayable(failures.EMPTY)
    if boxes.is_protected(source):
        raise failures.Unplayable(failures.PROTECTED)
    lines: list[str] = []
    _listen_briefly(ffmpeg, source, lines, limits)
    facts = read_facts(lines)
    check(facts, limits)
    if facts.container == "ogg" and not ends_as_ogg(source):
        raise failures.Unplayable(failures.CUT_OFF)
    return facts


def ends_as_ogg(source: Path) -> bool:
    """True when the last Ogg page says that it is the last (RFC 3533); ffmpeg plays a cut file without a word."""
    with source.open("rb") as file:
        file.seek(max(0, source.stat().st_size - LARGEST_OGG_PAGE_BYTES))
        tail = file.read()
    last = tail.rfind(b"OggS")
    return last >= 0 and len(tail) > last + 5 and bool(tail[last + 5] & 4)


def _listen_briefly(program: str, source: Path, lines: list[str], limits: Limits) -> None:
    arguments = open_source(source)["a:0"].output("pipe:2", format="null", t=0.2).get_args()
    try:
        ffmpeg.run(program, arguments, limits=limits, reads=[source], on_line=lines.append)
    except failures.Unplayable as exc:
        # Before the sound is known every refusal means the same to the artist, unless the cause is a known one.
        known = "[info] Input #0" in exc.detail
        raise failures.from_stderr(
            exc.detail, otherwise=failures.DAMAGED if known else failures.NOT_AUDIO
        ) from exc


def read_facts(lines: list[str]) -> SourceFacts:
    """The facts in ffmpeg's description of its input; raises ``Unplayable`` when there is no sound in it."""
    container = next((found["container"] for found in map(INPUT.match, lines) if found), None)
    length = next((found for found in map(DURATION.match, lines) if found), None)
    stream = next((found for found in map(STREAM.match, lines) if found), None)
    if container is None or stream is None:
        raise failures.Unplayable(failures.NOT_AUDIO, detail="\n".join(lines[-20:]))
    if re.search(r"\b(?:drm[si]|enca)\b", stream["about"]):
        raise failures.Unplayable(failures.PROTECTED)
    codec = stream["codec"]
    has_length = length is not None and length["h"] is not None
    seconds = (
        int(length["h"]) * 3600 + int(length["m"]) * 60 + float(length["s"]) if length and has_length else 0.0
    )
    bits = int(stream["bits"] or BITS.get(stream["format"], 16))
    return SourceFacts(
        container=CONTAINER_NAMES.get(container, container),
        codec=codec,
        duration_ms=round(seconds * 1000),
        sample_rate_hz=int(stream["rate"]),
        channels=channels_of(stream["layout"]),
        bits_per_sample=bits if codec in LOSSLESS else None,
        floating=stream["format"] in ("flt", "dbl"),
        bitrate_kbps=int(stream["kbps"] or (length["kbps"] if length else None) or 0),
        lossless=codec in LOSSLESS,
        duration_is_exact=has_length
        and not any("Estimating duration from bitrate" in line for line in lines),
    )


def channels_of(layout: str) -> int:
    """How many channels ffmpeg's name of a layout stands for: ``stereo``, ``5.1(side)``, ``32 channels``."""
    layout = layout.split("(")[0].strip()
    if layout in LAYOUTS:
        return LAYOUTS[layout]
    if counted := re.match(r"(\d+) channels", layout):
        return int(counted[1])
    if re.fullmatch(r"\d+(\.\d+)+", layout):
        return sum(map(int, layout.split(".")))
    return 255  # A layout without a count is no stereo or surround master.


def check(facts: SourceFacts, limits: Limits) -> None:
    """Refuse what cannot be a track, with the reason as a sentence."""
    if facts.duration_s > limits.max_duration_s:
        raise too_long(facts.duration_s, limits)
    if facts.channels > limits.max_channels:
        raise failures.Unplayable(
            "This file has {channels} channels; a track may have up to {most}. "
            "Mix it down to stereo and upload it again.",
            channels=facts.channels,
            most=limits.max_channels,
        )
    if not limits.min_sample_rate_hz <= facts.sample_rate_hz <= limits.max_sample_rate_hz:
        raise failures.Unplayable(
            "This file has a sample rate of {rate} Hz; a track may have {least} to {most} Hz. "
            "Export it at 44100 or 48000 Hz.",
            rate=facts.sample_rate_hz,
            least=limits.min_sample_rate_hz,
            most=limits.max_sample_rate_hz,
        )


def too_long(duration_s: float, limits: Limits) -> failures.Unplayable:
    """The refusal of a file that outlasts a track."""
    return failures.Unplayable(
        "This file lasts {length}; a track may last up to {most} (hours:minutes:seconds). Split it into several tracks.",
        length=failures.clock(duration_s),
        most=failures.clock(limits.max_duration_s),
    )
