import dataclasses
from pathlib import Path

import pytest

from appliance import settings as settings_module
from appliance.errors import Invalid
from appliance.settings import Setting
from appliance.settings import Settings
from appliance.settings import core_settings
from appliance.settings import load


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """An empty working folder, so that nobody's musicconnect.toml is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text, path=Path("musicconnect.toml")):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def refused(flags=None, environ=None, file=None):
    with pytest.raises(Invalid) as caught:
        load(flags, environ=environ or {}, file=file)
    return caught.value


# ---- where a value comes from


def test_without_anything_the_defaults_hold(workplace):
    found = load(environ={})
    assert found == dataclasses.replace(Settings(), data=workplace / "data")


def test_a_flag_beats_the_environment_and_the_environment_beats_the_file():
    write('port = 1\nhost = "file"\ncollective_name = "file"\n')
    environ = {"MUSICCONNECT_PORT": "2", "MUSICCONNECT_HOST": "environment"}
    found = load({"port": 3, "host": None}, environ=environ)
    assert (found.port, found.host, found.collective_name) == (3, "environment", "file")


def test_the_process_environment_is_read_when_none_is_given(monkeypatch):
    monkeypatch.setenv("MUSICCONNECT_PORT", "4321")
    assert load().port == 4321


def test_the_file_may_lie_in_the_data_folder():
    write("port = 7", Path("elsewhere/musicconnect.toml"))
    assert load({"data": "elsewhere"}, environ={}).port == 7
    assert load(environ={"MUSICCONNECT_DATA": "elsewhere"}).port == 7


def test_the_file_in_the_working_folder_comes_first():
    write("port = 7", Path("data/musicconnect.toml"))
    write("port = 8")
    assert load(environ={}).port == 8


def test_a_file_can_be_named(workplace):
    assert load(environ={}, file=write("port = 9", workplace / "other.toml")).port == 9


def test_the_data_folder_is_made_absolute(workplace):
    assert load({"data": "here"}, environ={}).data == workplace / "here"


def test_each_type_is_read_from_file_and_environment_alike():
    write('registration = false\ndisabled_plugins = ["a", "b"]\nlog_level = "debug"\nweb_threads = 3\n')
    environ = {
        "MUSICCONNECT_REGISTRATION": "No",
        "MUSICCONNECT_DISABLED_PLUGINS": " a, b ,",
        "MUSICCONNECT_LOG_LEVEL": "debug",
        "MUSICCONNECT_WEB_THREADS": " 3 ",
    }
    from_file = load(environ={})
    Path("musicconnect.toml").unlink()
    assert load(environ=environ) == from_file
    assert (from_file.registration, from_file.disabled_plugins, from_file.web_threads) == (
        False,
        ("a", "b"),
        3,
    )


# ---- what is refused


@pytest.mark.parametrize("source", ["flag", "environment", "file"])
def test_an_unknown_name_is_refused_wherever_it_stands(source):
    if source == "file":
        write("prot = 1")
    error = refused(
        {"prot": 1} if source == "flag" else None,
        {"MUSICCONNECT_PROT": "1"} if source == "environment" else None,
    )
    assert "There is no setting 'prot'" in str(error)
    assert error.field == "prot"


@pytest.mark.parametrize("name", settings_module.REMOVED)
def test_a_removed_name_fails_with_both_names(name):
    from_environment = str(refused(environ={f"MUSICCONNECT_{name.upper()}": "5"}))
    write(f"{name} = 5")
    for told in (from_environment, str(refused())):
        assert name in told
        [new] = [row.name for row in core_settings() if f"'{row.name}'" in told]
        assert new != name


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("port", "eighty", "a whole number from 0 to 65535"),
        ("port", "8.5", "a whole number from 0 to 65535"),
        ("port", "", "a whole number from 0 to 65535"),
        ("port", "-1", "a whole number from 0 to 65535"),
        ("port", "65536", "a whole number from 0 to 65535"),
        ("port", "9" * 5000, "a whole number from 0 to 65535"),
        ("web_threads", "0", "a whole number from 1 to 256"),
        ("registration", "maybe", "true or false"),
        ("log_level", "loud", "one of debug, info, warning, error"),
        ("data", " ", "a path"),
        ("host", "a\0b", "an address or a name of this machine"),
        ("host", "", "an address or a name of this machine"),
        ("collective_name", "a\0b", "a text"),
        ("public_url", "music.example", "https:// (or http://) and a host, or nothing"),
        ("public_url", "https://name:word@music.example", "https:// (or http://) and a host, or nothing"),
    ],
)
def test_a_wrong_value_is_told_with_its_name_its_value_and_what_is_allowed(name, value, allowed):
    key = f"MUSICCONNECT_{name.upper()}"
    error = refused(environ={key: value})
    assert error.field == name
    assert str(error) == f"The setting '{name}' is {value!r} in {key}; allowed is {allowed}."


@pytest.mark.parametrize(
    "line",
    [
        *("port = true", "port = 1.5", "port = [1]", "host = 5", "data = 5", "registration = 'x'"),
        *("disabled_plugins = 5", "disabled_plugins = {a = 1}", "log_level = ['info']"),
        "collective_name = 2026-07-30",
    ],
)
def test_a_wrong_type_in_the_file_is_told(line):
    write(line)
    error = refused()
    assert error.field == line.split()[0]
    assert "musicconnect.toml" in str(error)


def test_a_wrong_flag_is_told():
    assert "in the command line" in str(refused({"port": 70_000}))


def test_a_file_that_is_no_toml_is_told_with_the_line():
    write("port = 1\nhost = \n")
    assert "musicconnect.toml is not valid TOML" in str(refused())
    assert "line 2" in str(refused())


def test_a_file_that_is_no_text_is_told():
    Path("musicconnect.toml").write_bytes(b"\xff\xfe")
    assert "musicconnect.toml is not valid TOML" in str(refused())


def test_a_named_file_that_is_missing_is_told(workplace):
    assert "cannot be read" in str(refused(file=workplace / "gone.toml"))


# ---- secrets


def test_a_secret_is_never_spelled_out():
    for row in core_settings():
        shown = row.shown("hunter2" if row.type is str else row.default)
        assert "hunter2" not in shown or not row.secret
    key = next(row for row in core_settings() if row.name == "secret_key")
    assert (key.shown("hunter2"), key.shown("")) == ("(set)", "(not set)")


def test_a_wrong_secret_is_masked():
    write("secret_key = 1234567")
    told = str(refused())
    assert "1234567" not in told
    assert "(a secret)" in told


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("database_url", "mysql://me:hunter2@host/db", "postgresql://… or sqlite:///…, or nothing"),
        ("queue_url", "amqp://me:hunter2@host", "redis://…, postgresql://… or sqlite:///…, or nothing"),
        ("store_url", "ftp://me:hunter2@host/x", "s3://KEY:SECRET@host/bucket or a folder, or nothing"),
        ("secret_key", "hunter2", "at least 32 characters, or nothing"),
    ],
)
def test_a_wrong_address_or_key_is_told_without_what_is_secret_in_it(name, value, allowed):
    key = f"MUSICCONNECT_{name.upper()}"
    told = str(refused(environ={key: value}))
    assert told == f"The setting '{name}' is (a secret) in {key}; allowed is {allowed}."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cache_url", "redis://:hunter2/x@host:6379/0"),
        ("cache_url", "redis://:123/hunter2@host:6379/0"),
        ("rate_limit_url", "redis://:hunter2#x@host:6379/0"),
        ("queue_url", "redis://:123#hunter2@host:6379/0"),
        ("queue_url", "redis://host:99999/0"),
        ("queue_url", "redis://host/music"),
        ("database_url", "postgresql://me:hunter2/x@host/db"),
        ("database_replica_url", "postgresql://me@one:5432,two:port/db"),
        ("store_url", "s3://KEY:hunter2/x@host/bucket"),
    ],
)
def test_an_address_whose_password_would_be_taken_for_a_port_is_told_without_it(name, value):
    told = str(refused(environ={f"MUSICCONNECT_{name.upper()}": value}))
    assert f"'{name}'" in told
    assert "in per cent" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://me:word@host/db"),
        ("queue_url", "rediss://host/1"),
        ("queue_url", "postgresql://me@one:5432,two:5433/db?target_session_attrs=read-write"),
        ("database_url", "postgresql:///db?host=/run/postgresql"),
        ("cache_url", "redis://:p%2Fw@[::1]:6379/0"),
        ("rate_limit_url", "redis://:p@ss@host/?ssl_cert_reqs=none"),
        ("store_url", "s3://KEY:SECRET@host:9000/bucket?secure=0"),
        ("store_url", "file:///srv/music"),
        ("store_url", "/srv/music: new"),
        ("secret_key", "0123456789abcdef0123456789abcdef"),
        ("public_url", "http://[::1]:8000/"),
        ("host", "::"),
    ],
)
def test_a_right_address_or_key_is_taken(name, value):
    assert getattr(load(environ={f"MUSICCONNECT_{name.upper()}": value}), name) == value


def test_addresses_that_hold_passwords_count_as_secrets():
    assert {row.name for row in core_settings() if row.secret} >= {
        "database_url",
        "queue_url",
        "store_url",
        "secret_key",
    }


# ---- plugins


def test_a_plugins_settings_come_from_its_table_and_the_environment_comes_first():
    write('[plugins.signed_cdn]\nbase_url = "https://file.example"\nkey = "k"\n[plugins.other]\nx = 1\n')
    environ = {
        "MUSICCONNECT_PLUGIN_SIGNED_CDN__BASE_URL": "https://environment.example",
        "MUSICCONNECT_PLUGIN_NEW__DEEP__NAME": "v",
    }
    assert load(environ=environ).plugins == {
        "signed_cdn": {"base_url": "https://environment.example", "key": "k"},
        "other": {"x": 1},
        "new": {"deep__name": "v"},
    }


def test_a_variable_for_a_plugin_without_a_setting_is_told():
    assert "MUSICCONNECT_PLUGIN_SIGNED_CDN" in str(refused(environ={"MUSICCONNECT_PLUGIN_SIGNED_CDN": "x"}))


@pytest.mark.parametrize("text", ["plugins = 5", "[plugins]\nsigned_cdn = 5"])
def test_plugin_settings_outside_a_table_are_told(text):
    write(text)
    assert "[plugins.NAME]" in str(refused())


# ---- the table


def test_settings_cannot_be_changed():
    found = load(environ={"MUSICCONNECT_PLUGIN_A__B": "c"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.port = 1
    with pytest.raises(TypeError):
        found.plugins["x"] = {}
    with pytest.raises(TypeError):
        found.plugins["a"]["b"] = "d"
    with pytest.raises(TypeError):
        Settings().plugins["x"] = {}


@pytest.mark.parametrize("row", core_settings(), ids=lambda row: row.name)
def test_every_row_explains_itself_and_takes_its_own_default(row):
    assert row.help.endswith(".")
    assert row.read(row.default, source="a test") == row.default
    assert row.allowed()
    assert getattr(Settings(), row.name) == row.default


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Setting("n", int, 0, "N."), "a whole number"),
        (Setting("n", int, 0, "N.", minimum=1), "a whole number from 1 upwards"),
        (Setting("n", int, 0, "N.", maximum=9), "a whole number up to 9"),
        (Setting("n", tuple, (), "N."), "names separated by commas"),
    ],
)
def test_what_is_allowed_is_said_in_words(row, words):
    assert row.allowed() == words


def test_values_are_shown_as_they_are_written():
    assert Setting("n", tuple, (), "N.").shown(("a", "b")) == "a,b"
    assert Setting("n", bool, True, "N.").shown(True) == "true"
    assert Setting("n", int, 5, "N.").shown(5) == "5"
