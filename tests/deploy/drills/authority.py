"""A certificate authority that speaks ACME (RFC 8555): Pebble, which Let's Encrypt wrote for tests, and a name server that leads where it is told."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.drills.stage import certificate
from tests.deploy.drills.stage import until

DIRECTORY, ROOTS, NAMES, ORDERS = 14000, 15000, 8053, 8055


@dataclass(frozen=True)
class Authority:
    """It runs on this machine, and hosts reach it at *address*."""

    folder: Path
    address: str

    @property
    def directory(self) -> str:
        """What ``musicconnect_certbot_server`` is set to."""
        return f"https://{self.address}:{DIRECTORY}/dir"

    @property
    def trusted(self) -> Path:
        """Who signed the certificate by which Pebble itself is reached."""
        return self.folder / "tls" / "authority.crt"

    def root(self) -> Path:
        """Who signs what Pebble issues; new each time it starts."""
        kept = self.folder / "root.pem"
        context = ssl.create_default_context(cafile=str(self.trusted))
        with opened(f"https://{self.address}:{ROOTS}/roots/0", context) as answer:
            kept.write_bytes(answer.read())
        return kept

    def lead(self, name: str, address: str) -> None:
        """From now on *name* is found at *address*, and nowhere else."""
        for act, told in (("clear-a", {}), ("add-a", {"addresses": [address]})):
            order = json.dumps({"host": f"{name}.", **told}).encode()
            with opened(urllib.request.Request(f"http://127.0.0.1:{ORDERS}/{act}", data=order)) as answer:
                answer.read()


def opened(address: str | urllib.request.Request, context: ssl.SSLContext | None = None) -> Any:
    """An answer by way of this machine's own network, whatever else ``urllib`` was told about names."""
    handlers = [urllib.request.HTTPSHandler(context=context)] if context else []
    return urllib.request.build_opener(*handlers).open(address, timeout=10)


@contextmanager
def authority(folder: Path, address: str) -> Iterator[Authority]:
    """Pebble at *address*. It asks the name server of this block for names, and their port 80 for the proof."""
    certificate(folder / "tls", "pebble", f"IP:{address}")
    configuration = folder / "pebble.json"
    told = {
        "listenAddress": f"{address}:{DIRECTORY}",
        "managementListenAddress": f"{address}:{ROOTS}",
        "certificate": str(folder / "tls" / "pebble.crt"),
        "privateKey": str(folder / "tls" / "pebble.key"),
        "httpPort": 80,
        "tlsPort": 443,
    }
    configuration.write_text(json.dumps({"pebble": told}), "utf-8")
    names = ["pebble-challtestsrv", "-defaultIPv4", "", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{NAMES}"]
    names += ["-management", f"127.0.0.1:{ORDERS}", "-http01", "", "-https01", "", "-tlsalpn01", ""]
    pebble = ["pebble", "-config", str(configuration), "-dnsserver", f"127.0.0.1:{NAMES}"]
    found = Authority(folder, address)
    with ExitStack() as running:
        for argv, more in ((names, {}), (pebble, {"PEBBLE_VA_NOSLEEP": "1"})):
            running.enter_context(started(argv, folder / f"{argv[0]}.log", more))
        until("Does Pebble answer", lambda: reached(found), patience_s=30)
        yield found


def reached(asked: Authority) -> bool:
    """Whether both answer."""
    try:
        asked.root()
        asked.lead("nowhere.example", "127.0.0.1")
    except OSError:
        return False
    return True


@contextmanager
def started(argv: list[str], log: Path, more: dict[str, str]) -> Iterator[None]:
    """A program until the block ends."""
    program = shutil.which(argv[0])
    assert program, f"{argv[0]} is not there: python tools/test_needs.py hosts"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [program, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            env={**os.environ, **more},
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
