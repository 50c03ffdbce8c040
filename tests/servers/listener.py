"""A player without a screen: reads playlists, fetches byte ranges as players do, decodes what came.

ffmpeg's own HLS client is not used: ffmpeg 9.0 joins the byte ranges of one file into a single request and then stops
after the first segment, with any server.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import urllib.request
from dataclasses import dataclass
from urllib.parse import urljoin

import imageio_ffmpeg

RATE_HZ = 8000


@dataclass(frozen=True)
class Variant:
    """One line of a master playlist."""

    quality: str
    url: str
    codecs: str
    bandwidth: int
    average_bandwidth: int


def fetch(url: str, span: tuple[int, int] | None = None) -> bytes:
    """The whole, or the half-open range, which must be answered as one."""
    request = urllib.request.Request(url)
    if span is not None:
        request.add_header("Range", f"bytes={span[0]}-{span[1] - 1}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == (206 if span else 200), answer.status
        content: bytes = answer.read()
    assert span is None or len(content) == span[1] - span[0]
    return content


def variants(master_url: str) -> list[Variant]:
    """What the master playlist offers, in its order."""
    lines = fetch(master_url).decode().splitlines()
    found = []
    for told, address in itertools.pairwise(lines):
        if told.startswith("#EXT-X-STREAM-INF:"):
            facts = dict(re.findall(r'([A-Z-]+)=("[^"]*"|[^,]+)', told))
            found.append(
                Variant(
                    address.partition(".")[0],
                    urljoin(master_url, address),
                    facts["CODECS"].strip('"'),
                    int(facts["BANDWIDTH"]),
                    int(facts["AVERAGE-BANDWIDTH"]),
                )
            )
    return found


def segments(playlist_url: str) -> list[tuple[float, str, tuple[int, int]]]:
    """Length in seconds (0 for the initialisation), address and byte range of each part of a media playlist."""
    found: list[tuple[float, str, tuple[int, int]]] = []
    length_s, span, end = 0.0, (0, 0), 0
    for line in fetch(playlist_url).decode().splitlines():
        if line.startswith("#EXT-X-MAP:"):
            name, size, start = re.findall(r'URI="([^"]+)",BYTERANGE="(\d+)@(\d+)"', line)[0]
            end = int(start) + int(size)
            found.append((0.0, urljoin(playlist_url, name), (int(start), end)))
        elif line.startswith("#EXTINF:"):
            length_s = float(line.removeprefix("#EXTINF:").rstrip(","))
        elif line.startswith("#EXT-X-BYTERANGE:"):
            size, _, start = line.removeprefix("#EXT-X-BYTERANGE:").partition("@")
            first = int(start) if start else end
            end = first + int(size)
            span = (first, end)
        elif line and not line.startswith("#"):
            found.append((length_s, urljoin(playlist_url, line), span))
    return found


def heard_s(playlist_url: str) -> float:
    """Seconds of sound that come out of a media playlist when every range is fetched and decoded."""
    sound = b"".join(fetch(url, span) for _, url, span in segments(playlist_url))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-xerror", "-i", "pipe:0"]
    command += ["-f", "s16le", "-ac", "1", "-ar", str(RATE_HZ), "pipe:1"]
    done = subprocess.run(command, input=sound, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return len(done.stdout) / 2 / RATE_HZ
