"""The last step of the build: what was installed is whole, or there is no image; and what is not for anybody here goes.

Whatever is imported here is compiled by that, once: the root of a container is for reading, and modules that no process of MusicConnect
imports need no compiled double. So this imports all that the processes do.
"""

import importlib
import pkgutil
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path

import babel
import imageio_ffmpeg

import appliance
import plugins
import transcoder
import web
from appliance import startup
from appliance.settings import Settings
from web.app import create_app

SITE = next(Path(sys.prefix).glob("lib/python*/site-packages"))
ENGINES = (
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "huey.contrib.sql_huey",
    "joserfc.jwt",
    "minio",
    "playhouse.pool",
)
ENGINES += ("psycopg_pool", "redis", "stripe")
"""What is imported only where a setting asks for it."""


def load() -> None:
    """Import everything, and make the application once."""
    for package in (appliance, plugins, transcoder, web):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in ENGINES:
        importlib.import_module(name)
    assert len(entry_points(group="musicconnect")) > 2, "no plugin is installed"
    for point in entry_points(group="musicconnect"):
        point.load()
    with tempfile.TemporaryDirectory() as folder:
        create_app(startup.start(Settings(data=Path(folder))))
        startup.stop()


def languages() -> set[str]:
    """The languages that pages can be read in; each must be compiled."""
    translations = Path(web.__file__).parent / "translations"
    for source in translations.rglob("*.po"):
        assert source.with_suffix(".mo").is_file(), f"{source} is not compiled"
    found = {path.parts[-3] for path in translations.rglob("*.mo")}
    assert found, "there is no translation"
    return {"root", "en", *(name.partition("_")[0] for name in found)}


def forget_other_languages(kept: set[str]) -> None:
    """Babel brings names and dates of a thousand places, 30 MB."""
    folder = Path(babel.__file__).parent / "locale-data"
    for path in folder.glob("*.dat"):
        if path.stem.partition("_")[0] not in kept:
            path.unlink()


def forget_sources_of_compiled() -> None:
    """What C modules, translations and type checkers were or would be made from, another 15 MB."""
    for suffix in ("c", "h", "po", "pot", "pxd", "pyi", "pyx"):
        for path in SITE.rglob(f"*.{suffix}"):
            path.unlink()


def look_at_ffmpeg() -> str:
    """The decoder is the one that was installed, and a program of this kind of machine."""
    ffmpeg = Path(imageio_ffmpeg.get_ffmpeg_exe())
    assert ffmpeg.is_relative_to(sys.prefix), f"{ffmpeg} is not the one that was installed"
    subprocess.run([ffmpeg, "-version"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    return f"{ffmpeg.name} with {ffmpeg.stat().st_size // 10**6} MB"


if __name__ == "__main__":
    load()
    spoken = languages()
    forget_other_languages(spoken)
    forget_sources_of_compiled()
    compiled = [
        path for path in SITE.rglob("*.pyc") if path.parent.name == "__pycache__" and ".opt-" not in path.name
    ]
    assert len(compiled) == len(list(SITE.rglob("*.pyc"))), "a module is compiled twice"
    assert any(path.is_relative_to(SITE / "web") for path in compiled), "our own modules are not compiled"
    print(f"{len(compiled)} modules compiled, {look_at_ffmpeg()}, languages: {' '.join(sorted(spoken))}")
