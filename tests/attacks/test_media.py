"""One list of attacks on media addresses, each tried on the embedded server and on nginx."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from appliance.catalog.models import Quality
from tests.attacks.conftest import Front
from tests.attacks.conftest import Stage

REFUSED = frozenset({400, 403, 404, 405, 308})
ALL = frozenset(Quality)


@dataclass(frozen=True)
class Attack:
    """A path that must open nothing."""

    name: str
    path: Callable[[Stage], str]


def under(name: str, **changed: object) -> Callable[[Stage], str]:
    """*name* under a token with these facts changed."""
    return lambda stage: f"/media/{stage.token(**changed)}/{stage.asset}/{name}"


def spelled(change: Callable[[str], str], name: str = "low.mp4") -> Callable[[Stage], str]:
    """*name* under a right token that was changed afterwards."""
    return lambda stage: f"/media/{change(stage.token())}/{stage.asset}/{name}"


def elsewhere(asset: Callable[[Stage], str], name: str = "low.mp4") -> Callable[[Stage], str]:
    """*name* of another asset under a right token."""
    return lambda stage: f"/media/{stage.token(qualities=ALL)}/{asset(stage)}/{name}"


def field(number: int, value: str) -> Callable[[str], str]:
    """Write *value* into one field of a token."""

    def change(token: str) -> str:
        parts = token.split(".")
        parts[number] = value
        return ".".join(parts)

    return change


PERMISSIONS = [
    Attack("expired", under("low.mp4", expires_at_s=1_700_000_000)),
    Attack(
        "ends with this second",
        lambda s: f"/media/{s.token(expires_at_s=int(time.time()))}/{s.asset}/low.mp4",
    ),
    Attack(
        "made by a clock of tomorrow",
        lambda s: f"/media/{s.token(expires_at_s=int(time.time()) + 90_000)}/{s.asset}/low.mp4",
    ),
    Attack("signed with another secret", under("low.mp4", secret="x" * 64)),
    Attack("cut at its end", spelled(lambda token: token[:-1])),
    Attack("cut at its beginning", spelled(lambda token: token[1:])),
    Attack("without its signature", spelled(lambda token: token.rpartition(".")[0])),
    Attack("only its signature", spelled(lambda token: token.rpartition(".")[2])),
    Attack("its signature twice", spelled(lambda token: f"{token}.{token.rpartition('.')[2]}")),
    Attack("in capitals", spelled(str.upper)),
    Attack("with padding", spelled(lambda token: token + "==")),
    Attack("with a space behind", spelled(lambda token: token + "%20")),
    Attack("with a null behind", spelled(lambda token: token + "%00")),
    Attack("with more qualities", spelled(field(0, "1f"), "lossless.mp4")),
    Attack("with a later end", spelled(field(1, f"{int(time.time()) + 86_000:x}"))),
    Attack("with a higher epoch", spelled(field(2, "ffffff"))),
    Attack("of another listener", spelled(field(3, "01M7XV3QRS0KG0EQDX7R7YNTGQ"))),
    Attack("of nobody", spelled(field(3, "-"))),
    Attack("empty", lambda s: f"/media//{s.asset}/low.mp4"),
    Attack("very long", spelled(lambda token: token * 40)),
    Attack("none at all", lambda s: f"/media/{s.asset}/low.mp4"),
    Attack("as a query", lambda s: f"/media/{s.asset}/low.mp4?token={s.token()}"),
    Attack("for another track", elsewhere(lambda s: f"{s.draft}.{s.asset.partition('.')[2]}")),
    Attack(
        "for a track by a guessed id",
        elsewhere(lambda s: "01M7XV3QRS0KG0EQDX7R7YNTGR.01M7XV3PZQ0PRVXZKKJ7NYC877"),
    ),
    Attack("for the original", elsewhere(lambda s: f"{s.track}.original", "original")),
    Attack("for the original by the asset of the stream", elsewhere(lambda s: s.asset, "original")),
    Attack("for a playlist of the draft", elsewhere(lambda s: f"{s.draft}.x", "master.m3u8")),
    Attack("for the asset in small letters", elsewhere(lambda s: s.asset.lower())),
]
CLIMBING = [
    Attack(f"low token for {name}", under(name))
    for name in (
        "high.mp4", "lossless.mp4", "master.mp4", "high.media.m3u8", "lossless.media.m3u8", "lossless.key", "original",
        "LOSSLESS.mp4", "lossless.MP4", "lossless%2emp4", "%6cossless.mp4", "lossless.mp4/", "lossless.mp4;low.mp4",
        "low.mp4/../lossless.mp4", "low.mp4%2f..%2flossless.mp4", "low.mp4;/../lossless.mp4", "low.mp4%00lossless.mp4",
        "lossless.mp4%00low.mp4", "lossless.mp4%23low.mp4", "./lossless.mp4", "lossless.mp4%20", "lossless.mp4..",
        "lossless.mp4::$DATA", "lossless.mp4?low.mp4", "lossless%252emp4", "low.mp4%0d%0aX:%20lossless.mp4",
    )
]  # fmt: skip
WAYS_UP = (
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", ".%2e/", "%252e%252e%252f", "..%252f", "..%c0%af", "%c0%ae%c0%ae/", "%c0%ae%c0%ae%c0%af",
    "%e0%80%ae%e0%80%ae/", "..%ef%bc%8f", "..\\", "..%5c", "%2e%2e%5c", "..%255c", "..;/", "..;%2f", "%2e%2e;/", "....//", "..././",
    "..%00/", "..%0d/", "%u002e%u002e/", "..//", "/../", "x/../../",
)  # fmt: skip
TARGETS = ("secret_key", "media/hls/{asset}/lossless.mp4", "etc/passwd")
TRAVERSALS = [
    Attack(
        f"{way!r} from {start}", lambda s, way=way, start=start, target=target: _climb(s, way, start, target)
    )  # type: ignore[misc]
    for way in WAYS_UP
    for start in ("media", "artwork", "static")
    for target in TARGETS
]


def _climb(stage: Stage, way: str, start: str, target: str) -> str:
    base = f"/media/{stage.token(qualities=ALL)}/{stage.asset}/" if start == "media" else f"/{start}/"
    return f"{base}{way * 4}{target.format(asset=stage.asset.replace('.', '/'))}"


STORED = [
    Attack("the file where it is stored", lambda s: f"/hls/{s.asset.replace('.', '/')}/lossless.mp4"),
    Attack("the file below media", lambda s: f"/media/hls/{s.asset.replace('.', '/')}/lossless.mp4"),
    Attack("the original where it is stored", lambda s: f"/originals/{s.track}"),
    Attack("a folder of the public", lambda s: "/artwork/"),
    Attack("a hidden file of the store", lambda s: "/previews/.incoming"),
    Attack("a label beside a file", lambda s: f"/waveforms/{s.track}/.x.label"),
    Attack("the folder itself", lambda s: "/media/"),
]
GATE = [
    Attack(f"the gate at {path}", lambda s, path=path: path.format(token=s.token(), asset=s.asset))  # type: ignore[misc]
    for path in (
        "/gate", "/gate/", "/gate-sender", "/gate/sender", "/gate/{token}/{asset}/low.mp4", "/%67ate/{token}/{asset}/low.mp4", "//gate/{token}/{asset}/low.mp4",
        "/x/../gate/{token}/{asset}/low.mp4", "/x/%2e%2e/gate/{token}/{asset}/low.mp4", "/gate/../gate/{token}/{asset}/low.mp4",
        "/gate;x/{token}/{asset}/low.mp4", "/./gate/{token}/{asset}/low.mp4", "/media/..;/gate/{token}/{asset}/low.mp4",
        "/GATE/{token}/{asset}/low.mp4", "/gate%2f{token}/{asset}/low.mp4",
    )
]  # fmt: skip
ATTACKS = [*PERMISSIONS, *CLIMBING, *STORED, *GATE]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_it_opens_nothing(front: Front, attack: Attack) -> None:
    hold(front, attack)


def test_no_way_leads_up(front: Front) -> None:
    for attack in TRAVERSALS:
        hold(front, attack)


def hold(front: Front, attack: Attack) -> None:
    path = attack.path(front.stage)
    answer = front.ask(path if path.isascii() else quote(path))
    assert answer.status in REFUSED, (attack.name, answer.status, path)
    for secret in (front.stage.taken, front.stage.secret.encode(), b"root:x:0", b"X-Amz-"):
        assert secret not in answer.body, attack.name
    assert not [name for name in answer.headers if name.startswith(("x-gate", "x-accel"))]


def test_the_right_address_opens_for_whoever_holds_it(front: Front) -> None:
    """What is shared works until it expires: nothing in it is bound to a browser, a cookie or a network address."""
    path = f"/media/{front.stage.token()}/{front.stage.asset}/low.mp4"
    for headers in ({}, {"Cookie": "session=x", "User-Agent": "another"}, {"X-Forwarded-For": "203.0.113.7"}):
        answer = front.ask(path, headers=headers)
        assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-store")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Accel-Redirect": "/gate"},
        {"X-Original-URL": "/gate"},
        {"X-Rewrite-URL": "/media/"},
        {"X-Gate-Key": "guess"},
        {"X-Gate-Object": "secret_key"},
        {"X-HTTP-Method-Override": "POST"},
        {"Authorization": "Bearer x"},
        {"Cookie": "session=" + "x" * 3000},
        {"X-Forwarded-Prefix": "/media", "Forwarded": "host=evil.example"},
        {"Cache-Control": "only-if-cached", "Pragma": "x-get-cache-key"},
    ],
)
def test_no_header_opens_what_the_address_does_not(front: Front, headers: dict[str, str]) -> None:
    for name, wanted in (("lossless.mp4", {403}), ("low.mp4", {200})):
        answer = front.ask(f"/media/{front.stage.token()}/{front.stage.asset}/{name}", headers=headers)
        assert answer.status in wanted
        assert front.stage.taken not in answer.body


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-0,1-1,2-2", "bytes=0-,0-,0-,0-,0-", "bytes=" + ",".join("0-" for _ in range(1300)), "bytes=0-1,0-1,0-1",
        "bytes=-0", "bytes=--5", "bytes=5-1", "bytes=-", "bytes=9223372036854775807-", "bytes=0-9223372036854775808",
        "bytes=-9223372036854775808", "bytes=18446744073709551615-18446744073709551616", "bytes=0x0-0x5", "bytes=0-5;", "bytes = 0-5",
        "bits=0-5", "bytes=٠-٥".encode().decode("latin-1"), "bytes=0-5\t", "bytes=,,,0-5",
    ],
)  # fmt: skip
def test_no_range_gets_more_than_the_file(front: Front, wanted: str) -> None:
    path = f"/media/{front.stage.token()}/{front.stage.asset}/low.mp4"
    size = len(front.ask(path).body)
    answer = front.ask(path, headers={"Range": wanted})
    assert answer.status in {200, 206, 400, 416}
    assert len(answer.body) <= max(size, 1000)
    assert "multipart" not in answer.headers.get("content-type", "")


def test_a_draft_is_not_there_for_strangers(front: Front) -> None:
    for path, method in (
        (f"/api/v1/tracks/{front.stage.draft}/play", "POST"),
        (f"/api/v1/tracks/{front.stage.draft}", "GET"),
        (f"/listen/tracks/{front.stage.draft}/plain.m4a", "GET"),
        (f"/listen/tracks/{front.stage.draft}/episode.m4a", "GET"),
        ("/api/v1/tracks/01M7XV3QRS0KG0EQDX7R7YNTGR/play", "POST"),
    ):
        answer = front.ask(path, method=method, headers={"Content-Length": "0"})
        assert answer.status == 404, path
        assert b"/media/" not in answer.body


def test_a_kept_answer_serves_nobody_else(front: Front) -> None:
    right = front.stage.token(qualities=ALL)
    path = f"/media/{right}/{front.stage.asset}/lossless.mp4"
    assert front.stage.taken in front.ask(path).body
    # The answer for this address is kept now; nothing near it may fall into it.
    for near in (
        path.replace(right, front.stage.token()),
        path.replace(right, right[:-1]),
        path.replace(right, right + "."),
        path.replace(right, right.swapcase()),
        path.replace(front.stage.asset, front.stage.asset + ".x"),
        path.replace("lossless.mp4", "master.mp4/lossless.mp4"),
    ):
        answer = front.ask(near)
        assert answer.status in REFUSED
        assert front.stage.taken not in answer.body


def test_a_right_that_ends_shuts_the_stream_within_a_minute(front: Front) -> None:
    artist = front.stage.grant.artist
    # A listener of each front: what is kept for one address says nothing of another.
    listener = f"LAPSED{front.kind.upper()}"
    path = f"/media/{front.stage.token(listener=listener)}/{front.stage.asset}/low.mp4"
    others = f"/media/{front.stage.token(listener='STAYS')}/{front.stage.asset}/low.mp4"
    assert front.ask(path).status == 200
    began = time.monotonic()
    front.stage.revoke(f"member:{listener}:{artist}")
    while front.ask(path).status != 403:
        assert time.monotonic() - began < 60, "the promise of the manual"
        time.sleep(1)
    assert front.ask(others).status == 200
    before = front.stage.token(listener=listener)
    assert front.ask(f"/media/{before}/{front.stage.asset}/low.mp4").status == 403, (
        "replayed after the downgrade"
    )
