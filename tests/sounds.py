"""Short real sounds for tests, made by ffmpeg once and kept in memory."""

from __future__ import annotations

import functools
import subprocess

import imageio_ffmpeg

ENCODERS = {
    "flac": ["-c:a", "flac", "-sample_fmt", "s16", "-f", "flac"],
    "wav": ["-c:a", "pcm_s16le", "-f", "wav"],
    "mp3": ["-c:a", "libmp3lame", "-b:a", "192k", "-f", "mp3"],
    "ogg": ["-c:a", "libvorbis", "-f", "ogg"],
    "opus": ["-c:a", "libopus", "-f", "opus"],
}


@functools.cache
def tone(seconds: float, hertz: float = 440.0, *, format: str = "flac", rate_hz: int = 44_100) -> bytes:
    """A stereo tone of this length in this format."""
    graph = f"aevalsrc='0.3*sin(2*PI*{hertz}*t)|0.3*sin(2*PI*{hertz * 1.5}*t)':s={rate_hz}:d={seconds}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", graph]
    return subprocess.run(
        [*command, *ENCODERS[format], "pipe:1"], capture_output=True, check=True, timeout=60
    ).stdout
