"""A Docker engine of our own, without a registry: its base image is a Debian that mmdebstrap makes from this machine's sources.

``DOCKER_HOST`` names an engine that runs already; else dockerd is started and stopped by us. What is built stays in a folder below
``/var/tmp``, so that the next drill builds little.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
KEPT = Path("/var/tmp/musicconnect-docker")
BASE_IMAGE = "debian:bookworm-slim"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PACKAGES = "apt-get install docker.io docker-compose tini mmdebstrap"
PERL = [
    "perl",
    "perl-modules-5.36",
    "libperl5.36",
    "libfile-find-rule-perl",
    "libnumber-compare-perl",
    "libtext-glob-perl",
]
"""What usrmerge needed while the base was made; the well-known base images have none of it."""
PATIENCE_S = 120.0


class Impossible(Exception):
    """No engine can run here; the sentence says why."""


@dataclass
class Engine:
    """An engine that answers at *host*."""

    host: str
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = ("PATH", "HOME", "LANG", "http_proxy", "https_proxy", "no_proxy")
        self.environ = {name: os.environ[name] for name in kept if name in os.environ}
        self.environ |= {"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "1"}

    def run(
        self, *argv: str, timeout_s: float = 600, environ: Mapping[str, str] | None = None, given: str = ""
    ) -> str:
        """A command to its end; returns what it printed."""
        done = subprocess.run(
            argv,
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**self.environ, **(environ or {})},
            cwd=ROOT,
        )
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout[-3000:]} {done.stderr[-3000:]}"
        return done.stdout

    def docker(self, *arguments: str, timeout_s: float = 600, given: str = "") -> str:
        """``docker …``."""
        return self.run(client(), *arguments, timeout_s=timeout_s, given=given)

    def look(self, *named: str) -> list[Any]:
        """``docker inspect``."""
        return list(json.loads(self.docker("inspect", *named)))

    def build(self, dockerfile: str, tag: str, *, target: str = "") -> float:
        """Build an image from the checkout; returns the seconds it took."""
        began = time.monotonic()
        secrets = KEPT / "secrets"
        secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        (secrets / "pip.conf").write_text(_pip_conf(), "utf-8")
        words = ["build", "--network", "host", "--file", dockerfile, "--tag", tag, "--progress", "plain"]
        words += [
            "--secret",
            f"id=pip_conf,src={secrets / 'pip.conf'}",
            "--secret",
            f"id=ca_bundle,src={AUTHORITIES}",
        ]
        # Docker knows these by itself and keeps them out of what it builds.
        words += [
            word
            for name in ("http_proxy", "https_proxy")
            if os.environ.get(name)
            for word in ("--build-arg", name)
        ]
        self.docker(*words, *(["--target", target] if target else []), ".", timeout_s=1800)
        return time.monotonic() - began

    def need_base(self) -> None:
        """Make and import the base image, unless it is there."""
        if self.docker("image", "ls", "--quiet", BASE_IMAGE).strip():
            return
        tree = KEPT / "base.tar"
        if not tree.exists():
            _make_base(tree)
        self.docker("import", "--change", 'CMD ["bash"]', str(tree), BASE_IMAGE)


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """An engine with a base image; ``Impossible`` says why there can be none."""
    for program in (client(), compose()[0]):
        if not shutil.which(program):
            raise Impossible(f"{program} is not installed: {PACKAGES}")
    with contextlib.ExitStack() as stack:
        host = os.environ.get("DOCKER_HOST") or stack.enter_context(_dockerd())
        found = Engine(host)
        found.need_base()
        yield found


def client() -> str:
    """Debian's client builds by BuildKit itself; a newer one on the path needs a plugin for that."""
    return "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"


def compose() -> list[str]:
    """docker-compose 1.29, or the compose of today."""
    return ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]


@contextlib.contextmanager
def _dockerd() -> Iterator[str]:
    if os.geteuid() != 0:
        raise Impossible("only root can start dockerd; or name an engine that runs in DOCKER_HOST")
    for program in ("dockerd", "mmdebstrap"):
        if not shutil.which(program):
            raise Impossible(f"{program} is not installed: {PACKAGES}")
    KEPT.mkdir(parents=True, exist_ok=True)
    socket = KEPT / "engine.sock"
    argv = [
        "dockerd",
        "--iptables=false",
        "--ip6tables=false",
        "--bip",
        "10.99.0.1/24",
        "--host",
        f"unix://{socket}",
    ]
    argv += [
        "--data-root",
        str(KEPT / "data"),
        "--exec-root",
        str(KEPT / "exec"),
        "--pidfile",
        str(KEPT / "pid"),
    ]
    log = KEPT / "dockerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        probe = [client(), "--host", f"unix://{socket}", "version"]
        while subprocess.run(probe, capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Impossible(f"dockerd does not start: {log.read_text('utf-8', 'replace')[-1000:]}")
            time.sleep(0.3)
        yield f"unix://{socket}"
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _make_base(tree: Path) -> None:
    sources = [
        path
        for path in ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
        if Path(path).exists()
    ]
    excluded = [
        f"--dpkgopt=path-exclude=/usr/share/{name}/*"
        for name in ("doc", "man", "locale", "info", "groff", "lintian")
    ]
    # How this machine's apt is set up goes along: it is what reaches the sources.
    settings = [
        f"--customize-hook=copy-in {path} /etc/apt/apt.conf.d"
        for path in glob.glob("/etc/apt/apt.conf.d/99*")
    ]
    argv = [
        "mmdebstrap",
        "--quiet",
        "--variant=apt",
        "--mode=root",
        "--aptopt=Acquire::Check-Valid-Until false",
        *excluded,
    ]
    argv += ['--customize-hook=chroot "$1" apt-get install --yes -qq usr-is-merged usrmerge-']
    argv += [f'--customize-hook=chroot "$1" apt-get purge --yes -qq {" ".join(PERL)}', *settings]
    fresh = tree.with_suffix(".new.tar")
    done = subprocess.run(
        [*argv, "bookworm", str(fresh), *sources[:1]],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode:
        raise Impossible(f"mmdebstrap makes no base image: {done.stderr[-1000:]}")
    fresh.rename(tree)


def _pip_conf() -> str:
    """How this machine reaches packages, for the time of the build."""
    wanted = {
        "index-url": os.environ.get("PIP_INDEX_URL"),
        "extra-index-url": os.environ.get("PIP_EXTRA_INDEX_URL"),
    }
    lines = [f"{name} = {value}" for name, value in wanted.items() if value]
    return "\n".join(["[global]", "cert = /run/secrets/ca_bundle", "timeout = 180", *lines, ""])
