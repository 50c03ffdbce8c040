"""A secret lies in a file that the environment names; nothing else does."""

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli import cli
from appliance.errors import Invalid
from appliance.secret_files import MOST_BYTES
from appliance.setting import Setting
from appliance.settings import core_settings
from appliance.settings import load

KEY = "k" * 64


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that nobody's musicconnect.toml is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def held(content: str | bytes, name: str = "secret") -> str:
    """A file with this content; returns its path."""
    path = Path(name).absolute()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def refused(**environ: str) -> Invalid:
    with pytest.raises(Invalid) as caught:
        load(environ=environ)
    return caught.value


def test_a_secret_is_read_from_the_file_that_is_named() -> None:
    assert load(environ={"MUSICCONNECT_SECRET_KEY_FILE": held(KEY)}).secret_key == KEY


def suits(row: Setting) -> str:
    """A value that this setting takes."""
    forms = (
        KEY,
        "postgresql://me:word@host/music",
        "redis://:word@host/0",
        "s3://key:word@host/music",
        "smtp://me:word@host:587",
    )
    return next(form for form in forms if not row.pattern or re.fullmatch(row.pattern, form))


@pytest.mark.parametrize("row", [row for row in core_settings() if row.secret], ids=lambda row: row.name)
def test_every_secret_may_lie_in_a_file(row: Setting) -> None:
    found = load(environ={f"MUSICCONNECT_{row.name.upper()}_FILE": held(suits(row))})
    assert getattr(found, row.name) == suits(row)
    assert row.name in found.given


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n", ""])
def test_the_line_break_at_the_end_does_not_count(ending: str) -> None:
    assert load(environ={"MUSICCONNECT_SECRET_KEY_FILE": held(f" {KEY} {ending}")}).secret_key == f" {KEY} "


def test_a_setting_of_a_plugin_may_lie_in_a_file_too() -> None:
    environ = {"MUSICCONNECT_PLUGIN_STRIPE_PAYMENTS__SECRET_KEY_FILE": held("sk_test_1\n")}
    assert load(environ=environ).plugins["stripe_payments"] == {"secret_key": "sk_test_1"}


def test_what_is_no_secret_stays_where_people_look_for_it() -> None:
    error = refused(MUSICCONNECT_PORT_FILE=held("8000"))
    assert (
        str(error)
        == "The setting 'port' is no secret, so it is not read from a file (MUSICCONNECT_PORT_FILE)."
    )


def test_a_misspelt_name_is_told() -> None:
    assert "There is no setting 'secret_kee_file'" in str(refused(MUSICCONNECT_SECRET_KEE_FILE=held(KEY)))


def test_a_secret_that_is_given_twice_is_refused() -> None:
    error = refused(MUSICCONNECT_SECRET_KEY_FILE=held(KEY), MUSICCONNECT_SECRET_KEY=KEY)
    assert (
        str(error)
        == "MUSICCONNECT_SECRET_KEY and MUSICCONNECT_SECRET_KEY_FILE are both set; keep one of them."
    )
    assert error.field == "secret_key"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "which is empty"),
        (" \n", "which is empty"),
        (b"\xff\xfe" + KEY.encode(), "which holds no text"),
        ("k" * (MOST_BYTES + 1), "which is too large for a secret"),
    ],
    ids=["nothing", "a blank line", "no text", "a large file"],
)
def test_a_file_that_holds_no_secret_is_told_without_what_it_holds(content: str | bytes, why: str) -> None:
    told = str(refused(MUSICCONNECT_SECRET_KEY_FILE=held(content)))
    assert why in told
    assert "MUSICCONNECT_SECRET_KEY_FILE" in told
    assert "kkk" not in told


@pytest.mark.parametrize(
    ("path", "why"),
    [("gone", "No such file or directory"), (".", "Is a directory"), ("a\0b", "holds no text"), ("", "")],
    ids=["missing", "a folder", "no path", "nothing"],
)
def test_a_file_that_cannot_be_read_is_told(path: str, why: str) -> None:
    told = str(refused(MUSICCONNECT_SECRET_KEY_FILE=path))
    assert "MUSICCONNECT_SECRET_KEY_FILE names the file" in told
    assert why in told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_of_somebody_else_is_told() -> None:
    path = held(KEY)
    Path(path).chmod(0o600)
    os.seteuid(65534)
    try:
        told = str(refused(MUSICCONNECT_SECRET_KEY_FILE=path))
    finally:
        os.seteuid(0)
    assert "Permission denied" in told


def test_a_wrong_secret_from_a_file_is_masked() -> None:
    told = str(refused(MUSICCONNECT_SECRET_KEY_FILE=held("1234567")))
    assert "1234567" not in told
    assert "(a secret)" in told


def test_the_commands_take_it() -> None:
    shown = CliRunner().invoke(cli, ["settings"], env={"MUSICCONNECT_SECRET_KEY_FILE": held(KEY)})
    assert shown.exit_code == 0, shown.output
    assert "secret_key = (set)" in shown.output
    assert KEY not in shown.output
