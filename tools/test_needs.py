"""See to the programs that the tests need beside Python packages: on Debian as root by apt, otherwise say what is missing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """A program, how to see that it is there, the Debian package it comes in, and which tests want it."""

    name: str
    package: str
    purpose: str
    is_there: Callable[[], bool]


def program(name: str) -> Callable[[], bool]:
    """A test for a program on the path."""
    return lambda: shutil.which(name) is not None


def postgresql() -> bool:
    """Debian keeps the server's programs off the path."""
    return shutil.which("initdb") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def compose() -> bool:
    """Compose 1.29 of Debian, or the plugin of a newer Docker."""
    if shutil.which("docker-compose"):
        return True
    argv = ["docker", "compose", "version"]
    return (
        shutil.which("docker") is not None
        and not subprocess.run(argv, capture_output=True, check=False).returncode
    )


NEEDS = (
    Need("Chromium", "chromium", "plays the music in a browser", program("chromium")),
    Need(
        "a font",
        "fonts-dejavu-core",
        "lets Chromium write",
        lambda: any(Path("/usr/share/fonts").rglob("*.ttf")),
    ),
    Need("PostgreSQL", "postgresql", "runs the database tests on a cluster's engine", postgresql),
    Need(
        "PgBouncer",
        "pgbouncer",
        "stands between the node and its database in a test",
        lambda: Path("/usr/sbin/pgbouncer").exists(),
    ),
    Need("Redis", "redis-server", "runs the queue tests on a cluster's engine", program("redis-server")),
    Need("Node.js", "nodejs", "runs the edge script that signed_cdn documents", program("node")),
    Need("npm", "npm", "fetches the judges of pages", program("npm")),
    Need("nginx", "nginx", "is the gate in front of the media", lambda: Path("/usr/sbin/nginx").exists()),
    Need(
        "HAProxy",
        "haproxy",
        "judges what the Ansible role writes for it",
        lambda: Path("/usr/sbin/haproxy").exists(),
    ),
    Need("curl", "curl", "comes to nginx by HTTP/2", program("curl")),
    Need("bubblewrap", "bubblewrap", "is the sandbox of decoders", program("bwrap")),
    Need("OpenSSL", "openssl", "makes certificates for the webhook tests", program("openssl")),
    Need("docker-compose", "docker-compose", "reads the compose files", compose),
    Need("promtool", "prometheus", "judges alerts and the dashboard", program("promtool")),
    Need("git", "git", "lists the files that are part of the project", program("git")),
)
HOSTS = (
    Need("systemd-nspawn", "systemd-container", "runs the hosts that are set up", program("systemd-nspawn")),
    Need("mmdebstrap", "mmdebstrap", "makes the disk of such a host", program("mmdebstrap")),
    Need("ssh", "openssh-client", "is how Ansible gets there", program("ssh")),
    Need("ip", "iproute2", "joins them by a network", program("ip")),
    Need(
        "apt-cacher-ng",
        "apt-cacher-ng",
        "brings them packages",
        lambda: Path("/usr/sbin/apt-cacher-ng").exists(),
    ),
    Need("Pebble", "pebble", "signs certificates as an authority does that certbot asks", program("pebble")),
)
"""What the drills on hosts need beside."""
BENCHMARKS = (
    Need("wrk", "wrk", "asks web servers without costing much itself", program("wrk")),
    Need("ip", "iproute2", "gives what is measured a network of its own", program("ip")),
)
"""What the benchmarks need beside."""

NODE = Path(__file__).resolve().parents[1] / "tests" / "node"
"""Where what runs in Node.js is listed, with a checksum for each package."""


def main() -> None:
    """Install what is missing where that is possible; stop with a list where it is not."""
    beside = {"hosts": HOSTS, "benchmarks": BENCHMARKS}
    if sys.argv[1:]:
        programs(beside[sys.argv[1]])
        return
    programs(NEEDS)
    node_packages()


def node_packages() -> None:
    """Install what ``tests/node/package-lock.json`` lists, unless it is there already."""
    lock, done = NODE / "package-lock.json", NODE / "node_modules" / ".package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("Installing what the tests need into tests/node ...", flush=True)
    argv = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(argv, cwd=NODE, stdin=subprocess.DEVNULL, check=True, timeout=600)


def programs(needs: tuple[Need, ...]) -> None:
    """Programs of the system."""
    missing = [need for need in needs if not need.is_there()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [need.package for need in missing]
        print(f"Installing {', '.join(packages)} ...", flush=True)
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            # RUNLEVEL=1: the tests start their own servers; a package must not start another one.
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
            argv = ["apt-get", "--quiet=2", *arguments]
            subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=False, timeout=1200)
        missing = [need for need in needs if not need.is_there()]
    if missing:
        for need in missing:
            print(
                f"{need.name} is missing; it {need.purpose} (Debian package {need.package}).", file=sys.stderr
            )
        names = " ".join(need.package for need in missing)
        sys.exit(
            f"Install what is missing and run the tests again, on Debian as root: apt-get install {names}"
        )


if __name__ == "__main__":
    main()
