"""Load by wrk, which costs little beside what is measured: a load made in Python would measure itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The requests are written beforehand and asked for in turn.
SCRIPT = """
local paths = {{ {paths} }}
local size, wanted = {size}, {wanted}
local requests, at = {{}}, 0
local count = math.max(256, #paths)
init = function()
  for number = 0, count - 1 do
    local headers = {{ ["Accept-Encoding"] = "{encoding}" }}
    if wanted > 0 then
      local from = (number * wanted) % (size - wanted)
      headers["Range"] = "bytes=" .. from .. "-" .. (from + wanted - 1)
    end
    requests[number] = wrk.format("GET", paths[number % #paths + 1], headers)
  end
end
request = function()
  at = (at + 1) % count
  return requests[at]
end
"""
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


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


def script(
    path: Path, paths: Sequence[str], *, size_bytes: int = 0, range_bytes: int = 0, encoding: str = ""
) -> Path:
    """Write to *path* what asks for *paths* in turn; with *range_bytes* for a range of so many after the other, of files of *size_bytes*."""
    quoted = ", ".join(f'"{each}"' for each in paths)
    path.write_text(SCRIPT.format(paths=quoted, size=size_bytes, wanted=range_bytes, encoding=encoding))
    return path


def ask(port: int, asked: Path, *, connections: int, seconds: float) -> Answered:
    """Ask by so many connections, each again as soon as it is answered; an answer that is none is an error."""
    done = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds:g}s",
            "--latency",
            "-s",
            str(asked),
            f"http://127.0.0.1:{port}",
        ],
        capture_output=True,
        text=True,
        timeout=60 + 2 * seconds,
        check=True,
    )
    return read(done.stdout)


def read(told: str) -> Answered:
    """What wrk printed; ``RuntimeError`` when not all of it were answers."""
    if "Non-2xx" in told or "Socket errors" in told:
        raise RuntimeError(told)
    found = {
        name: re.search(form, told)
        for name, form in {
            "rate": r"Requests/sec:\s+([\d.]+)()",
            "count": r"(\d+) requests in()",
            "p50": r"50%\s+([\d.]+)(us|ms|s|m)\b",
            "p99": r"99%\s+([\d.]+)(us|ms|s|m)\b",
        }.items()
    }
    values = {name: float(each[1]) * _UNITS.get(each[2], 1.0) for name, each in found.items() if each}
    if len(values) < len(found):
        raise RuntimeError(told)
    return Answered(int(values["count"]), values["rate"], values["p50"], values["p99"])
