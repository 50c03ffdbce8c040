"""Downloads that lead back to the account they were made for."""

import subprocess

import mutagen
import pytest
from click.testing import CliRunner

from appliance import cli
from appliance import database
from appliance import hooks
from appliance import startup
from appliance.errors import Invalid
from appliance.settings import Settings
from plugins import download_mark
from plugins.download_mark import marks
from tests.makers import make_user
from transcoder import program

KEY = "k" * 32
TRACK = "01JZ8T6M3E5V7W9X1Y2Z3A4B5C"
FORMATS = {
    "flac": ("flac", ()),
    "alac": ("m4a", ("-c:a", "alac")),
    "wav": ("wav", ()),
    "aiff": ("aiff", ()),
    "mp3": ("mp3", ()),
    "aac": ("m4a", ()),
    "ogg": ("ogg", ("-c:a", "libvorbis")),
    "opus": ("opus", ()),
}


@pytest.fixture(params=FORMATS)
def download(request, flac, tmp_path):
    ending, codec = FORMATS[request.param]
    made = tmp_path / f"download.{ending}"
    asked = [program.path(""), "-v", "error", "-i", flac, "-metadata", "title=Low Tide", *codec, made]
    subprocess.run(asked, check=True, timeout=60)
    return made


def sound_of(path):
    asked = [program.path(""), "-v", "error", "-i", path, "-map", "a:0", "-c", "copy", "-f", "md5", "-"]
    return subprocess.run(asked, check=True, timeout=60, capture_output=True).stdout


def tags_of(path):
    return {key: str(value) for key, value in (mutagen.File(path).tags or {}).items()}


def test_a_mark_is_written_beside_the_other_tags_and_leaves_the_sound_alone(download):
    before, sound = tags_of(download), sound_of(download)
    marks.write(download, marks.mark(KEY, TRACK, "A"))
    marks.write(download, marks.mark(KEY, TRACK, "B"))
    assert marks.read(download) == marks.mark(KEY, TRACK, "B")
    assert sound_of(download) == sound
    kept = {key: value for key, value in tags_of(download).items() if marks.NAME.lower() not in key.lower()}
    assert kept == before


def test_a_file_without_a_mark_has_none(flac):
    assert marks.read(flac) == ""


def test_a_mark_tells_nothing_without_the_key():
    mine = marks.mark(KEY, TRACK, "01JLISTENER")
    assert "01JLISTENER" not in mine and marks.track_of(mine) == TRACK
    assert len({mine, marks.mark(KEY, TRACK, "other"), marks.mark(KEY, "T", "01JLISTENER")}) == 3
    assert marks.mark("j" * 32, TRACK, "01JLISTENER") != mine


def test_what_is_no_music_is_not_marked(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("nothing to hear")
    with pytest.raises(Invalid, match="no music file"):
        marks.write(path, "x")


def test_it_rests_without_a_key_and_refuses_a_short_one():
    assert download_mark.plugin_start(values={"key": ""}) is False
    hooks.load(Settings())
    assert not hooks.has("mark_download")
    with pytest.raises(Invalid, match="at least 32"):
        download_mark.plugin_start(values={"key": "short"})


def trace(appliance, file, **environ):
    given = {
        "MUSICCONNECT_DATA": str(appliance.settings.data),
        "MUSICCONNECT_DATABASE_URL": appliance.settings.database_url,
        "MUSICCONNECT_QUEUE_URL": "memory://",
        **environ,
    }
    hooks.add_commands(cli.cli)
    database.close()
    result = CliRunner().invoke(cli.cli, ["trace-download", str(file)], env=given)
    return result.exit_code, result.output


def test_a_marked_download_is_traced_to_its_account(appliance, flac):
    make_user("first@example.com")
    person = make_user("second@example.com")
    environ = {"MUSICCONNECT_PLUGIN_DOWNLOAD_MARK__KEY": KEY}
    assert trace(appliance, flac, **environ) == (2, "musicconnect: This file has no mark.\n")
    database.close()
    startup.start(
        Settings(
            data=appliance.settings.data,
            database_url=appliance.settings.database_url,
            queue_url="memory://",
            plugins={"download_mark": {"key": KEY}},
        ),
        immediate=True,
    )
    assert hooks.has("mark_download")
    hooks.insist("mark_download", path=str(flac), format="flac", track_id=TRACK, listener_id=person.id)
    assert trace(appliance, flac, **environ) == (
        0,
        f"track {TRACK}, made for second@example.com ({person.id})\n",
    )
    assert trace(appliance, flac, MUSICCONNECT_PLUGIN_DOWNLOAD_MARK__KEY="j" * 32)[0] == 2
    assert "has no key" in trace(appliance, flac)[1]
