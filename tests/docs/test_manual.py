"""The manual tells what the code does: nothing is missing, nothing is old, and its examples run."""

import inspect
import re
from pathlib import Path

import click
import pytest

from appliance import errors
from appliance import settings
from appliance.cli import cli
from appliance.settings import Settings
from tools import reference

ROOT = Path(__file__).parents[2]
PAGES = (
    sorted((ROOT / "docs").rglob("*.md"))
    + sorted((ROOT / "plugins").glob("*/README.md"))
    + [ROOT / "README.md"]
)
MANUAL = {path: path.read_text("utf-8") for path in PAGES if "_build" not in path.parts}
FENCED = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLES = [
    (f"{path.name}:{text[: found.start()].count(chr(10)) + 1}", found[1])
    for path, text in MANUAL.items()
    for found in FENCED.finditer(text)
]


@pytest.mark.parametrize(
    ("name", "text"),
    sorted(reference.pages().items()),
    ids=lambda value: value if value.endswith(".md") else "",
)
def test_a_reference_page_is_what_the_code_says_now(name: str, text: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == text, "run 'make docs' and commit what it wrote"


@pytest.mark.parametrize("row", settings.core_settings(), ids=lambda row: row.name)
def test_every_setting_is_explained(row: settings.Setting) -> None:
    page = MANUAL[ROOT / "docs" / "settings.md"]
    assert f"| `{row.name}`<br>`MUSICCONNECT_{row.name.upper()}` |" in page
    assert row.help in page


def test_no_secret_shows_a_default() -> None:
    page = MANUAL[ROOT / "docs" / "settings.md"]
    secret = [row.name for row in settings.core_settings() if row.secret]
    assert secret
    for name in secret:
        line = next(line for line in page.splitlines() if line.startswith(f"| `{name}`"))
        assert "| none |" in line and "Never shown." in line


@pytest.mark.parametrize("hook", [name for name, _ in reference.specs()])
def test_every_hook_has_a_section_and_a_bundled_user(hook: str) -> None:
    page = MANUAL[ROOT / "docs" / "hooks.md"]
    section = page.split(f"\n## {hook}\n")[1].split("\n## ")[0]
    assert "Since " in section
    assert re.search(r"Used by: `\w+`", section)


def test_every_command_is_listed() -> None:
    reference.commands_page()
    listed = re.findall(r"^## (musicconnect.*)$", MANUAL[ROOT / "docs" / "commands.md"], re.MULTILINE)
    assert listed == [path for path, _ in reference.walk("musicconnect", cli)]
    assert {"musicconnect serve", "musicconnect jobs retry", "musicconnect token create"} <= set(listed)


def test_every_command_and_option_says_what_it_is_for() -> None:
    reference.commands_page()
    for path, command in reference.walk("musicconnect", cli):
        assert command.help, path
        for parameter in command.params:
            if (
                isinstance(parameter, click.Option)
                and not parameter.hidden
                and parameter.type.name != "choice"
            ):
                assert parameter.help or parameter.show_default, f"{path} {parameter.name}"


def test_the_five_kinds_of_errors_are_told() -> None:
    kinds = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__base__ is errors.MusicConnectError
    ]
    assert sorted(kinds) == ["Conflict", "Invalid", "NotAllowed", "NotFound", "Unavailable"]
    assert all(f"| `{name}` |" in MANUAL[ROOT / "docs" / "errors.md"] for name in kinds)


@pytest.mark.parametrize("code", [code for _, code in EXAMPLES], ids=[where for where, _ in EXAMPLES])
def test_an_example_runs(code: str) -> None:
    exec(compile(code, "<example>", "exec", dont_inherit=True), {"__name__": "example"})


def test_the_example_of_a_settings_file_is_accepted(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", MANUAL[ROOT / "docs" / "settings.md"], re.DOTALL)
    assert example is not None
    (tmp_path / "musicconnect.toml").write_text(example[1], "utf-8")
    loaded = settings.load(environ={}, file=tmp_path / "musicconnect.toml")
    assert (loaded.collective_name, loaded.trusted_proxies) == ("Harbour Records", 1)
    assert loaded.collective_name != Settings().collective_name


@pytest.mark.parametrize("path", list(MANUAL), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_link_to_a_file_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#|mailto:|<)([^)#\s]+)", MANUAL[path]):
        place = path.parent / target
        if place.parts[-2:-1] != ("images",):
            assert place.exists(), target


def test_no_sentence_of_the_help_is_cut_off():
    assert "..." not in re.sub(r"(ARGS|IDS)\]\.\.\.", "", reference.commands_page())
