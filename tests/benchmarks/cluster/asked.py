"""What is asked of the stack, each time about another artist, release or track of the catalogue."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from urllib.parse import quote
from urllib.parse import urlsplit
from uuid import uuid4

from appliance.memberships import media_tokens
from appliance.startup import SECRET_FILE
from tests.benchmarks import catalogue
from tests.benchmarks import wrk
from tests.benchmarks.catalogue import Place
from tests.benchmarks.cluster.stack import Stack

READS = ("track", "release", "artist", "releases", "search")
COUNT = 2000
_STRIDE = 7919
"""A prime, so that what follows one another lies far apart."""
BROWSER = {"Accept-Encoding": "gzip, br", "Accept-Language": "en"}


def read(kind: str, number: int, place: Place) -> str:
    """The address of a read of this kind, another for another number."""
    number = number * _STRIDE
    match kind:
        case "track":
            return f"/api/v1/tracks/{catalogue.id_of('t', number % place.tracks)}"
        case "release":
            return f"/api/v1/releases/{catalogue.id_of('r', number % place.releases)}"
        case "artist":
            return f"/api/v1/artists{place.artist(number).replace('@', '')}"
        case "releases":
            return "/api/v1/releases"
        case "search":
            return f"/search/suggestions?q={quote(catalogue.words(-number).lower().split()[0])}"
    raise ValueError(kind)


def reads(kind: str, place: Place) -> list[bytes]:
    """Many reads of one kind, as requests."""
    return [wrk.written(read(kind, number, place)) for number in range(COUNT)]


def every_read(place: Place) -> list[bytes]:
    """All kinds in turn."""
    return [
        wrk.written(read(READS[number % len(READS)], number, place)) for number in range(COUNT * len(READS))
    ]


def pages(place: Place) -> list[bytes]:
    """Pages of releases, as a browser asks for them."""
    return [
        wrk.written(place.release(number * _STRIDE), headers=BROWSER | {"Accept": "text/html"})
        for number in range(COUNT)
    ]


def plays(stack: Stack) -> list[bytes]:
    """Putting tracks on."""
    return [
        wrk.written(f"{read('track', number, stack.place)}/play", method="POST") for number in range(COUNT)
    ]


def playlists(stack: Stack, track: str) -> list[bytes]:
    """The playlist of a rendition."""
    return [wrk.written(_signed(stack, track).replace("master.m3u8", "medium.media.m3u8"))]


def _signed(stack: Stack, track: str) -> str:
    return urlsplit(stack.client().post(f"/api/v1/tracks/{track}/play")["hls_url"]).path


def questions(stack: Stack, track: str) -> list[bytes]:
    """What nginx asks the application of an address, before it keeps the answer for a while."""
    path = _signed(stack, track).replace("/media/", "/gate/", 1).replace("master.m3u8", "medium.mp4")
    secret = (stack.data / SECRET_FILE).read_text("ascii").strip()
    return [wrk.written(path, headers={"X-Gate-Key": media_tokens.gate_key(secret)})]


def reports(stack: Stack, count: int) -> Iterator[bytes]:
    """What players tell of so many plays: each of another, begun and heard for half a minute."""
    now_ms = int(time.time() * 1000)
    for number in range(count):
        play, track = str(uuid4()), catalogue.id_of("t", number * _STRIDE % stack.place.tracks)
        event = {"play": play, "track": track, "quality": "low", "context": "/"}
        told = [
            event | {"kind": "start", "at": now_ms - 31_000, "position_ms": 0, "heard_ms": 0},
            event | {"kind": "progress", "at": now_ms - 1000, "position_ms": 30_000, "heard_ms": 30_000},
        ]
        body = json.dumps({"client": str(uuid4()), "sent_at": now_ms, "events": told}).encode()
        headers = {"Origin": stack.url, "Content-Type": "application/json"}
        yield wrk.written("/listen/events", method="POST", headers=headers, body=body)
