"""Which ffmpeg is used, and whether it can do the work."""

import os
import shutil
from functools import lru_cache

import imageio_ffmpeg

from appliance.errors import Invalid
from appliance.errors import Unavailable
from transcoder import ffmpeg


@lru_cache(maxsize=8)
def path(setting: str) -> str:
    """The ffmpeg of the setting or, when that is empty, the one that was installed with MusicConnect."""
    if setting:
        return setting
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise Unavailable(
            "No ffmpeg came with this installation; name one in the setting 'ffmpeg'."
        ) from error


def check(setting: str) -> str:
    """The version in use; ``Unavailable`` says what it lacks."""
    program = path(setting)
    problems = ffmpeg.shortcomings(program)
    if problems:
        raise Unavailable(" ".join(problems) + " Name another in the setting 'ffmpeg', or leave it empty.")
    major, minor = ffmpeg.version(program)
    return f"{program} {major}.{minor}"


def require(setting: str) -> None:
    """``Invalid`` unless the program that the setting names is there: no job would ever end well."""
    if shutil.which(setting, path=os.defpath) is None:
        raise Invalid(
            f"The setting 'ffmpeg' is {setting!r}; allowed is a program that can be run, or nothing.",
            field="ffmpeg",
        )
