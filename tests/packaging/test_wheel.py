"""What is in the wheel, and that it runs from there."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the files that are part of the project, built from a copy so that nothing is left in the tree."""
    copy, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).split(
        "\0"
    )
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(out),
            str(copy),
        ]
    )
    return next(out.glob("musicconnect-*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def run(argv: list[str], **options: object) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


def test_the_top_level_is_ours_and_nothing_else(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "appliance",
        "plugins",
        "transcoder",
        "web",
    }


@pytest.mark.parametrize("folder", ["appliance", "plugins", "transcoder", "web"])
def test_every_file_of_the_packages_is_in_the_wheel(folder: str, names: set[str]) -> None:
    """Templates, styles, scripts, vendored libraries and migrations are read at run time."""
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert there - names == set()


def test_the_licence_travels_with_the_wheel(wheel: Path, names: set[str]) -> None:
    licence = next(name for name in names if name.endswith("/LICENSE") and ".dist-info/" in name)
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(licence).decode()
        metadata = archive.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode()
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text
    assert "13. Remote Network Interaction" in text
    assert "License-Expression: AGPL-3.0-or-later" in metadata


def test_the_command_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment that sees the installed dependencies, but not this tree."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            str(wheel),
        ]
    )
    site = Path(run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
    # A line in a .pth adds the folder only; the .pth files in that folder, of which one names this tree, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = str(tmp_path / "venv" / "bin" / "musicconnect")
    told = run([command, "--help"], cwd=tmp_path)
    for name in ("serve", "worker", "migrate", "doctor", "demo"):
        assert f"  {name} " in told
    assert run([command, "migrate", "--data", str(tmp_path / "data")], cwd=tmp_path).startswith("applied ")
    where = run(
        [str(python), "-c", "import appliance, web; print(appliance.__file__, web.__file__)"], cwd=tmp_path
    )
    assert str(ROOT) not in where
