"""Lighthouse's judgement of three pages on a simulated phone and line: storefront, release and studio."""

from __future__ import annotations

import http.cookiejar
import json
import os
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.servers.chromium import PROGRAM
from tests.servers.node import Node
from tests.servers.site import csrf_token
from transcoder import synthesis

FOLDER = Path(__file__).resolve().parents[1] / "node" / "lighthouse"
BOUNDS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
ROUNDS = 3
"""The middle one of so many counts, as Lighthouse's own manual advises against the noise of a machine."""


def run() -> list[Figure]:
    """Twelve figures: four categories of three pages."""
    install()
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Path(folder) / "data")
        node.data.mkdir()
        node.run("demo")
        with node:
            release = whole_demo(node)
            pages = {"storefront": "/", "release": urllib.parse.urlsplit(release).path, "studio": "/studio"}
            cookie = session(node)
            return [
                figure
                for name, path in pages.items()
                for figure in judged(name, node.url + path, cookie if name == "studio" else "")
            ]


def install() -> None:
    """Fetch Lighthouse, once."""
    if not (FOLDER / "node_modules").is_dir():
        argv = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(argv, cwd=FOLDER, check=True, timeout=600)


def whole_demo(node: Node) -> str:
    """The address of the demo's newest release, once all of it is ready and the machine is quiet."""
    while True:
        items = node.get("/api/v1/releases")["items"]
        releases = [node.get(f"/api/v1/releases/{item['id']}") for item in items]
        tracks = [track for release in releases for track in release["tracks"]]
        if len(tracks) >= len(synthesis.SONGS) and all(track["state"] == "ready" for track in tracks):
            time.sleep(5)
            return str(releases[0]["url"])
        time.sleep(1)


def session(node: Node) -> str:
    """The cookie of the demo artist."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    token = csrf_token(browser.open(f"{node.url}/sign-in").read().decode())
    sent = {"email": "artist@demo.com", "password": "password123", "csrf_token": token}
    browser.open(f"{node.url}/sign-in", urllib.parse.urlencode(sent).encode())
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def judged(name: str, address: str, cookie: str) -> list[Figure]:
    """The four figures of one page, and what cost points."""
    reports = sorted(
        (report(address, cookie) for _ in range(ROUNDS)),
        key=lambda found: found["categories"]["performance"]["score"] or 0,
    )
    middle = reports[ROUNDS // 2]
    return [
        Figure(
            f"Lighthouse, {name}: {category}",
            round(100 * (middle["categories"][category]["score"] or 0)),
            bound,
            at_most=False,
            unit="points",
            detail=lost(middle, category),
        )
        for category, bound in BOUNDS.items()
    ]


def lost(report: dict, category: str) -> str:
    """The audits of this category that were not passed, with what they show."""
    found = []
    for reference in report["categories"][category]["auditRefs"]:
        audit = report["audits"][reference["id"]]
        if reference["weight"] and audit["score"] is not None and audit["score"] < 0.9:
            found.append(f"{audit['id']} {audit.get('displayValue', '')}".strip().replace("\xa0", " "))
    return ", ".join(found)


def report(address: str, cookie: str) -> dict:
    """Lighthouse's own report of a page."""
    argv = [
        str(FOLDER / "node_modules" / ".bin" / "lighthouse"),
        address,
        "--quiet",
        "--output=json",
        "--output-path=stdout",
        f"--only-categories={','.join(BOUNDS)}",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
    ]
    if cookie:
        argv.append(f"--extra-headers={json.dumps({'Cookie': cookie})}")
    environment = {**os.environ, "CHROME_PATH": PROGRAM}
    done = subprocess.run(argv, capture_output=True, check=True, timeout=180, env=environment)
    found: dict = json.loads(done.stdout)
    return found
