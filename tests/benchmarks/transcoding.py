"""What a track costs, against one bare ffmpeg command that makes the same four rungs from the same file."""

from __future__ import annotations

import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import Figure
from transcoder import encoding
from transcoder import ladder
from transcoder import pipeline
from transcoder import program

SECONDS = 213
CPU_CAUSE = (
    "what the pipeline does beside encoding costs about 6 s of processor time for a song: decoding every rung once more to verify "
    "it (3.0 s), true peak, loudness, waveform and fingerprint (1.5 s), the preview (0.5 s), and a second decode of the source, so "
    "that `low` is there early (0.4 s). Tried: one pass for all (then `low` comes last), ffmpeg's own true-peak meter (three times "
    "as dear as the one used), decoding inside `amovie` for verification (cheaper, but ffmpeg 9.0 crashes on it). Left out of the "
    "verification, the figure would be kept; it was not left out."
)
CODER = [word for name, value in encoding.AAC_CODER.items() for word in (f"-{name}", str(value))]
RUNS = 3


def music(path: Path, ffmpeg: str, seconds: int = SECONDS) -> None:
    """A track of the length of a song with tones, noise and dynamics: 44.1 kHz, 16 bit, stereo."""
    graph = (
        "aevalsrc='0.25*sin(2*PI*(110+55*mod(floor(t),4))*t)*(0.6+0.4*sin(2*PI*0.1*t))+0.1*sin(2*PI*660*t)*exp(-3*mod(t,0.5))"
        "|0.25*sin(2*PI*(165+55*mod(floor(t/2),3))*t)+0.1*sin(2*PI*880*t)*exp(-4*mod(t,0.75))'"
        f":s=44100:d={seconds}[a];anoisesrc=color=pink:amplitude=0.08:r=44100:d={seconds},"
        "aformat=channel_layouts=stereo[b];[a][b]amix=inputs=2:normalize=0"
    )
    command = [ffmpeg, "-nostdin", "-v", "error", "-f", "lavfi", "-i", graph, "-sample_fmt", "s16", str(path)]
    subprocess.run(command, check=True)


def cost(act: Callable[[], None]) -> tuple[float, float]:
    """Processor seconds, of this process and its children, and seconds on the clock."""
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    began = time.monotonic()
    act()
    wall_s = time.monotonic() - began
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(
        b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after, strict=True)
    ), wall_s


def bare(source: Path, folder: Path, ffmpeg: str) -> list[str]:
    """One command, one decode, four rungs, with the coder that the ladder takes."""
    facts = pipeline.probe(source, ffmpeg=ffmpeg)
    command = [ffmpeg, "-nostdin", "-v", "error", "-y", "-i", str(source)]
    for rung in ladder.rungs_for(facts):
        if rung.codec == "aac":
            command += ["-map", "0:a", "-c:a", "aac", *CODER, "-b:a", f"{rung.kbps}k"]
        else:
            command += ["-map", "0:a", "-c:a", "flac"]
        command += ["-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"]
        command += ["-hls_flags", "single_file", str(folder / f"{rung.quality}.m3u8")]
    return command


def run() -> list[Figure]:
    """The three figures, each the median of paired runs."""
    ffmpeg = program.path("")
    rounds = []
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source.flac"
        music(source, ffmpeg)
        for number in range(RUNS):
            folder = Path(name) / str(number)
            folder.mkdir()
            rounds.append(one_round(source, folder, ffmpeg))
    bare_cpu, cpu, wall, low_at = (median(column) for column in zip(*rounds, strict=True))
    told = f"{SECONDS} s of music: ours {cpu:.1f} s CPU in {wall:.1f} s, bare ffmpeg {bare_cpu:.1f} s CPU, low after {low_at:.1f} s"
    cpu_ratio = median(ours / bare for bare, ours, _, _ in rounds)
    wall_ratio = median(wall / cpu for _, cpu, wall, _ in rounds)
    low_share = median(low / wall for _, _, wall, low in rounds)
    return [
        Figure(
            "Pipeline CPU / bare ffmpeg CPU for the same rungs",
            cpu_ratio,
            1.25,
            True,
            detail=told,
            cause=CPU_CAUSE,
        ),
        Figure("Pipeline wall time / CPU time on 2 cores", wall_ratio, 0.7, True, detail=told),
        Figure("`low` playable, share of the whole wall time", low_share, 0.6, True, detail=told),
    ]


def one_round(source: Path, folder: Path, ffmpeg: str) -> tuple[float, float, float, float]:
    """Bare and ours in turn: bare CPU, our CPU, our wall time, and when ``low`` was ready, in seconds."""
    theirs, ours = folder / "bare", folder / "ours"
    theirs.mkdir()
    ours.mkdir()
    low_at: list[float] = []
    command = bare(source, theirs, ffmpeg)
    bare_cpu, _ = cost(lambda: subprocess.run(command, check=True, cwd=theirs) and None)
    began = time.monotonic()

    def transcode() -> None:
        pipeline.transcode(
            source, ours, ffmpeg=ffmpeg, on_low_ready=lambda rung: low_at.append(time.monotonic() - began)
        )

    cpu, wall = cost(transcode)
    return bare_cpu, cpu, wall, low_at[0]
