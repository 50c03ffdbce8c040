"""Wheels of this checkout: as it is, and as the next version with a migration will be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.deploy.hosts import ROOT

MIGRATION = '''"""A column that the version before knows nothing of."""

from peewee import *


def up(migrator, db):
    field = CharField(max_length=40, default="", constraints=[SQL("DEFAULT ''")])
    migrator.migrate(migrator.alter_add_column("track", "drilled", field, allow_not_null=True))


def down(migrator, db):
    db.execute_sql("ALTER TABLE track DROP COLUMN drilled")
'''


def build(folder: Path, *, version: str = "") -> Path:
    """The wheel of the files that are part of the project; with *version* it is that one, and has one migration more."""
    tree = folder / f"tree-{version}"
    listed = _run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    if version:
        told = tree / "appliance" / "__init__.py"
        told.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', told.read_text()))
        (tree / "appliance" / "migrations" / "9999_drill.py").write_text(MIGRATION)
    return wheel_of(tree, folder / f"wheel-{version}")


def wheel_of(tree: Path, out: Path) -> Path:
    """The wheel of a tree of files."""
    _run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(tree), cwd=tree
    )  # fmt: skip
    return next(out.glob("musicconnect-*.whl"))


def wheelhouse(folder: Path, *, lock: str = "requirements.lock") -> Path:
    """What the package needs, fetched once: hosts then install in seconds, and from the same files each time."""
    packed = folder.with_suffix(".tar")
    if packed.exists():
        return packed
    for name in ("requirements-build.lock", lock):
        _run(
            sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-build-isolation", "--dest", str(folder),
            "--requirement", str(ROOT / name), cwd=ROOT,
        )  # fmt: skip
    with tarfile.open(packed, "w") as archive:
        archive.add(folder, ".")
    return packed


def _run(*argv: str, cwd: Path) -> str:
    # The same files are the same wheel, and so the same release, whenever they were written.
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run(
        argv, cwd=cwd, env=environ, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
