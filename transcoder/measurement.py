"""What ffmpeg's meters say while it works: loudness, true peak, waveform, damage.

All of it comes from the log of the one run that also encodes ``low``, so that measuring costs no pass.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from dataclasses import field

METER_STEP_S = 0.1
SILENCE_LUFS = -70.0  # the absolute gate of EBU R128: below it there is nothing to measure
MOST_POINTS = 1800
PREVIEW_S = 30.0

NUMBER = r"\s*(-?inf|nan|-?\d+(?:\.\d+)?)"
MOMENT = re.compile(rf" M:{NUMBER} ")
INTEGRATED = re.compile(rf"^(?:\[.*\])?\s*I:{NUMBER} LUFS\s*$")
MEAN_VOLUME = re.compile(rf"mean_volume:{NUMBER} dB")
TRUE_PEAK = re.compile(rf"max_volume:{NUMBER} dB")
# The meter's lowest reading: no sample differs from zero.
NO_PEAK_DB = -90.0
BIT_DEPTH = re.compile(r"Bit depth: (\d+)/")
DECODED = re.compile(
    r"Input stream #0:\d+ \(audio\): \d+ packets read \((?P<bytes>\d+) bytes\); \d+ frames decoded; "
    r"(?P<errors>\d+) decode errors \((?P<samples>\d+) samples\)"
)
# An 8-bit sample -> how far it is from the middle, 0 to 128.
HEIGHTS = bytes(abs(sample - 128) for sample in range(256))

# A WAV that was written to a pipe does not know its own length; ffmpeg then calls its last packet corrupt.
OPEN_ENDED = "Ignoring maximum wav data size"

# Damage that ffmpeg steps over without counting it as a decode error.
DAMAGE = re.compile(
    r"CRC mismatch|corrupt input packet|partial file|\[error\] .*(?:invalid sync|Packet corrupt)"
)


@dataclass
class Meters:
    """Collects what one decode of a source tells; feed it every line of the log."""

    pad_db: int = 0
    samples_per_s: int = 0
    momentary_lufs: list[float] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    unread: bytearray = field(default_factory=bytearray)
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    mean_db: float | None = None
    used_bits: int | None = None
    samples: int = 0
    packet_bytes: int = 0
    errors: int = 0
    open_ended: bool = False

    def hear(self, line: str) -> None:
        """Take in one line of ffmpeg's log."""
        if "TARGET" in line:
            if found := MOMENT.search(line):
                self.momentary_lufs.append(float(found[1]))
        elif found := INTEGRATED.match(line):
            loudness = float(found[1])
            self.loudness_lufs = loudness if loudness > SILENCE_LUFS else None
        elif found := TRUE_PEAK.search(line):
            peak = float(found[1])
            self.true_peak_dbtp = round(peak + self.pad_db, 1) if peak > NO_PEAK_DB else None
        elif found := MEAN_VOLUME.search(line):
            self.mean_db = float(found[1]) + self.pad_db
        elif found := DECODED.search(line):
            self.samples, self.packet_bytes = int(found["samples"]), int(found["bytes"])
            self.errors += int(found["errors"])
        elif found := BIT_DEPTH.search(line):
            self.used_bits = max(self.used_bits or 0, int(found[1]))
        elif OPEN_ENDED in line:
            self.open_ended = True
        elif DAMAGE.search(line) and not (self.open_ended and "corrupt input packet" in line):
            self.errors += 1

    def see(self, sound: bytes) -> None:
        """Take in 8-bit samples for the waveform, all channels mixed up: the peak of each tenth of a second."""
        self.unread += sound
        step = max(1, round(self.samples_per_s * METER_STEP_S))
        whole = len(self.unread) // step * step
        heights = self.unread[:whole].translate(HEIGHTS)
        for start in range(0, whole, step):
            self.heights.append(highest(heights[start : start + step]))
        del self.unread[:whole]


def highest(heights: bytes | bytearray) -> int:
    """The highest of many small numbers: asking C for each from above is thirty times faster than ``max``."""
    return next((height for height in range(128, 0, -1) if height in heights), 0)


def waveform(meters: Meters, *, duration_ms: int) -> str:
    """The waveform as the player draws it: JSON with at most 1800 peaks of 0 to 255.

    ``{"version": 1, "duration_ms": …, "peaks": [0..255, …]}``. The peaks are spread evenly over the duration;
    each is the highest peak of its stretch, on a linear scale where 255 is full scale.
    """
    heights = list(meters.heights)
    if meters.unread or not heights:
        heights.append(highest(meters.unread.translate(HEIGHTS)))
    group = math.ceil(len(heights) / MOST_POINTS)
    peaks = [min(255, max(heights[start : start + group]) * 2) for start in range(0, len(heights), group)]
    return json.dumps({"version": 1, "duration_ms": duration_ms, "peaks": peaks}, separators=(",", ":"))


def preview_start_s(momentary_lufs: list[float], *, duration_s: float) -> float:
    """Where the preview begins: the 30 s with the most sound in them, or the start of a short track."""
    if duration_s <= PREVIEW_S:
        return 0.0
    width = round(PREVIEW_S / METER_STEP_S)
    powers = [10 ** (lufs / 10) for lufs in momentary_lufs]
    energy = best = sum(powers[:width])
    best_at = 0
    for start in range(1, len(powers) - width + 1):
        energy += powers[start + width - 1] - powers[start - 1]
        # A clear gain is asked for, so that even music begins at its beginning and not at a random place.
        if energy > best * 1.001:
            best, best_at = energy, start
    return min(best_at * METER_STEP_S, duration_s - PREVIEW_S)


def mean_lufs(momentary_lufs: list[float]) -> float:
    """The energy mean of momentary loudness: one number for a stretch of sound."""
    if not momentary_lufs:
        return -math.inf
    mean = sum(10 ** (lufs / 10) for lufs in momentary_lufs) / len(momentary_lufs)
    return 10 * math.log10(mean) if mean > 0 else -math.inf
