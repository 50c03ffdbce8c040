"""Real sounds made on the spot, and ears to hear what became of them."""

from __future__ import annotations

import array
import subprocess
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from appliance import sandbox
from transcoder import pipeline

Make = Callable[..., Path]
MUSIC = "aevalsrc='0.4*sin(2*PI*440*t)*exp(-mod(t,0.5)*4)+0.1*sin(2*PI*1320*t)|0.3*sin(2*PI*554*t)':s={rate}:d={seconds}"


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The ffmpeg that comes with MusicConnect."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


@pytest.fixture
def without_walls() -> Iterator[None]:
    """For scripts in the place of ffmpeg, which start programs of their own and write where they like."""
    sandbox.use("off")
    yield
    sandbox.use("auto")


@pytest.fixture
def make(ffmpeg: str, tmp_path: Path) -> Make:
    """Make a sound file: ``make("song.flac", "-sample_fmt", "s32", rate=96_000, seconds=2)``."""

    def making(
        name: str, *encoder: str, sound: str = MUSIC, rate: int = 44_100, seconds: float = 2.0
    ) -> Path:
        target = tmp_path / name
        graph = sound.format(rate=rate, seconds=seconds)
        command = [ffmpeg, "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", graph, *encoder, str(target)]
        subprocess.run(command, check=True)
        return target

    return making


@pytest.fixture
def transcode(ffmpeg: str, tmp_path: Path) -> Callable[..., pipeline.Transcoded]:
    """Take a file through the whole pipeline."""

    def transcoding(source: Path, **options: object) -> pipeline.Transcoded:
        folder = tmp_path / f"out of {source.name}"
        folder.mkdir(exist_ok=True)
        return pipeline.transcode(source, folder, ffmpeg=ffmpeg, **options)

    return transcoding


@pytest.fixture
def hear(ffmpeg: str) -> Callable[..., array.array]:
    """The samples of a file or playlist, channels in turn: ``hear(path, "f32le")`` or ``"s16le"``, ``"s32le"``."""

    def hearing(path: Path, form: str = "f32le") -> array.array:
        command = [ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-map", "0:a:0", "-f", form, "pipe:1"]
        samples = array.array({"f32le": "f", "s16le": "h", "s32le": "i"}[form])
        samples.frombytes(subprocess.run(command, check=True, capture_output=True).stdout)
        return samples

    return hearing
