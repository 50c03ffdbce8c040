"""Rules of the house that import contracts cannot say, read off the source."""

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import doctor

ROOT = Path(__file__).parents[2]
PACKAGES = ("appliance", "plugins", "transcoder", "web")
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "__pycache__" not in path.parts
)
LONGEST_MODULE = 300
VAGUE = {"utils", "helpers", "common", "misc", "manager", "managers", "util", "helper"}

RUNS_PROGRAMS = {"appliance/sandbox/running.py"}
BECOMES_A_PROGRAM = {"appliance/sandbox/launcher.py", "appliance/supervisor.py"}
READS_ENVIRONMENT = {
    "appliance/settings.py": "where settings are read",
    "appliance/supervisor.py": "hands its own environment to its children, and asks where systemd wants to be told",
    "web/gunicorn_hooks.py": "keeps from gunicorn's master where systemd wants to be told, and gives it to its workers",
    "appliance/monitoring/sharing.py": "tells prometheus_client, which asks the environment, where its files are; reads nothing",
}
TABLES = {
    "appliance/migrations/0001_initial.py": "a whole schema as it was",
    "appliance/settings.py": "a row for each setting, and how they are read",
    "transcoder/songs.py": "the score of every demo song",
    "web/api/schemas.py": "a row for each thing that the API tells or takes",
}
"""Modules that are one table and no logic; splitting them would help nobody."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers_of(*packages: str) -> set[str]:
    return {
        name_of(path)
        for path in MODULES
        if any(name == p or name.startswith(f"{p}.") for name in imports(path) for p in packages)
    }


def test_one_module_runs_programs() -> None:
    assert importers_of("subprocess", "pty", "asyncio.subprocess", "multiprocessing") <= RUNS_PROGRAMS
    spawning = re.compile(r"\bos\.(system|popen|exec\w+|spawn\w+|fork\w*)\b")
    assert {
        name_of(path) for path in MODULES if spawning.search(path.read_text("utf-8"))
    } <= BECOMES_A_PROGRAM


def test_one_module_reads_the_environment() -> None:
    reading = re.compile(r"\bos\.(environ|environb|getenv)\b")
    assert {name_of(path) for path in MODULES if reading.search(path.read_text("utf-8"))} <= set(
        READS_ENVIRONMENT
    )


def test_flask_stays_in_web_and_plugins() -> None:
    strays = importers_of(
        "flask", "werkzeug", "flask_security", "flask_wtf", "waitress", "prometheus_flask_exporter"
    )
    assert {name for name in strays if not name.startswith(("web/", "plugins/"))} == set()


def test_the_s3_client_stays_in_storage() -> None:
    assert {name for name in importers_of("minio") if not name.startswith("appliance/storage/")} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    if name_of(path) not in TABLES:
        assert len(path.read_text("utf-8").splitlines()) <= LONGEST_MODULE


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert {
        name_of(path) for path in MODULES if {*path.relative_to(ROOT).parts[:-1], path.stem} & VAGUE
    } == set()


@pytest.mark.parametrize("path", [path for path in MODULES if "migrations" not in path.parts], ids=name_of)
def test_every_public_thing_says_what_it_does(path: Path) -> None:
    """Ruff asks for docstrings as well; it can be silenced by a comment, this cannot."""
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_nobody_imports_a_plugin() -> None:
    assert {name for name in importers_of("plugins") if not name.startswith("plugins/")} == set()


def test_the_package_list_of_the_doctor_is_the_one_that_is_shipped() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    shipped = {line.rstrip("*") for line in setup["options.packages.find"]["include"].split()}
    assert set(doctor.PACKAGES) == shipped == set(PACKAGES)


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the business of the machine that installs them."""
    hosts = re.compile(
        r"(pypi|pythonhosted|npmjs|registry\.[a-z]|unpkg|jsdelivr)\.(org|com|net|io)|--(extra-)?index-url"
    )
    files = list(ROOT.glob("requirements*.lock"))
    files += [ROOT / name for name in ("Makefile", "setup.cfg", "pyproject.toml", ".ci/run")]
    assert {name_of(path) for path in files if hosts.search(path.read_text("utf-8"))} == set()


def test_every_pin_has_a_hash() -> None:
    for path in ROOT.glob("requirements*.lock"):
        text = re.sub(r"\\\n", " ", path.read_text("utf-8"))
        pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert pins
        assert [line for line in pins if not re.match(r"[a-z0-9._-]+==\S+ .*--hash=sha256:", line)] == []
