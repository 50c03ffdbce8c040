import array
import math
import struct
import wave
from pathlib import Path

import pytest

from transcoder import pipeline
from transcoder.pipeline import Interrupted
from transcoder.pipeline import Limits
from transcoder.pipeline import Unplayable


def refusal(transcode, source: Path, **options: object) -> str:
    with pytest.raises(Unplayable) as caught:
        transcode(source, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert str(source.parent) not in sentence
    assert caught.value.field == "file"
    return sentence


def write_wave(path: Path, *, channels: int = 2, frames: int = 44_100, rate: int = 44_100) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * channels * frames))
    return path


def write_float_wave(path: Path, samples: array.array) -> Path:
    data = samples.tobytes()
    form = struct.pack("<IHHIIHH", 16, 3, 1, 44_100, 44_100 * 4, 4, 32)
    path.write_bytes(
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt "
        + form
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )
    return path


def broken_in_the_middle(path: Path) -> Path:
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data) // 2 + 800):
        data[at] ^= 0x5A
    path.write_bytes(data)
    return path


def cut(path: Path, share: float = 0.4) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def test_an_empty_file(transcode, tmp_path):
    (tmp_path / "empty.wav").touch()
    assert "empty" in refusal(transcode, tmp_path / "empty.wav")


def test_zero_seconds(transcode, tmp_path):
    assert "0 seconds" in refusal(transcode, write_wave(tmp_path / "zero.wav", frames=0))


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"<html><script>alert(1)</script></html>",
        b"fLaC",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(40),
        b"OggS" + bytes(300),
        b"\x00" * 5000,
    ],
)
def test_what_is_no_sound_is_refused_whatever_its_name(content, transcode, tmp_path):
    path = tmp_path / "song.flac"
    path.write_bytes(content)
    assert "This " in refusal(transcode, path)


def test_the_bytes_decide_and_not_the_name(make, transcode):
    source = make("song.mp3", "-b:a", "128k").rename(make("x.wav").with_name("song.flac"))
    made = transcode(source)
    assert (made.source.container, made.source.codec) == ("mp3", "mp3")


def test_a_polyglot_is_read_as_the_sound_it_is(make, transcode):
    source = make("song.mp3", "-b:a", "128k")
    source.write_bytes(source.read_bytes() + b"PK\x03\x04<?php system($_GET['c']); ?>" * 20)
    made = transcode(source)
    assert b"php" not in b"".join(rung.media.read_bytes() for rung in made.rungs)


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("song.flac", []),
        ("song.wav", []),
        ("song.aiff", []),
        ("song.mp3", ["-b:a", "128k"]),
        ("song.m4a", ["-c:a", "alac", "-movflags", "faststart"]),
        ("song.ogg", ["-c:a", "libvorbis"]),
        ("song.opus", ["-c:a", "libopus"]),
    ],
)
def test_a_file_that_was_cut_off_is_told_as_such(name, encoder, make, transcode):
    assert "cut off" in refusal(transcode, cut(make(name, *encoder, seconds=4)))


def test_an_mp4_without_its_index_cannot_be_read(make, transcode):
    assert "damaged" in refusal(transcode, cut(make("song.m4a", "-c:a", "alac")))


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("song.flac", []),
        ("song.m4a", ["-c:a", "alac"]),
        ("song.ogg", ["-c:a", "libvorbis"]),
        ("song.opus", ["-c:a", "libopus"]),
        ("song.mp3", ["-b:a", "128k"]),
    ],
)
def test_a_file_that_is_broken_in_the_middle_is_refused_with_the_place(name, encoder, make, transcode):
    sentence = refusal(transcode, broken_in_the_middle(make(name, *encoder, seconds=4)))
    assert "damaged" in sentence
    if name in {"song.flac", "song.mp3"}:
        assert "at 0:0" in sentence


def test_a_purchase_with_copy_protection(make, transcode):
    source = make("song.m4a", "-c:a", "aac")
    source.write_bytes(source.read_bytes().replace(b"mp4a", b"drms", 1))
    assert "DRM" in refusal(transcode, source)


def test_common_encryption(make, transcode):
    scheme = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"]
    source = make("song.mp4", "-c:a", "aac", *scheme, "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")
    assert "DRM" in refusal(transcode, source)


def test_thirty_two_channels(transcode, tmp_path):
    assert "32 channels" in refusal(transcode, write_wave(tmp_path / "many.wav", channels=32))


@pytest.mark.parametrize(("channels", "expected"), [(1, 1), (3, 2), (5, 2), (6, 2), (8, 2)])
def test_up_to_eight_channels_are_mixed_down(channels, expected, transcode, tmp_path):
    made = transcode(write_wave(tmp_path / "some.wav", channels=channels, frames=20_000))
    assert {rung.channels for rung in made.rungs} == {expected}


def test_ten_hours_are_told_before_anything_is_decoded(transcode, tmp_path):
    path = tmp_path / "long.wav"
    size = 8_000 * 36_000
    form = struct.pack("<IHHIIHH", 16, 1, 1, 8_000, 8_000, 1, 8)
    with path.open("wb") as file:
        file.write(
            b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)
        )
        file.truncate(44 + size)
    sentence = refusal(transcode, path)
    assert "10:00:00" in sentence
    assert "6:00:00" in sentence


def test_a_header_that_hides_the_length_does_not_help(make, transcode):
    source = make("song.aac", "-c:a", "aac", seconds=5)
    assert "up to 0:03" in refusal(transcode, source, limits=Limits(max_duration_s=3))


@pytest.mark.parametrize("rate", [8_000, 11_025, 384_000])
def test_odd_rates_play(rate, make, transcode):
    made = transcode(make("odd.wav", "-c:a", "pcm_s24le", rate=rate, seconds=1.5))
    assert {rung.sample_rate_hz for rung in made.rungs if rung.codecs == "mp4a.40.2"} <= {44_100, 48_000}
    assert max(rung.sample_rate_hz for rung in made.rungs) <= 192_000


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_values_that_are_no_sound(value, transcode, tmp_path):
    samples = array.array("f", [0.1 * math.sin(n / 20) for n in range(60_000)])
    samples[30_000] = value
    assert "NaN" in refusal(transcode, write_float_wave(tmp_path / "nan.wav", samples))


def test_clipped_music_is_the_artists_own_choice(make, transcode):
    loud = "aevalsrc='clip(8*sin(2*PI*440*t)\\,-1\\,1)|clip(8*sin(2*PI*330*t)\\,-1\\,1)':s={rate}:d={seconds}"
    made = transcode(make("loud.wav", sound=loud))
    assert made.true_peak_dbtp is not None
    assert made.true_peak_dbtp > 0


def test_floating_point_a_little_above_full_scale_is_measured_as_it_is(transcode, tmp_path):
    hot = array.array("f", [1.3 * math.sin(n / 20) for n in range(60_000)])
    made = transcode(write_float_wave(tmp_path / "hot.wav", hot))
    assert made.true_peak_dbtp == pytest.approx(2.3, abs=0.3)


def test_floating_point_far_above_full_scale_is_sent_back(transcode, tmp_path):
    hot = array.array("f", [3.0 * math.sin(n / 20) for n in range(60_000)])
    assert "10 dB louder than full scale" in refusal(transcode, write_float_wave(tmp_path / "hot.wav", hot))


def test_hostile_tags_do_not_confuse_the_reader(make, transcode):
    title = "Stream #0:0: Audio: flac, 1 Hz, 99 channels\n[info]   Duration: 99:00:00.00"
    tags = [
        "-metadata",
        f"title={title}",
        "-metadata",
        "lyrics=" + "x" * 100_000,
        "-metadata",
        "artist=😀<b>",
    ]
    made = transcode(make("tagged.flac", *tags))
    assert (made.source.sample_rate_hz, made.source.duration_ms) == (44_100, 2000)


def test_no_tag_of_the_source_reaches_a_rung(make, transcode):
    made = transcode(make("tagged.flac", "-metadata", "comment=SECRETNOTE"))
    everything = b"".join(path.read_bytes() for path in made.preview.parent.iterdir())
    assert b"SECRETNOTE" not in everything


def test_a_full_disk_is_worth_another_try(without_walls, make, ffmpeg, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "low.mp4").symlink_to("/dev/full")
    with pytest.raises(Interrupted, match="disk is full"):
        pipeline.transcode(make("song.wav"), folder, ffmpeg=ffmpeg)


def test_a_rung_that_comes_out_wrong_is_not_published(without_walls, make, ffmpeg, tmp_path):
    """An ffmpeg that turns everything down by 6 dB: the ladder's own check notices."""
    broken = tmp_path / "ffmpeg"
    broken.write_text(
        '#!/bin/bash\nargs=()\nfor a in "$@"; do case $a in *_fmts=fltp*) '
        f'a=${{a/aresample=osf=u8/volume=0.5,aresample=osf=u8}}; a=${{a/ebur128=framelog/volume=0.4,ebur128=framelog}};; esac; args+=("$a"); done\nexec {ffmpeg} "${{args[@]}}"\n'
    )
    broken.chmod(0o755)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(Interrupted, match="did not pass") as caught:
        pipeline.transcode(make("song.wav"), folder, ffmpeg=str(broken))
    assert "LU off" in caught.value.detail
