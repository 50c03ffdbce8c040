"""HLS playlists as text (RFC 8216): pure, from byte ranges and measured sizes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.catalog import sealing
from appliance.catalog.sealing import Layout
from transcoder.boxes import Fragmented

VERSION = 7  # fragmented MP4
NEAR_S = 0.25  # half a fragment
_HEADER = re.compile(r'#EXT-X-MAP:URI="[^"]+",BYTERANGE="(\d+)@0"')
_SEGMENT = re.compile(r"#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)")


@dataclass(frozen=True)
class Segment:
    """A stretch of a rung's one file that a player asks for in one request."""

    offset: int
    size_bytes: int
    duration_s: float


class Variant(Protocol):
    """What the master playlist says of a rung."""

    @property
    def quality(self) -> str: ...  # noqa: D102
    @property
    def codecs(self) -> str: ...  # noqa: D102
    @property
    def bandwidth(self) -> int: ...  # noqa: D102
    @property
    def average_bandwidth(self) -> int: ...  # noqa: D102


def segments_of(file: Fragmented, *, duration_s: float, target_s: float) -> list[Segment]:
    """Group the fragments of a file into segments that begin at about every *target_s* of sound.

    Each segment begins with the fragment nearest to a multiple of *target_s*, so that the segments of
    all rungs stay side by side however long a track is. What would be a last segment of less than half of that
    joins the one before: players stumble over a tiny last segment.
    """
    starts_s = [max(0, fragment.decode_time - file.delay) / file.timescale for fragment in file.fragments]
    firsts = [0]
    for index, start_s in enumerate(starts_s):
        if start_s >= len(firsts) * target_s - NEAR_S and duration_s - start_s >= target_s / 2:
            firsts.append(index)
    ends = [*firsts[1:], len(starts_s)]
    segments = []
    for first, end in zip(firsts, ends, strict=True):
        stop_s = starts_s[end] if end < len(starts_s) else duration_s
        size_bytes = sum(fragment.size_bytes for fragment in file.fragments[first:end])
        segments.append(Segment(file.fragments[first].offset, size_bytes, stop_s - starts_s[first]))
    return segments


def media_playlist(
    media_name: str, *, header_bytes: int, segments: Sequence[Segment], key_name: str = ""
) -> str:
    """The playlist of one rung: one file, the header and every segment as a byte range of it.

    With *key_name* the segments are encrypted under the key at that address. A key holds for all that follows it, so the first one stands
    behind the header, which is clear, and each segment has its own initialisation vector: our player puts several tracks into one
    playlist, where the number of a segment is another.
    """
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        # EXTINF rounded to the nearest whole second must not exceed the target (RFC 8216, 4.3.3.1).
        f"#EXT-X-TARGETDURATION:{max(math.floor(segment.duration_s + 0.5) for segment in segments)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{media_name}",BYTERANGE="{header_bytes}@0"',
    ]
    for number, segment in enumerate(segments):
        if key_name:
            lines.append(f'#EXT-X-KEY:METHOD=AES-128,URI="{key_name}",IV=0x{sealing.iv(number).hex()}')
        lines += [
            f"#EXTINF:{segment.duration_s:.6f},",
            f"#EXT-X-BYTERANGE:{segment.size_bytes}@{segment.offset}",
            media_name,
        ]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def read_media_playlist(text: str) -> tuple[int, list[Segment]]:
    """How long the header of a rung is, and its segments, from the playlist that was made of them."""
    header = _HEADER.search(text)
    segments = [
        Segment(int(offset), int(size), float(duration_s))
        for duration_s, size, offset in _SEGMENT.findall(text)
    ]
    if header is None or not segments:
        raise ValueError("no playlist of a rung")
    return int(header[1]), segments


def sealed_segments(layout: Layout, segments: Iterable[Segment]) -> list[Segment]:
    """The same stretches of sound in the file whose segments are encrypted."""
    return [
        Segment(span.sealed_offset, span.sealed_bytes, segment.duration_s)
        for span, segment in zip(layout.spans(), segments, strict=True)
    ]


def clear_segments(layout: Layout, segments: Iterable[Segment]) -> list[Segment]:
    """The same stretches of sound in the file that is not encrypted."""
    return [
        Segment(span.clear_offset, span.clear_bytes, segment.duration_s)
        for span, segment in zip(layout.spans(), segments, strict=True)
    ]


def bandwidths(segments: list[Segment]) -> tuple[int, int]:
    """Peak and average bits per second, measured: the dearest segment, and all segments together."""
    peak = max(segment.size_bytes * 8 / segment.duration_s for segment in segments)
    total_s = sum(segment.duration_s for segment in segments)
    average = sum(segment.size_bytes for segment in segments) * 8 / total_s
    return math.ceil(peak), math.ceil(average)


def key_name(quality: str) -> str:
    """What the key of a rung is called, beside its playlist, so that it inherits the permission in the address."""
    return f"{quality}.key"


def media_playlist_name(quality: str) -> str:
    """What a rung's own playlist is called: not ``<quality>.m3u8``, for one quality is called ``master``."""
    return f"{quality}.media.m3u8"


def master_playlist(variants: Iterable[Variant]) -> str:
    """The playlist that lists the rungs, from the smallest up, by the names of their own playlists beside it."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for variant in variants:
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={variant.bandwidth},AVERAGE-BANDWIDTH={variant.average_bandwidth},"
            f'CODECS="{variant.codecs}"',
            media_playlist_name(variant.quality),
        ]
    return "\n".join([*lines, ""])
