"""Load by wrk, which costs little beside what is measured: a load made in Python would measure itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The requests are written beforehand and sent in turn.
SCRIPT = """
local file = assert(io.open("{requests}", "rb"))
local lengths = {{ {lengths} }}
local requests, at = {{}}, 0
for number = 1, #lengths do requests[number] = file:read(lengths[number]) end
file:close()
request = function()
  at = at % #requests + 1
  return requests[at]
end
"""
PATIENCE_S = 30
"""Beyond it, an answer counts as none."""
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_FORMS = {
    "rate": r"Requests/sec:\s+([\d.]+)()",
    "count": r"(\d+) requests in()",
    "p50": r"50%\s+([\d.]+)(us|ms|s|m)\b",
    "p99": r"99%\s+([\d.]+)(us|ms|s|m)\b",
}


@dataclass(frozen=True)
class Answered:
    """What wrk saw."""

    count: int
    rate: float
    """Requests a second."""
    p50_ms: float
    p99_ms: float


def is_there() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


def written(
    path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """A request as it goes over the wire; the name of the host is the loopback's."""
    told = {"Host": "127.0.0.1", **(headers or {}), **({"Content-Length": str(len(body))} if body else {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def ranges(paths: Sequence[str], *, size_bytes: int, range_bytes: int, count: int = 256) -> list[bytes]:
    """Requests for one range after the other of each of *paths*, files of so many bytes, as players ask."""
    starts = [number * range_bytes % (size_bytes - range_bytes) for number in range(count)]
    return [
        written(paths[number % len(paths)], headers={"Range": f"bytes={start}-{start + range_bytes - 1}"})
        for number, start in enumerate(starts)
    ]


def script(path: Path, requests: Sequence[bytes]) -> Path:
    """Write to *path* what sends *requests* in turn."""
    kept = path.with_suffix(".requests")
    kept.write_bytes(b"".join(requests))
    path.write_text(SCRIPT.format(requests=kept, lengths=", ".join(str(len(each)) for each in requests)))
    return path


def ask(port: int, asked: Path, *, connections: int, seconds: float) -> Answered:
    """Send by so many connections, each again as soon as it is answered; ``RuntimeError`` when not all of it were answers."""
    argv = [
        "wrk",
        "--latency",
        "-s",
        str(asked),
        "-t1",
        f"-c{connections}",
        f"-d{seconds:g}s",
        "--timeout",
        f"{PATIENCE_S}s",
    ]
    done = subprocess.run(
        [*argv, f"http://127.0.0.1:{port}"],
        capture_output=True,
        text=True,
        timeout=60 + 2 * seconds,
        check=True,
    )
    return read(done.stdout)


def read(told: str) -> Answered:
    """What wrk printed; ``RuntimeError`` when not all of it were answers."""
    found = {name: re.search(form, told) for name, form in _FORMS.items()}
    values = {name: float(each[1]) * _UNITS.get(each[2], 1.0) for name, each in found.items() if each}
    if "Non-2xx" in told or "Socket errors" in told or len(values) < len(_FORMS):
        raise RuntimeError(told)
    return Answered(int(values["count"]), values["rate"], values["p50"], values["p99"])
