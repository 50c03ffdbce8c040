"""What can be wrong with a file, in sentences for the artist.

ffmpeg's own words are for the log (``detail``); the person who made the music gets one sentence that
says what is wrong and what to do.
"""

import re

from appliance.errors import N_
from appliance.errors import Invalid
from appliance.errors import Unavailable


class Unplayable(Invalid):
    """This file can never become a track as it is; *detail* is what ffmpeg said, for the log only."""

    def __init__(self, sentence: str, *, detail: str = "", **facts: object) -> None:
        super().__init__(sentence, field="file", **facts)
        self.detail = detail


class Interrupted(Unavailable):
    """The machine, not the file, is at fault, so trying again is worth it; *detail* is for the log only."""

    def __init__(self, sentence: str, *, detail: str = "", **facts: object) -> None:
        super().__init__(sentence, **facts)
        self.detail = detail


NOT_AUDIO = N_(
    "This is not a sound file that MusicConnect can read. Upload WAV, AIFF, FLAC, ALAC, MP3, AAC, "
    "Ogg Vorbis or Opus."
)
EMPTY = N_("This file is empty. The upload or the export did not finish; please send it again.")
SILENT_LENGTH = N_("This file has no sound in it: it is 0 seconds long.")
PROTECTED = N_(
    "This file is protected against copying (DRM), so it cannot be played here. "
    "Upload the master or an unprotected file."
)
DAMAGED = N_("This file is damaged and cannot be read. Export it again and upload the new file.")
CUT_OFF = N_("This file is cut off: its end is missing. Export it again, or upload it again if it was whole.")
DAMAGED_INSIDE = N_("This file is damaged: parts of it are missing. Export it again and upload the new file.")
NOT_NUMBERS = N_(
    "This file holds values that are not sound (NaN or infinity), usually from a faulty plug-in at mixdown. "
    "Export it again, best as 24-bit WAV or FLAC."
)
TOO_HUNGRY = N_(
    "This file needs more memory than one track may use. Export it again as a plain WAV or FLAC file."
)
TOO_BIG = N_("This file grows too large when it is prepared. Split it into several tracks.")
TOO_MUCH_WORK = N_(
    "This file takes far more computing time than its length explains. Export it again as WAV or FLAC."
)

DISK_FULL = N_("The server's disk is full, so this track could not be prepared. It will be tried again.")
TOO_SLOW = N_("Preparing this track took too long, so it was stopped. It will be tried again.")
STOPPED = N_("Preparing this track was interrupted. It will be tried again.")
NO_FFMPEG = N_("The server cannot start ffmpeg, so this track could not be prepared. It will be tried again.")

# What ffmpeg says -> what the person hears. The first match wins: causes stand before their consequences.
SENTENCES: tuple[tuple[re.Pattern[str], type[Unplayable] | type[Interrupted], str], ...] = (
    (re.compile(r"No space left on device|Disk quota exceeded"), Interrupted, DISK_FULL),
    (re.compile(r"Cannot allocate memory|out of memory"), Unplayable, TOO_HUNGRY),
    (re.compile(r"NaN/\+-Inf"), Unplayable, NOT_NUMBERS),
    (re.compile(r"\bdrm[si]\b|\benc[av]\b|encrypted|decryption"), Unplayable, PROTECTED),
    (re.compile(r"matches no streams|does not contain any stream"), Unplayable, NOT_AUDIO),
    (re.compile(r"moov atom not found"), Unplayable, DAMAGED),
    (
        re.compile(r"not whitelisted|not in (?:the )?whitelist|Invalid data found when opening"),
        Unplayable,
        NOT_AUDIO,
    ),
)


def clock(time_s: float) -> str:
    """A place in a track as a person writes it: ``1:05`` or ``1:02:05``."""
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def from_stderr(stderr: str, *, otherwise: str = DAMAGED) -> Unplayable | Interrupted:
    """The error for a run that ended badly, by what ffmpeg wrote; a file nobody understands is the file's fault."""
    for pattern, kind, sentence in SENTENCES:
        if pattern.search(stderr):
            return kind(sentence, detail=stderr)
    return Unplayable(otherwise, detail=stderr)
