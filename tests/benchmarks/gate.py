"""What the gate costs: the check of a media token, and signed ranges from nginx against the same bytes as a plain static file."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psutil

from appliance import revocations
from appliance.catalog.models import Quality
from appliance.memberships import media_tokens
from appliance.memberships.media_tokens import Grant
from appliance.settings import Settings
from appliance.startup import SECRET_FILE
from appliance.storage import open_store
from tests.benchmarks.figures import Figure
from tests.servers.nginx import nginx
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.sounds import tone
from web.nginx import configuration

CLONE_NEWNET = 0x40000000
ETHERNET_MTU = 1500
CHECKS = 20_000
ROUNDS = 9
SECONDS = 2
CONNECTIONS = 16
LISTENERS = 8
RUNG = "medium.mp4"
"""The best that strangers may hear."""
RANGE_BYTES = 96 * 1024
# Each listener reads a rung range after range, as a player does, and under a token of their own. The requests are written beforehand, so
# that the load costs little beside what is measured.
SCRIPT = """
local paths = {{ {paths} }}
local size, wanted = {size}, {wanted}
local requests, at = {{}}, 0
init = function()
  for number = 0, 255 do
    local from = (number * wanted) % (size - wanted)
    local range = "bytes=" .. from .. "-" .. (from + wanted - 1)
    requests[number] = wrk.format("GET", paths[number % #paths + 1], {{ ["Range"] = range }})
  end
end
request = function()
  at = (at + 1) % 256
  return requests[at]
end
"""


def run() -> list[Figure]:
    """Both figures; the second only where wrk is installed, since a load made in Python would measure itself."""
    return [token_check(), *(_apart(signed_ranges) if shutil.which("wrk") else [])]


def _apart(measure: Callable[[], list[Figure]]) -> list[Figure]:
    """What *measure* finds in a process with a network of its own, whose packets are as long as Ethernet's.

    The loopback's are 64 KiB: a response is one and a half of them, and Linux acknowledges such halves up to 44 ms late. That wait comes and
    goes for plain files too, and would be what is measured. Where no network can be made, the loopback has to do.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("fork"), initializer=_use_own_network) as apart:
        return apart.submit(measure).result()


def _use_own_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and shutil.which("ip") and libc.unshare(CLONE_NEWNET) == 0:
        subprocess.run(["ip", "link", "set", "lo", "mtu", str(ETHERNET_MTU), "up"], check=True, timeout=10)


def token_check() -> Figure:
    """Microseconds for one token: its signature, its expiry, its epoch and its quality."""
    now_s = int(time.time())
    grant = Grant(
        asset="01M7XV3QRS0KG0EQDX7R7YNTGR.01M7XV3PZQ0PRVXZKKJ7NYC877",
        qualities=frozenset(Quality),
        expires_at_s=now_s + 600,
        epoch=0,
        listener="01M7XV3QRS0KG0EQDX7R7YNTGQ",
        artist="01M7XV3QRS0KG0EQDX7R7YNTGA",
        release="01M7XV3QRS0KG0EQDX7R7YNTGB",
    )
    secret = os.urandom(32).hex()
    token = media_tokens.sign(grant, secret=secret)
    with tempfile.TemporaryDirectory() as name, Node(Path(name) / "data") as node:
        # The epoch of a real database, asked for every few seconds as in a web process.
        from appliance import database

        database.connect(f"sqlite:///{node.data / 'musicconnect.sqlite3'}")
        try:
            revocations.forget()
            best = min(_each(token, grant.asset, secret, now_s) for _ in range(5))
        finally:
            database.close()
            revocations.forget()
    return Figure("Check of a media token, by one process", best * 1e6, 30, True, "µs", f"{CHECKS} checks")


def _each(token: str, asset: str, secret: str, now_s: int) -> float:
    # Processor time: what others do on the machine is not the check.
    began = time.process_time()
    for _ in range(CHECKS):
        found = media_tokens.read(token, asset, secret=secret, now_s=now_s)
        media_tokens.require_standing(found)
        media_tokens.require(found, Quality.HIGH)
    return (time.process_time() - began) / CHECKS


def signed_ranges() -> list[Figure]:
    """The shipped configuration and a plain static location of the same nginx, in turn; the median of the ratios."""
    port = free_port()
    environ = {"MUSICCONNECT_PUBLIC_URL": f"http://127.0.0.1:{port}", "MUSICCONNECT_TRUSTED_PROXIES": "1"}
    with (
        tempfile.TemporaryDirectory() as name,
        Node(Path(name) / "data", port=free_port(), **environ) as node,
    ):
        node.sign_up()
        release = node.make_release()
        track = node.upload(release, "song.flac", tone(40, 220))
        node.wait_for(track)
        node.post(f"/api/v1/releases/{release}/publish")
        node.token = ""
        settings = Settings(
            data=node.data, port=node.port, public_url=environ["MUSICCONNECT_PUBLIC_URL"], trusted_proxies=1
        )
        store = open_store(str(node.data / "media"))
        folder = Path(name)
        (folder / "cache").mkdir()
        site = configuration(
            settings,
            store,
            secret=(node.data / SECRET_FILE).read_text("ascii").strip(),
            listen=(f"127.0.0.1:{port}",),
            cache=str(folder / "cache"),
            log=str(folder / "requests.log"),
        )
        rung = next((node.data / "media" / "hls").rglob(RUNG))
        plain = f"location /plain/ {{ access_log off; alias {rung.parent}/; }}\n    location / {{"
        with nginx(folder / "nginx", site.replace("location / {", plain, 1), port) as pid:
            signed = [
                urlsplit(node.post(f"/api/v1/tracks/{track}/play")["hls_url"]).path for _ in range(LISTENERS)
            ]
            ours = [path.replace("master.m3u8", RUNG) for path in signed]
            scripts = {
                kind: _script(folder / f"{kind}.lua", paths, rung.stat().st_size)
                for kind, paths in (("signed", ours), ("plain", [f"/plain/{RUNG}"]))
            }
            pairs, costs = [], []
            for number in range(ROUNDS):
                order = ("signed", "plain") if number % 2 else ("plain", "signed")
                speed = {kind: _wrk(port, scripts[kind], pid) for kind in order}
                pairs.append((speed["signed"][0], speed["plain"][0]))
                costs.append((speed["signed"][1], speed["plain"][1]))
    ours_s, plain_s = (median(column) for column in zip(*pairs, strict=True))
    ours_us, plain_us = (median(column) for column in zip(*costs, strict=True))
    return [
        Figure(
            "96 KiB ranges behind the gate / of a plain static file, by the same nginx",
            median(a / b for a, b in pairs),
            0.85,
            False,
            detail=f"{ours_s:.0f}/s against {plain_s:.0f}/s, {LISTENERS} listeners; nginx spends {ours_us:.0f} µs of processor time on one "
            f"against {plain_us:.0f} µs",
        )
    ]


def _script(path: Path, paths: list[str], size_bytes: int) -> Path:
    quoted = ", ".join(f'"{each}"' for each in paths)
    path.write_text(SCRIPT.format(paths=quoted, size=size_bytes, wanted=RANGE_BYTES))
    return path


def _wrk(port: int, script: Path, pid: int) -> tuple[float, float]:
    """Requests a second, and the microseconds of processor time that nginx spent on one."""
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    server = psutil.Process(pid)
    before = server.cpu_times()
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    after = server.cpu_times()
    if "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    rate, count = (
        re.search(form, done.stdout) for form in (r"Requests/sec:\s+([\d.]+)", r"(\d+) requests in")
    )
    assert rate, done.stdout
    assert count, done.stdout
    spent_s = after.user + after.system - before.user - before.system
    return float(rate[1]), spent_s / int(count[1]) * 1e6
