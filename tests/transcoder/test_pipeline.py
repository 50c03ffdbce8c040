import json
import math
import re
import subprocess
from pathlib import Path

import pytest

from tests.sounds import tone
from transcoder import boxes
from transcoder import pipeline

IMPULSES = "aevalsrc='if(eq(mod(n\\,20000)\\,10000)\\,0.9\\,0)|if(eq(mod(n\\,20000)\\,10000)\\,0.9\\,0)':s={rate}:d={seconds}"

FORMATS = {
    "WAV": ("song.wav", ["-c:a", "pcm_s16le"], True),
    "AIFF": ("song.aiff", ["-c:a", "pcm_s16be"], True),
    "FLAC": ("song.flac", ["-sample_fmt", "s16"], True),
    "ALAC": ("song.m4a", ["-c:a", "alac", "-sample_fmt", "s16p"], True),
    "MP3": ("song.mp3", ["-b:a", "320k"], False),
    "AAC": ("song.m4a", ["-c:a", "aac", "-b:a", "192k"], False),
    "AAC without a container": ("song.aac", ["-c:a", "aac", "-b:a", "192k"], False),
    "Ogg Vorbis": ("song.ogg", ["-c:a", "libvorbis"], False),
    "Opus": ("song.opus", ["-c:a", "libopus", "-b:a", "128k"], False),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_promised_format_becomes_a_ladder(kind, make, transcode, hear):
    name, encoder, lossless = FORMATS[kind]
    made = transcode(make(name, *encoder))
    assert made.source.lossless is lossless
    assert made.rungs[0].quality == "low"
    assert ("lossless" in [rung.quality for rung in made.rungs]) is lossless
    assert made.source.duration_ms == pytest.approx(2000, abs=60)
    for rung in made.rungs:
        heard = hear(rung.playlist)
        assert len(heard) / rung.channels / rung.sample_rate_hz == pytest.approx(
            made.source.duration_s, abs=0.05
        )
        assert rung.size_bytes == rung.media.stat().st_size
    assert len(hear(made.preview)) > 0


@pytest.mark.parametrize(
    ("form", "encoder"), [("s16le", ["-c:a", "pcm_s16le"]), ("s32le", ["-c:a", "pcm_s24le"])]
)
def test_flac_rungs_are_the_source_bit_by_bit(form, encoder, make, transcode, hear):
    source = make("song.wav", *encoder)
    assert hear(transcode(source).rungs[-1].playlist, form) == hear(source, form)


def test_every_rung_begins_with_the_sample_the_source_begins_with(make, transcode, hear):
    source = make("clicks.wav", "-c:a", "pcm_s16le", sound=IMPULSES, seconds=7)
    expected = [n for n, sample in enumerate(hear(source)[::2]) if sample > 0.5]
    for rung in transcode(source).rungs:
        left = hear(rung.playlist)[::2]
        found = [max(range(at - 50, at + 50), key=lambda n: abs(left[n])) for at in expected]
        assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 1, rung.quality


@pytest.mark.parametrize("encoder", [["-c:a", "pcm_s16le"], ["-c:a", "pcm_s24le"], ["-c:a", "pcm_f32le"]])
def test_a_quiet_tone_is_as_clean_in_low_as_in_the_source(encoder, make, transcode, hear):
    quiet = "aevalsrc='0.002*sin(2*PI*500*t)|0.001*sin(2*PI*700*t)':s={rate}:d={seconds}"
    source = make("quiet.wav", *encoder, sound=quiet)
    clean, coded = hear(source), hear(transcode(source).rungs[0].playlist)
    span = range(20_000, 120_000)
    noise = sum((coded[n] - clean[n]) ** 2 for n in span)
    assert 10 * math.log10(sum(clean[n] ** 2 for n in span) / noise) > 25


def test_a_loud_bass_note_is_not_turned_down(make, transcode, hear):
    """ffmpeg's fast AAC coder cuts a pure tone off at half of full scale; such a rung is made by the careful one."""
    bass = "aevalsrc='0.9*sin(2*PI*55*t)|0.9*sin(2*PI*55*t)':s={rate}:d={seconds}"
    for rung in transcode(make("bass.wav", sound=bass)).rungs:
        heard = hear(rung.playlist)[40_000:130_000]
        level_db = 10 * math.log10(sum(sample * sample for sample in heard) / len(heard))
        assert level_db == pytest.approx(-3.9, abs=0.2), rung.quality


def test_left_stays_left(make, transcode, hear):
    source = make("left.wav", sound="aevalsrc='0.5*sin(2*PI*440*t)|0':s={rate}:d={seconds}", rate=96_000)
    for rung in transcode(source).rungs:
        heard = hear(rung.playlist)
        assert max(heard[::2]) > 0.4, rung.quality
        assert max(heard[1::2]) < 0.01, rung.quality


def test_low_is_ready_before_the_rest_exists(make, transcode):
    seen: list[list[str]] = []

    def low_is_ready(low: pipeline.EncodedRung) -> None:
        assert low.playlist.exists()
        seen.append(sorted(path.name for path in low.media.parent.glob("*.mp4")))

    progress: list[float] = []
    transcode(make("song.wav"), on_low_ready=low_is_ready, on_progress=progress.append)
    assert seen == [["low.mp4"]]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert all(0 <= fraction <= 1 for fraction in progress)


def test_what_the_progress_listener_raises_stops_the_work(make, transcode):
    def lost_lease(fraction: float) -> None:
        raise TimeoutError("lease lost")

    with pytest.raises(TimeoutError, match="lease lost"):
        transcode(make("song.wav"), on_progress=lost_lease)


def test_playlists_point_at_whole_fragments(make, transcode):
    made = transcode(make("song.wav", seconds=7))
    for rung in made.rungs:
        text = rung.playlist.read_text()
        data = rung.media.read_bytes()
        header, at = map(int, re.search(r'BYTERANGE="(\d+)@(\d+)"', text).groups())
        assert at == 0
        assert data[4:8] == b"ftyp"
        ranges = [tuple(map(int, found)) for found in re.findall(r"EXT-X-BYTERANGE:(\d+)@(\d+)", text)]
        assert ranges[0][1] == header
        assert sum(size for size, _ in ranges) + header == len(data)
        assert all(data[offset + 4 : offset + 8] == b"moof" for _, offset in ranges)
        assert boxes.read_fragmented(rung.media).delay == (1024 if rung.codecs == "mp4a.40.2" else 0)
    master = made.master_playlist.read_text()
    assert [line for line in master.splitlines() if not line.startswith("#")] == [
        "low.media.m3u8",
        "medium.media.m3u8",
        "high.media.m3u8",
        "lossless.media.m3u8",
    ]
    lossless = made.rungs[-1]
    assert (
        f'BANDWIDTH={lossless.bandwidth},AVERAGE-BANDWIDTH={lossless.average_bandwidth},CODECS="fLaC"'
        in master
    )


def test_loudness_and_true_peak_are_what_the_standard_says(make, transcode):
    tone = "aevalsrc='0.1*sin(2*PI*1000*t)|0.1*sin(2*PI*1000*t)':s={rate}:d={seconds}"
    made = transcode(make("tone.wav", sound=tone, rate=48_000, seconds=4))
    assert made.loudness_lufs == pytest.approx(-20.0, abs=0.2)
    assert made.true_peak_dbtp == pytest.approx(-20.0, abs=0.3)


def test_a_peak_between_two_samples_is_seen(make, transcode):
    between = "aevalsrc='0.5*sin(2*PI*12000*t+PI/4)|0.5*sin(2*PI*12000*t+PI/4)':s={rate}:d={seconds}"
    made = transcode(make("between.wav", sound=between, rate=48_000))
    # Its samples reach -9 dBFS, its curve -6; the sudden beginning rings a little above that.
    assert made.true_peak_dbtp == pytest.approx(-6.0, abs=0.6)


def test_digital_silence_has_no_loudness_and_is_a_track_all_the_same(make, transcode):
    made = transcode(make("silence.wav", sound="anullsrc=r={rate}:d={seconds}"))
    assert (made.loudness_lufs, made.true_peak_dbtp) == (None, None)
    assert set(json.loads(made.waveform.read_text())["peaks"]) == {0}


def test_the_waveform_follows_the_sound(make, transcode):
    halves = "aevalsrc='if(lt(t\\,1)\\,0.25\\,1)*0.99*sin(2*PI*400*t)':s={rate}:d={seconds}"
    waveform = json.loads(transcode(make("halves.wav", sound=halves)).waveform.read_text())
    assert waveform["version"] == 1
    assert waveform["duration_ms"] == 2000
    peaks = waveform["peaks"]
    assert len(peaks) == 20
    assert max(peaks[:9]) == pytest.approx(63, abs=4)
    assert min(peaks[11:]) == pytest.approx(252, abs=5)


def test_the_preview_is_thirty_seconds_of_where_the_music_is(make, transcode, hear):
    late = "aevalsrc='if(gt(t\\,12)\\,0.5\\,0.01)*sin(2*PI*300*t)':s={rate}:d={seconds}"
    heard = hear(transcode(make("late.wav", "-ac", "1", sound=late, rate=8_000, seconds=44)).preview)
    assert len(heard) / 48_000 == pytest.approx(30, abs=0.1)
    assert max(heard[48_000 * 5 : 48_000 * 20]) > 0.4
    assert abs(heard[-1]) < 0.01


def test_zeros_below_16_bits_make_no_master(make, transcode):
    sixteen = make("sixteen.wav", "-c:a", "pcm_s16le")
    padded = make("padded.wav", "-c:a", "pcm_s24le", sound=f"amovie='{sixteen}'")
    made = transcode(padded)
    assert made.source.bits_per_sample == 16
    assert made.rungs[-1].quality == "lossless"


def test_the_same_recording_has_the_same_fingerprint_in_another_format(make, transcode):
    flac = transcode(make("song.flac", seconds=7))
    mp3 = transcode(make("song.mp3", "-b:a", "320k", seconds=7))
    assert flac.fingerprint
    same = sum(a == b for a, b in zip(flac.fingerprint, mp3.fingerprint, strict=False))
    assert same / len(flac.fingerprint) > 0.5


def test_a_cover_inside_the_file_is_no_sound(make, transcode, ffmpeg, tmp_path):
    plain, cover, both = make("plain.mp3", "-b:a", "128k"), tmp_path / "cover.png", tmp_path / "both.mp3"
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=red:s=64x64:d=1", "-frames:v", "1", cover],
        check=True,
    )
    command = [ffmpeg, "-v", "error", "-i", plain, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", both]
    subprocess.run(command, check=True)
    assert transcode(Path(both)).source.codec == "mp3"


def test_a_wave_file_that_was_written_to_a_pipe_is_whole(transcode, tmp_path):
    source = tmp_path / "streamed.wav"
    source.write_bytes(tone(2.0, 250, format="wav"))
    assert source.read_bytes()[4:8] == b"\xff\xff\xff\xff", "a pipe cannot be rewound to write the length"
    assert transcode(source).source.duration_ms == 2000


def test_the_rung_called_master_does_not_overwrite_the_master_playlist(make, transcode):
    made = transcode(make("deep.flac", "-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"))
    assert made.rungs[-1].quality == "master"
    assert made.rungs[-1].playlist != made.master_playlist
    assert made.rungs[-1].playlist.name in made.master_playlist.read_text()
