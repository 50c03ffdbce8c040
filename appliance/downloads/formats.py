"""The formats music is handed out in, and which of them make sense for a recording."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from appliance.catalog.models import Track
from appliance.errors import N_
from appliance.errors import Invalid


class Format(StrEnum):
    """What somebody may choose, the best first; ``original`` is for recordings that came in a lossy format."""

    FLAC = "flac"
    ALAC = "alac"
    WAV = "wav"
    AIFF = "aiff"
    MP3_320 = "mp3-320"
    MP3_V0 = "mp3-v0"
    AAC = "aac"
    VORBIS = "vorbis"
    OPUS = "opus"
    ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Row:
    """One format: its name for people, what it is good for, and how its files are called and sent."""

    name: str
    note: str
    ending: str
    content_type: str
    lossless: bool = False


ROWS = {
    Format.FLAC: Row("FLAC", N_("lossless, for nearly every player"), "flac", "audio/flac", True),
    Format.ALAC: Row("ALAC", N_("lossless, for Apple Music and iTunes"), "m4a", "audio/mp4", True),
    Format.WAV: Row("WAV", N_("lossless and large, for music software"), "wav", "audio/wav", True),
    Format.AIFF: Row("AIFF", N_("lossless and large, for music software"), "aiff", "audio/aiff", True),
    Format.MP3_320: Row("MP3 320", N_("plays everywhere"), "mp3", "audio/mpeg"),
    Format.MP3_V0: Row("MP3 V0", N_("plays everywhere, smaller"), "mp3", "audio/mpeg"),
    Format.AAC: Row("AAC", N_("small and good, for Apple devices"), "m4a", "audio/mp4"),
    Format.VORBIS: Row("Ogg Vorbis", N_("small and good, open"), "ogg", "audio/ogg"),
    Format.OPUS: Row("Opus", N_("the smallest, open"), "opus", "audio/ogg"),
}
OWN = {
    "mp3": Row("MP3", N_("as the artist sent it"), "mp3", "audio/mpeg"),
    "aac": Row("AAC", N_("as the artist sent it"), "m4a", "audio/mp4"),
    "vorbis": Row("Ogg Vorbis", N_("as the artist sent it"), "ogg", "audio/ogg"),
    "opus": Row("Opus", N_("as the artist sent it"), "opus", "audio/ogg"),
}
"""The lossy formats of originals: handed out untouched, since every other would only lose more or be larger for nothing."""
_ANY = Row("MP3, AAC, Ogg or Opus", N_("as the artist sent it"), "bin", "application/octet-stream")
"""Of several recordings, or of one whose lossless master came later."""
_MP3 = frozenset({Format.MP3_320, Format.MP3_V0})


def codec_of(track: Track) -> str:
    """The codec of the original, as the transcoder wrote it down."""
    return track.original_format.partition(" ")[0]


def row(format: Format, codec: str) -> Row:
    """What is to be said of *format* for a recording in this *codec*."""
    return ROWS[format] if format is not Format.ORIGINAL else OWN.get(codec, _ANY)


def read(value: object) -> Format:
    """The format that *value* names; ``Invalid`` tells those there are."""
    if not isinstance(value, str) or value not in set(Format):
        raise Invalid("The format is one of {formats}.", formats=", ".join(Format), field="format")
    return Format(value)


def offered(codecs: Iterable[str]) -> list[Format]:
    """What makes sense for recordings in these *codecs*, the best first."""
    known = set(codecs)
    if known - OWN.keys():
        return [format for format in Format if format is not Format.ORIGINAL]
    return [Format.ORIGINAL, *([Format.MP3_320] if known - {"mp3"} else [])]


def fitting(wanted: Format, codec: str) -> Format:
    """What a recording in this *codec* is handed out in where *wanted* was chosen for several.

    A lossy one stays as it came: FLAC of it would be larger and no better, another lossy format worse. Only MP3, for players that know
    nothing else, is made of it all the same.
    """
    if codec not in OWN:
        return Format.FLAC if wanted is Format.ORIGINAL else wanted
    return Format.MP3_320 if wanted in _MP3 and codec != "mp3" else Format.ORIGINAL
