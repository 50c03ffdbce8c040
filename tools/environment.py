"""Make the virtual environment that ``make run`` installs into, with nothing but a bare Python 3.11 or newer.

Debian leaves ``ensurepip`` out of python3; then its package python3-venv is installed, which takes root, or a pip that is
there installs pip into the new environment. Run as ``python3 tools/environment.py FOLDER``.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

OLDEST = (3, 11)
BRINGS_PIP = "import ensurepip; ensurepip.version()"
"""Asked of a fresh process each time: this one would not notice that the package was installed meanwhile."""


def main(folder: Path) -> None:
    """Make *folder* an environment with pip, or stop with what to install."""
    if sys.version_info < OLDEST:
        sys.exit("MusicConnect needs Python 3.11 or newer; say which: make run PYTHON=python3.12")
    if answers(folder / "bin" / "python", "import pip"):
        return
    print(f"Making {folder} ...", flush=True)
    if not answers(sys.executable, BRINGS_PIP) and os.geteuid() == 0 and shutil.which("apt-get"):
        install_with_apt(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    if answers(sys.executable, BRINGS_PIP):
        run(sys.executable, "-m", "venv", "--clear", folder)
    elif answers(sys.executable, "import pip; pip.main"):
        venv.create(folder, clear=True, with_pip=False)
        run(sys.executable, "-m", "pip", "--quiet", "--python", folder / "bin" / "python", "install", "pip")
    else:
        sys.exit("Python lacks its module venv. On Debian install it, as root: apt-get install python3-venv")


def answers(python: str | Path, code: str) -> bool:
    """Whether this Python is there and runs *code*."""
    if not shutil.which(python):
        return False
    return (
        subprocess.run([python, "-c", code], stderr=subprocess.DEVNULL, check=False, timeout=60).returncode
        == 0
    )


def install_with_apt(package: str) -> None:
    """Install a Debian package; a failure is told by apt itself, and another way is tried."""
    print(f"Installing {package} ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        argv = ["apt-get", "--quiet=2", *arguments]
        subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=False, timeout=600)


def run(*argv: object) -> None:
    """Run a program; stop with its exit code when it fails."""
    code = subprocess.run([str(part) for part in argv], check=False, timeout=600).returncode
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
