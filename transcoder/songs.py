"""The demo's catalogue: three artists, their releases, and a score for every track."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Effect = tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One voice of a score: its instrument and its loop of steps.

    A step is a note (``A3``), a chord (``A3+C4+E4``), a rest (``-``) or, for drums, the letters of what is hit.
    """

    voice: str
    steps: str
    step_s: float = 0.25
    level: float = 0.3
    pan: float = 0.0
    width_ms: int = 0
    starts_s: float = 0.0
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Format:
    """How a track is delivered: the ending of its file name and ffmpeg's encoder."""

    extension: str
    sample_format: str
    encoder: tuple[tuple[str, Any], ...]


WAV_16 = Format("wav", "s16", (("acodec", "pcm_s16le"),))
WAV_24 = Format("wav", "s32", (("acodec", "pcm_s24le"),))
FLAC_16 = Format("flac", "s16", (("acodec", "flac"),))
FLAC_24 = Format("flac", "s32", (("acodec", "flac"),))
AIFF_16 = Format("aiff", "s16", (("acodec", "pcm_s16be"), ("write_id3v2", 1)))
ALAC_16 = Format("m4a", "s16p", (("acodec", "alac"), ("format", "ipod")))
MP3_320 = Format("mp3", "fltp", (("acodec", "libmp3lame"), ("audio_bitrate", "320k")))
VORBIS = Format("ogg", "fltp", (("acodec", "libvorbis"), ("audio_bitrate", "256k")))
OPUS = Format("opus", "flt", (("acodec", "libopus"), ("audio_bitrate", "160k")))
AAC = Format(
    "m4a", "fltp", (("acodec", "aac"), ("aac_coder", "fast"), ("audio_bitrate", "256k"), ("format", "ipod"))
)


@dataclass(frozen=True)
class Song:
    """One track of the demo: where it belongs, how it is delivered, and its score."""

    artist: str
    artist_slug: str
    release: str
    kind: str
    genre: str
    tags: tuple[str, ...]
    year: int
    number: int
    title: str
    format: Format
    duration_s: int
    gain_db: float
    parts: tuple[Part, ...]
    sample_rate_hz: int = 44_100
    channels: int = 2
    effects: tuple[Effect, ...] = ()
    silences: tuple[tuple[float, float], ...] = ()
    fade_in_s: float = 0.05
    fade_out_s: float = 4.0

    @property
    def sample_format(self) -> str:
        """ffmpeg's name for the samples the file holds."""
        return self.format.sample_format

    @property
    def encoder(self) -> dict[str, Any]:
        """The output options that make the file what it is."""
        return dict(self.format.encoder)

    @property
    def mix_rate_hz(self) -> int:
        """The rate the instruments are played at: the file's own, so that a 96 kHz file holds 96 kHz."""
        return self.sample_rate_hz

    @property
    def file_name(self) -> str:
        """What an artist would call the file: ``01 Paper Lanterns.wav``."""
        return f"{self.number:02} {re.sub(r'[^A-Za-z0-9 ]', '', self.title)}.{self.format.extension}"


VALE: dict[str, Any] = {"artist": "Lumen Vale", "artist_slug": "lumen-vale"}
TIDEWATER: dict[str, Any] = {
    **VALE,
    "release": "Tidewater Letters",
    "kind": "ep",
    "genre": "Ambient",
    "year": 2025,
}
HARBOUR: dict[str, Any] = {
    **VALE,
    "release": "Harbour Bells",
    "kind": "single",
    "genre": "Ambient",
    "year": 2026,
}
FERRY: dict[str, Any] = {"artist": "The Night Ferry", "artist_slug": "the-night-ferry"}
TRAIN: dict[str, Any] = {
    **FERRY,
    "release": "Last Train, First Light",
    "kind": "ep",
    "genre": "Electronic",
    "year": 2026,
}
QUILL: dict[str, Any] = {"artist": "Ada Quill", "artist_slug": "ada-quill"}
KITCHEN: dict[str, Any] = {
    **QUILL,
    "release": "Kitchen Songs",
    "kind": "album",
    "genre": "Folk",
    "year": 2024,
}

ECHO: Effect = ("aecho", "0.8", "0.6", "375|560", "0.35|0.22")
ROOM: Effect = ("aecho", "0.9", "0.7", "31|47|73", "0.25|0.2|0.15")

SONGS: tuple[Song, ...] = (
    Song(
        **TIDEWATER,
        tags=("ocean", "drone", "calm"),
        number=1,
        title="Low Tide, Early",
        format=FLAC_24,
        sample_rate_hz=96_000,
        duration_s=30,
        gain_db=1.5,
        fade_in_s=3,
        fade_out_s=6,
        parts=(
            Part(
                "noise", "pink", level=0.5, pan=-0.3, effects=(("lowpass", "900"), ("tremolo", "0.12", "0.8"))
            ),
            Part(
                "noise", "brown", level=0.6, pan=0.4, effects=(("lowpass", "600"), ("tremolo", "0.17", "0.7"))
            ),
            Part("pad", "D3+A3+F4 Bb2+F3+D4 F3+C4+A4 C3+G3+E4", step_s=5, level=0.12, width_ms=17),
        ),
    ),
    Song(
        **TIDEWATER,
        tags=("arpeggio", "echo", "warm"),
        number=2,
        title="Paper Lanterns",
        format=WAV_24,
        sample_rate_hz=48_000,
        duration_s=64,
        gain_db=1.3,
        parts=(
            Part(
                "pluck",
                "A3 E4 A4 C5 B4 A4 E4 C4 F3 C4 F4 A4 G4 F4 C4 A3 C4 G4 C5 E5 D5 C5 G4 E4 G3 D4 G4 B4 A4 G4 D4 B3",
                step_s=0.25,
                level=0.4,
                pan=-0.25,
                effects=(ECHO,),
            ),
            Part("pad", "A2+E3+C4 F2+C3+A3 C3+G3+E4 G2+D3+B3", step_s=2, level=0.13, width_ms=13),
            Part("bell", "E5 - C5 - G5 - D5 B4", step_s=2, level=0.16, pan=0.5, starts_s=16, effects=(ECHO,)),
        ),
    ),
    Song(
        **TIDEWATER,
        tags=("piano", "silence", "slow"),
        number=3,
        title="A Room with the Window Open",
        format=ALAC_16,
        duration_s=50,
        gain_db=-0.7,
        silences=((22, 26.5),),
        parts=(
            Part(
                "piano",
                "D3+F#4 A4 D5 C#5 B2+D4 F#4 B4 A4 G2+B3 D4 G4 F#4 A2+C#4 E4 A4 -",
                step_s=0.6,
                level=0.4,
                width_ms=9,
            ),
            Part(
                "piano", "- - F#5 - - - D5 - - - B4 - - - E5 -", step_s=0.6, level=0.22, pan=0.4, starts_s=9.6
            ),
        ),
        effects=(ROOM,),
    ),
    Song(
        **HARBOUR,
        tags=("bells", "fog"),
        number=1,
        title="Harbour Bells",
        format=AIFF_16,
        duration_s=45,
        gain_db=2.9,
        fade_out_s=6,
        parts=(
            Part(
                "bell",
                "C4 G4 - E4 A3 E4 - C5 F3 C4 - A4 G3 D4 B4 -",
                step_s=0.75,
                level=0.34,
                pan=-0.3,
                effects=(ECHO,),
            ),
            Part(
                "bell",
                "- - E5 - - - C5 - - - F5 - - - D5 -",
                step_s=0.75,
                level=0.2,
                pan=0.5,
                starts_s=12,
                effects=(ECHO,),
            ),
            Part("pad", "C3+G3 A2+E3 F2+C3 G2+D3", step_s=3, level=0.14, width_ms=19),
        ),
    ),
    Song(
        **TRAIN,
        tags=("drums", "bass", "night"),
        number=1,
        title="Platform Nine",
        format=FLAC_16,
        duration_s=60,
        gain_db=-2.3,
        parts=(
            Part("drums", "kh h sh h kh kh sh o kh h sh h kh h sh ho", step_s=0.25, level=0.55),
            Part("bass", "A1 A1 - A2 G1 - A1 C2 F1 F1 - F2 G1 - G2 E1", step_s=0.25, level=0.42),
            Part("pad", "A3+C4+E4 G3+B3+E4 F3+A3+C4 G3+B3+D4", step_s=2, level=0.11, width_ms=15, starts_s=8),
            Part(
                "pluck",
                "E5 - C5 A4 - E5 D5 - C5 - A4 - B4 C5 - B4",
                step_s=0.25,
                level=0.2,
                pan=0.4,
                starts_s=16,
                effects=(ECHO,),
            ),
        ),
    ),
    Song(
        **TRAIN,
        tags=("synth", "drive"),
        number=2,
        title="Sodium Lamps",
        format=WAV_24,
        duration_s=56,
        gain_db=-3.2,
        parts=(
            Part("drums", "kh h ko h ksh h ko h kh h ko h ksh h kso s", step_s=0.24, level=0.5),
            Part("bass", "D2 D2 D3 D2 D2 D3 D2 D2 Bb1 Bb1 Bb2 Bb1 C2 C2 C3 C2", step_s=0.24, level=0.38),
            Part(
                "lead",
                "D4 F4 A4 - G4 F4 E4 F4 D4 - Bb3 D4 C4 E4 G4 -",
                step_s=0.48,
                level=0.2,
                pan=-0.35,
                starts_s=7.68,
                effects=(ECHO,),
            ),
            Part("pad", "D3+F3+A3 D3+F3+A3 Bb2+D3+F3 C3+E3+G3", step_s=1.92, level=0.13, width_ms=11),
        ),
    ),
    Song(
        **TRAIN,
        tags=("chip", "bright"),
        number=3,
        title="Neon Allotment",
        format=MP3_320,
        duration_s=48,
        gain_db=-3.3,
        parts=(
            Part("drums", "kh - h - s h h - kh kh h - s h o -", step_s=0.15, level=0.5),
            Part(
                "lead",
                "E5 B4 G4 E4 G4 B4 C5 E5 D5 A4 F#4 D4 F#4 A4 B4 D5",
                step_s=0.15,
                level=0.2,
                pan=0.35,
                effects=(("lowpass", "4500"),),
            ),
            Part(
                "bass",
                "E2 - E2 E3 - E2 G2 B2 D2 - D2 D3 - D2 F#2 A2 C2 - C2 C3 - C2 E2 G2 B1 - B1 B2 - D2 D#2 F#2",
                step_s=0.15,
                level=0.4,
            ),
            Part(
                "pad",
                "E3+G3+B3 D3+F#3+A3 C3+E3+G3 B2+D#3+F#3",
                step_s=1.2,
                level=0.12,
                width_ms=14,
                starts_s=4.8,
            ),
        ),
    ),
    Song(
        **KITCHEN,
        tags=("waltz", "mono", "home"),
        number=1,
        title="Kettle Waltz",
        format=WAV_16,
        sample_rate_hz=48_000,
        channels=1,
        duration_s=42,
        gain_db=-3.4,
        parts=(
            Part(
                "piano",
                "G2 B3+D4 B3+D4 C3 C4+E4 C4+E4 D3 A3+F#4 A3+F#4 G2 B3+D4 B3+D4",
                step_s=0.4,
                level=0.28,
            ),
            Part(
                "reed",
                "D5 - B4 E5 D5 C5 A4 - D5 B4 - - D5 E5 F#5 G5 - E5 F#5 D5 A4 G4 - -",
                step_s=0.4,
                level=0.2,
                starts_s=4.8,
            ),
        ),
        effects=(ROOM,),
    ),
    Song(
        **KITCHEN,
        tags=("guitar", "spring"),
        number=2,
        title="Sunday Bicycle",
        format=VORBIS,
        duration_s=44,
        gain_db=-0.7,
        parts=(
            Part(
                "pluck",
                "C3 G3 E4 G3 C5 G3 E4 G3 A2 E3 C4 E3 A4 E3 C4 E3 F2 C3 A3 C3 F4 C3 A3 C3 G2 D3 B3 D3 G4 D3 B3 F4",
                step_s=0.2,
                level=0.42,
                pan=-0.2,
            ),
            Part(
                "reed",
                "E5 G5 - E5 C5 - A4 C5 F5 E5 D5 C5 D5 - G4 -",
                step_s=0.4,
                level=0.16,
                pan=0.3,
                starts_s=12.8,
            ),
            Part("drums", "k - c h s - c h", step_s=0.2, level=0.3, starts_s=6.4),
        ),
        effects=(ROOM,),
    ),
    Song(
        **KITCHEN,
        tags=("lo-fi", "rain"),
        number=3,
        title="Rain on the Skylight",
        format=OPUS,
        sample_rate_hz=48_000,
        duration_s=46,
        gain_db=-1.6,
        fade_in_s=2,
        parts=(
            Part(
                "noise", "white", level=0.05, width_ms=23, effects=(("highpass", "1800"), ("lowpass", "7000"))
            ),
            Part(
                "piano",
                "F3+A3+C4+E4 - C5 A4 E3+G3+B3+D4 - B4 G4 D3+F3+A3+C4 - A4 F4 G2+F3+B3+D4 - D5 -",
                step_s=0.7,
                level=0.3,
                width_ms=8,
            ),
            Part(
                "drums",
                "k - c - ks - c h",
                step_s=0.35,
                level=0.32,
                starts_s=11.2,
                effects=(("lowpass", "3500"),),
            ),
        ),
    ),
    Song(
        **KITCHEN,
        tags=("hum", "evening"),
        number=4,
        title="Last Light, Left On",
        format=AAC,
        duration_s=38,
        gain_db=-1.2,
        fade_out_s=6,
        parts=(
            Part("pad", "Eb3+G3+Bb3 C3+Eb3+G3 Ab2+C3+Eb3 Bb2+D3+F3", step_s=3, level=0.2, width_ms=12),
            Part(
                "reed",
                "G4 - Bb4 C5 Eb5 - D5 C5 Bb4 - Ab4 G4 F4 - - -",
                step_s=0.75,
                level=0.18,
                pan=0.2,
                starts_s=6,
                effects=(ECHO,),
            ),
        ),
    ),
)
