"""Every format that music is handed out in: the same samples where it can be, all its tags and the cover, read by three readers."""

from __future__ import annotations

import dataclasses
import io
import re
import subprocess
from pathlib import Path

import mediafile
import mutagen
import pytest
from mutagen.mp3 import BitrateMode
from PIL import Image

from appliance.downloads import formats
from appliance.downloads.formats import Format
from appliance.downloads.sleeves import Sleeve
from transcoder import ffmpeg as program
from transcoder import formats as encoders
from transcoder import sleeves
from transcoder import source as sources
from transcoder.source import probe

LOSSLESS = [format for format, row in formats.ROWS.items() if row.lossless]
LOSSY = [format for format, row in formats.ROWS.items() if not row.lossless]
MASTERS = {
    "16 bits": (["-c:a", "pcm_s16le"], 44_100, 16, "s16le"),
    "24 bits at 96 kHz": (["-c:a", "pcm_s24le"], 96_000, 24, "s32le"),
    "20 bits' worth in 24 at 88.2 kHz": (["-c:a", "pcm_s24le"], 88_200, 24, "s32le"),
}
SLEEVE = Sleeve(
    title="Ebbe & Flut – 潮",
    artist="Night Ferry",
    album="Harbour Lights",
    number=3,
    total=11,
    date="2026-05-01",
    genre="Dream pop",
    isrc="DEA122600001",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    copyright="© 2026 Night Ferry. CC BY 4.0",
    url="https://music.example/@night-ferry/harbour-lights/ebbe",
    lyrics="Low tide\nHigh tide",
    synced=((1000, "Low tide"), (1500, "High tide")),
    synced_text="[00:01.00]Low tide\n[00:01.50]High tide",
    credits=(("Composer", "Ada Byron"), ("Lyricist", "Jo Doe"), ("Guitar", "Mia Wong"), ("Mixing", "Ed")),
    catalogue_number="NF 007",
    label="The Collective",
    loudness_lufs=-14.0,
    true_peak_dbtp=-1.0,
    album_loudness_lufs=-15.5,
    album_true_peak_dbtp=-0.5,
    cover_key="",
)


@pytest.fixture(scope="session")
def cover() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def convert(ffmpeg, tmp_path):
    """Make a file in a format: ``convert(source, Format.FLAC)``."""

    def converting(source: Path, format: Format) -> Path:
        facts = probe(source, ffmpeg=ffmpeg)
        ending = formats.row(format, facts.codec).ending
        target = tmp_path / f"{source.stem} as {format}.{ending}"
        arguments = encoders.arguments(source, facts, format, ending, target)
        program.run(ffmpeg, arguments, reads=[source], folder=tmp_path)
        return target

    return converting


@pytest.mark.parametrize("master", MASTERS)
@pytest.mark.parametrize("format", LOSSLESS)
def test_a_lossless_file_holds_the_samples_of_the_master(format, master, make, convert, hear, ffmpeg):
    encoder, rate_hz, bits, form = MASTERS[master]
    source = make("master.wav", *encoder, rate=rate_hz, seconds=0.5)
    made = convert(source, format)
    facts = probe(made, ffmpeg=ffmpeg)
    assert (facts.sample_rate_hz, facts.bits_per_sample, facts.channels) == (rate_hz, bits, 2)
    assert hear(made, form) == hear(source, form)


@pytest.mark.parametrize("format", LOSSLESS)
def test_mono_stays_mono_and_five_channels_stay_five(format, make, convert, hear, ffmpeg):
    for channels in (1, 6):
        source = make(f"{channels}.wav", "-ac", str(channels), seconds=0.3)
        made = convert(source, format)
        assert probe(made, ffmpeg=ffmpeg).channels == channels
        assert hear(made, "s16le") == hear(source, "s16le")


@pytest.mark.parametrize("format", [Format.FLAC, Format.ALAC, Format.AIFF])
def test_fractions_are_dithered_to_24_bits(format, make, convert, hear, ffmpeg):
    source = make("floating.wav", "-c:a", "pcm_f32le", seconds=0.5)
    made = convert(source, format)
    assert probe(made, ffmpeg=ffmpeg).bits_per_sample == 24
    off = max(abs(a - b) for a, b in zip(hear(made), hear(source), strict=True))
    assert 0 < off < 4 / 2**23


@pytest.mark.parametrize("encoder", ["pcm_f32le", "pcm_s32le", "pcm_u8"])
def test_wav_holds_every_master_as_it_is(encoder, make, convert, hear):
    source = make("any.wav", "-c:a", encoder, seconds=0.3)
    assert hear(convert(source, Format.WAV)) == hear(source)


@pytest.mark.parametrize("format", LOSSY)
def test_a_lossy_file_is_as_long_as_the_master_and_begins_with_it(format, make, convert, hear, ffmpeg):
    clicks = "aevalsrc='if(eq(mod(n\\,20000)\\,10000)\\,0.9\\,0)|0':s={rate}:d={seconds}"
    source = make("clicks.wav", sound=clicks, rate=48_000)
    heard = hear(convert(source, format))[::2]
    place = max(range(9_000, 11_000), key=lambda n: abs(heard[n]))
    assert abs(place - 10_000) <= 1
    assert len(heard) == pytest.approx(96_000, abs=1100 if format is Format.AAC else 2)


def test_mp3_320_is_320_and_v0_varies(make, convert):
    source = make("song.flac")
    assert mutagen.File(convert(source, Format.MP3_320)).info.bitrate == 320_000
    assert mutagen.File(convert(source, Format.MP3_V0)).info.bitrate_mode == BitrateMode.VBR


@pytest.mark.parametrize("name", ["song.mp3", "song.ogg", "song.opus", "song.m4a", "song.aac"])
def test_a_lossy_original_is_handed_out_with_the_very_sound_it_came_with(name, make, convert, hear):
    source = make(name)
    made = convert(source, Format.ORIGINAL)
    # Decoded samples are the same only where the very frames are; how much silence a decoder skips before them may differ.
    assert hear(made)[40_000:80_000].tobytes() in hear(source).tobytes()


def test_the_same_master_makes_the_same_bytes(make, convert, cover):
    source = make("song.flac", seconds=0.5)
    for format in formats.ROWS:
        once = convert(source, format)
        sleeves.write(once, SLEEVE, cover)
        first = once.read_bytes()
        again = convert(source, format)
        sleeves.write(again, SLEEVE, cover)
        assert again.read_bytes() == first, format


@pytest.fixture(params=list(formats.ROWS))
def tagged(request, make, convert, cover) -> Path:
    made = convert(make("song.flac"), request.param)
    assert sleeves.write(made, SLEEVE, cover) == pytest.approx(2, abs=0.1)
    return made


def test_beets_reads_every_field(tagged, cover):
    found = mediafile.MediaFile(tagged)
    expected = {
        "title": SLEEVE.title,
        "artist": SLEEVE.artist,
        "album": SLEEVE.album,
        "albumartist": SLEEVE.artist,
        "track": 3,
        "tracktotal": 11,
        "disc": 1,
        "disctotal": 1,
        "genre": SLEEVE.genre,
        "isrc": SLEEVE.isrc,
        "copyright": SLEEVE.copyright,
        "comments": SLEEVE.url,
        "lyrics": SLEEVE.lyrics,
        "composer": "Ada Byron",
        "lyricist": "Jo Doe",
        "catalognum": SLEEVE.catalogue_number,
        "label": SLEEVE.label,
    }
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.date.isoformat() == SLEEVE.date
    if tagged.suffix == ".opus":
        assert (found.r128_track_gain, found.r128_album_gain) == (-9.0, -7.5)
    else:
        assert (found.rg_track_gain, found.rg_album_gain) == (-4.0, -2.5)
        assert found.rg_track_peak == pytest.approx(10 ** (-1 / 20), abs=1e-4)
    assert [(image.data, image.mime_type) for image in found.images] == [(cover, "image/jpeg")]
    if tagged.suffix != ".m4a":
        assert found.images[0].type == mediafile.ImageType.front


def test_mutagen_finds_licence_synchronised_lyrics_and_credits(tagged):
    file = mutagen.File(tagged)
    text = str(dict(file.tags) if not hasattr(file.tags, "pprint") else file.tags.pprint())
    assert "creativecommons.org/licenses/by/4.0" in text or "CC BY 4.0" in text
    if tagged.suffix in {".mp3", ".wav", ".aiff"}:
        [words] = file.tags.getall("SYLT")
        assert words.text == [("Low tide", 1000), ("High tide", 1500)]
        assert file.tags["TMCL"].people == [["Guitar", "Mia Wong"]]
    else:
        assert "Mia Wong" in text
        name = "----:com.apple.iTunes:SYNCEDLYRICS" if tagged.suffix == ".m4a" else "syncedlyrics"
        value = file.tags[name][0]
        assert (value.decode() if isinstance(value, bytes) else value) == SLEEVE.synced_text


def test_the_libraries_of_ffprobe_read_title_album_track_and_cover(tagged, ffmpeg):
    shown = subprocess.run([ffmpeg, "-hide_banner", "-i", tagged], capture_output=True, text=True).stderr
    told = {key.lower(): value for key, value in re.findall(r"^ +([\w\- ]+?) *: (.*)$", shown, re.MULTILINE)}
    assert told["title"] == SLEEVE.title
    assert told["artist"] == SLEEVE.artist
    assert told["album"] == SLEEVE.album
    assert told["track"] in {"3", "3/11"}
    assert "Video: mjpeg" in shown
    assert "attached pic" in shown


def test_silence_without_cover_words_or_date_has_only_what_is_known(make, convert):
    bare = dataclasses.replace(
        SLEEVE,
        **dict.fromkeys(
            (
                "date",
                "genre",
                "isrc",
                "licence",
                "licence_url",
                "url",
                "lyrics",
                "synced_text",
                "label",
                "catalogue_number",
            ),
            "",
        ),
        **dict.fromkeys(
            ("loudness_lufs", "true_peak_dbtp", "album_loudness_lufs", "album_true_peak_dbtp"), None
        ),
        synced=(),
        credits=(),
    )
    source = make("song.flac", seconds=0.3)
    for format in formats.ROWS:
        made = convert(source, format)
        sleeves.write(made, bare, b"")
        found = mediafile.MediaFile(made)
        assert (found.title, found.track, found.lyrics, found.images or []) == (SLEEVE.title, 3, None, [])
        assert (found.rg_track_gain, found.date, found.comments) == (None, None, None)


def test_the_formats_that_are_called_lossy_are_those_of_the_transcoder():
    assert formats.OWN.keys() == sources.LOSSY
