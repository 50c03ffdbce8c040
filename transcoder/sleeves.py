"""Writing a sleeve on a file: the same texts in the words of Vorbis comments, ID3 and MP4, as Picard and beets spell them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mutagen import id3
from mutagen.aiff import AIFF
from mutagen.flac import FLAC
from mutagen.flac import Picture
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.mp4 import MP4Cover
from mutagen.mp4 import MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE
from PIL import Image

from appliance.downloads.sleeves import Sleeve

REPLAYGAIN_LUFS = -18.0
R128_LUFS = -23.0
JPEG, FRONT = "image/jpeg", 3
UNKNOWN_LANGUAGE = "XXX"
FIELDS = {
    "composer": "COMPOSER",
    "lyricist": "LYRICIST",
    "arranger": "ARRANGER",
    "remixer": "REMIXER",
    "producer": "PRODUCER",
    "recording": "ENGINEER",
    "mixing": "MIXER",
}
"""The roles that have a field of their own in Vorbis comments and MP4; the others performed, or are told as a credit."""
NO_PERFORMERS = frozenset({"mastering", "artwork", "photography"})


def write(path: Path, sleeve: Sleeve, cover: bytes) -> float:
    """Put *sleeve* and the JPEG *cover*, if there is one, onto the file at *path*; returns how many seconds of music it holds."""
    return _WRITERS[path.suffix](path, sleeve, cover)


def _flac(path: Path, sleeve: Sleeve, cover: bytes) -> float:
    file = FLAC(path)
    file.delete()
    file.clear_pictures()
    file.update(_comments(sleeve, _replaygain(sleeve)))
    if cover:
        file.add_picture(_picture(cover))
    file.save()
    return float(file.info.length)


def _vorbis(path: Path, sleeve: Sleeve, cover: bytes) -> float:
    return _ogg(OggVorbis(path), sleeve, cover, _replaygain(sleeve))


def _opus(path: Path, sleeve: Sleeve, cover: bytes) -> float:
    # RFC 7845, section 5.2.1: gains as whole numbers of 1/256 dB, to -23 LUFS, and no others.
    levels = {
        f"R128_{kind}_GAIN": str(round((R128_LUFS - loudness) * 256)) for kind, loudness, _ in _levels(sleeve)
    }
    return _ogg(OggOpus(path), sleeve, cover, levels)


def _ogg(file: Any, sleeve: Sleeve, cover: bytes, levels: Mapping[str, str]) -> float:
    file.delete()
    file.update(_comments(sleeve, levels))
    if cover:
        file["METADATA_BLOCK_PICTURE"] = base64.b64encode(_picture(cover).write()).decode("ascii")
    file.save()
    return float(file.info.length)


def _comments(sleeve: Sleeve, levels: Mapping[str, str]) -> dict[str, list[str]]:
    """Vorbis comments; what is empty is left out."""
    told: dict[str, list[str]] = {
        "TITLE": [sleeve.title],
        "ARTIST": [sleeve.artist],
        "ALBUM": [sleeve.album],
        "ALBUMARTIST": [sleeve.artist],
        "TRACKNUMBER": [str(sleeve.number)],
        "TRACKTOTAL": [str(sleeve.total)],
        "DISCNUMBER": ["1"],
        "DISCTOTAL": ["1"],
        "DATE": [sleeve.date],
        "GENRE": [sleeve.genre],
        "ISRC": [sleeve.isrc],
        "COPYRIGHT": [sleeve.copyright],
        "LICENSE": [sleeve.licence_url or sleeve.licence],
        "COMMENT": [sleeve.url],
        "LYRICS": [sleeve.lyrics],
        "SYNCEDLYRICS": [sleeve.synced_text],
        "CATALOGNUMBER": [sleeve.catalogue_number],
        "LABEL": [sleeve.label],
        **{name: [value] for name, value in levels.items()},
        **_credits(sleeve),
    }
    kept = {name: [value for value in values if value] for name, values in told.items()}
    return {name: values for name, values in kept.items() if values}


def _credits(sleeve: Sleeve) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for role, name in sleeve.credits:
        known = role.casefold()
        if known in FIELDS:
            found.setdefault(FIELDS[known], []).append(name)
        elif known in NO_PERFORMERS:
            found.setdefault("CREDIT", []).append(f"{name} ({role})")
        else:
            found.setdefault("PERFORMER", []).append(f"{name} ({role})" if role else name)
    return found


def _levels(sleeve: Sleeve) -> list[tuple[str, float, float | None]]:
    both = (
        ("TRACK", sleeve.loudness_lufs, sleeve.true_peak_dbtp),
        ("ALBUM", sleeve.album_loudness_lufs, sleeve.album_true_peak_dbtp),
    )
    return [(kind, loudness, peak) for kind, loudness, peak in both if loudness is not None]


def _replaygain(sleeve: Sleeve) -> dict[str, str]:
    """ReplayGain 2.0: gains to -18 LUFS, peaks as a part of full scale."""
    found = {}
    for kind, loudness, peak in _levels(sleeve):
        found[f"REPLAYGAIN_{kind}_GAIN"] = f"{REPLAYGAIN_LUFS - loudness:+.2f} dB"
        if peak is not None:
            found[f"REPLAYGAIN_{kind}_PEAK"] = f"{10 ** (peak / 20):.6f}"
    return found


def _picture(cover: bytes) -> Picture:
    picture = Picture()
    picture.type, picture.mime, picture.data, picture.depth = FRONT, JPEG, cover, 24
    with Image.open(io.BytesIO(cover), formats=("JPEG",)) as image:
        picture.width, picture.height = image.size
    return picture


def _tagged(kind: Callable[[Path], Any]) -> Callable[[Path, Sleeve, bytes], float]:
    """A writer of ID3, for MP3 before the sound, for WAV and AIFF in a chunk of its own."""

    def writing(path: Path, sleeve: Sleeve, cover: bytes) -> float:
        file = kind(path)
        if file.tags is None:
            file.add_tags()
        file.tags.clear()
        for frame in _frames(sleeve, cover):
            file.tags.add(frame)
        file.save()
        return float(file.info.length)

    return writing


def _frames(sleeve: Sleeve, cover: bytes) -> list[Any]:
    """ID3v2.4 frames (id3.org); what is empty is left out."""
    texts = {
        id3.TIT2: sleeve.title,
        id3.TPE1: sleeve.artist,
        id3.TALB: sleeve.album,
        id3.TPE2: sleeve.artist,
        id3.TRCK: f"{sleeve.number}/{sleeve.total}",
        id3.TPOS: "1/1",
        id3.TDRC: sleeve.date,
        id3.TCON: sleeve.genre,
        id3.TSRC: sleeve.isrc,
        id3.TCOP: sleeve.copyright,
        id3.TPUB: sleeve.label,
        id3.TCOM: _named(sleeve, "composer"),
        id3.TEXT: _named(sleeve, "lyricist"),
        id3.TPE4: _named(sleeve, "remixer"),
    }
    frames: list[Any] = [kind(encoding=3, text=text) for kind, text in texts.items() if text]
    own = {"CATALOGNUMBER": sleeve.catalogue_number, "LICENSE": sleeve.licence, **_replaygain(sleeve)}
    frames += [id3.TXXX(encoding=3, desc=name, text=text) for name, text in own.items() if text]
    if sleeve.licence_url:
        frames.append(id3.WCOP(url=sleeve.licence_url))
    if sleeve.url:
        frames += [id3.COMM(encoding=3, lang="eng", desc="", text=sleeve.url), id3.WOAF(url=sleeve.url)]
    if sleeve.lyrics:
        frames.append(id3.USLT(encoding=3, lang=UNKNOWN_LANGUAGE, desc="", text=sleeve.lyrics))
    if sleeve.synced:
        words = [(text, at_ms) for at_ms, text in sleeve.synced]
        frames.append(id3.SYLT(encoding=3, lang=UNKNOWN_LANGUAGE, format=2, type=1, desc="", text=words))
    others = [
        (role, name) for role, name in sleeve.credits if role.casefold() not in {"composer", "lyricist"}
    ]
    made = [[role, name] for role, name in others if role.casefold() in FIELDS.keys() | NO_PERFORMERS]
    played = [[role, name] for role, name in others if [role, name] not in made]
    frames += [kind(encoding=3, people=rows) for kind, rows in ((id3.TIPL, made), (id3.TMCL, played)) if rows]
    if cover:
        frames.append(id3.APIC(encoding=0, mime=JPEG, type=FRONT, desc="", data=cover))
    return frames


def _named(sleeve: Sleeve, role: str) -> list[str]:
    return [name for known, name in sleeve.credits if known.casefold() == role]


def _mp4(path: Path, sleeve: Sleeve, cover: bytes) -> float:
    file = MP4(path)
    file.delete()
    if file.tags is None:
        file.add_tags()
    comments = _comments(sleeve, _replaygain(sleeve))
    for name, atom in _ATOMS.items():
        if name in comments:
            file[atom] = comments.pop(name)
    for name in ("TRACKNUMBER", "TRACKTOTAL", "DISCNUMBER", "DISCTOTAL"):
        del comments[name]
    file["trkn"], file["disk"] = [(sleeve.number, sleeve.total)], [(1, 1)]
    for name, values in comments.items():
        spelt = name.lower() if name.startswith("REPLAYGAIN") else name
        file[f"----:com.apple.iTunes:{spelt}"] = [MP4FreeForm(value.encode()) for value in values]
    if cover:
        file["covr"] = [MP4Cover(cover, imageformat=MP4Cover.FORMAT_JPEG)]
    file.save()
    return float(file.info.length)


_ATOMS = {
    "TITLE": "\xa9nam",
    "ARTIST": "\xa9ART",
    "ALBUM": "\xa9alb",
    "ALBUMARTIST": "aART",
    "DATE": "\xa9day",
    "GENRE": "\xa9gen",
    "COPYRIGHT": "cprt",
    "COMMENT": "\xa9cmt",
    "LYRICS": "\xa9lyr",
    "COMPOSER": "\xa9wrt",
}
_WRITERS: Mapping[str, Callable[[Path, Sleeve, bytes], float]] = {
    ".flac": _flac,
    ".ogg": _vorbis,
    ".opus": _opus,
    ".mp3": _tagged(MP3),
    ".wav": _tagged(WAVE),
    ".aiff": _tagged(AIFF),
    ".m4a": _mp4,
}
