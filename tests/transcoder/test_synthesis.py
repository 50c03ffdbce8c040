import dataclasses
import io

import pytest
from PIL import Image

from transcoder import covers
from transcoder import synthesis
from transcoder.ladder import rungs_for
from transcoder.source import probe


@pytest.mark.parametrize("song", synthesis.SONGS, ids=lambda song: song.title)
def test_a_song_is_delivered_as_its_format_says(song, ffmpeg, tmp_path):
    beginning = dataclasses.replace(song, duration_s=6, fade_out_s=1)
    target = tmp_path / song.file_name
    synthesis.synthesise(beginning, target, ffmpeg=ffmpeg)
    facts = probe(target, ffmpeg=ffmpeg)
    assert facts.duration_s == pytest.approx(6, abs=0.1)
    assert (facts.sample_rate_hz, facts.channels) == (song.sample_rate_hz, song.channels)
    assert rungs_for(facts)


def test_the_demo_shows_what_the_transcoder_takes():
    formats = {song.format for song in synthesis.SONGS}
    assert {form.extension for form in formats} == {"wav", "flac", "aiff", "m4a", "mp3", "ogg", "opus"}
    assert {song.channels for song in synthesis.SONGS} == {1, 2}
    assert {song.sample_rate_hz for song in synthesis.SONGS} == {44_100, 48_000, 96_000}
    assert len({song.artist for song in synthesis.SONGS}) == 3
    assert len({song.title for song in synthesis.SONGS}) == len(synthesis.SONGS)
    assert any(song.silences for song in synthesis.SONGS)


def test_notes_have_their_frequencies():
    assert synthesis.frequency_hz("A4") == 440
    assert synthesis.frequency_hz("C4") == pytest.approx(261.63, abs=0.01)
    assert synthesis.frequency_hz("Eb3") == pytest.approx(155.56, abs=0.01)


def test_a_cover_is_a_picture_and_the_same_every_time():
    one = covers.cover("Lumen Vale", "Harbour Bells")
    assert one == covers.cover("Lumen Vale", "Harbour Bells")
    with Image.open(io.BytesIO(one)) as picture:
        assert picture.size == (covers.SIDE, covers.SIDE)
        assert len(picture.getcolors(maxcolors=1 << 24) or []) > 1000
