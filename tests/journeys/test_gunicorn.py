"""Under gunicorn: nothing is dropped while workers are replaced or die, and a restart of Redis costs nobody session or count."""

from __future__ import annotations

import os
import signal
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import Invalid
from appliance.settings import Settings
from tests.servers.gunicorn import Gunicorn
from tests.servers.redis import Redis
from tests.servers.repeated import Repeated
from tests.servers.site import csrf_token
from tests.waiting import until
from web import gunicorn_serving
from web.nginx import _upstream


class Askers(Repeated):
    """Visitors who ask one thing after the other, and how they were answered."""

    def __init__(self, server: Gunicorn, *, count: int = 4) -> None:
        self.server, self.answers = server, list[object]()
        super().__init__([self.ask] * count)

    def ask(self) -> None:
        """Once."""
        try:
            self.answers.append(self.server.ask("/api/v1/releases").status)
        except OSError as error:
            self.answers.append(error)

    def more(self, count: int) -> None:
        """Until so many more were answered."""
        wanted = len(self.answers) + count
        until(lambda: len(self.answers) >= wanted)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.mark.timeout(240)
def test_workers_are_replaced_without_a_dropped_request(data: Path) -> None:
    with Gunicorn(data) as server:
        until(lambda: len(server.workers()) == 2)
        with Askers(server) as askers:
            for _ in range(2):
                askers.more(20)
                before = server.workers()
                server.hang_up()
                until(
                    lambda before=before: (
                        len(server.workers() - before) == 2 and not server.workers() & before
                    )
                )  # type: ignore[misc]
                askers.more(20)
        assert set(askers.answers) == {200}, server.log()[-2000:]
        assert "Traceback" not in server.log()
        assert server.stop() == 0


@pytest.mark.timeout(240)
def test_a_worker_that_dies_is_replaced(data: Path) -> None:
    with Gunicorn(data) as server:
        until(lambda: len(server.workers()) == 2)
        before = server.workers()
        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(server.workers()) == 2 and server.workers() != before)
        assert [server.ask("/health").status for _ in range(10)] == [200] * 10


@pytest.mark.timeout(120)
def test_it_answers_on_a_socket(data: Path, tmp_path: Path) -> None:
    with Gunicorn(data, unix=str(tmp_path / "web.sock")) as server:
        assert server.ask("/ready").status == 200


def browser(server: Gunicorn) -> Callable[[str], str]:
    """Somebody who is signed in as the fan of the demo and looks at pages."""
    cookies = urllib.request.HTTPCookieProcessor()
    opened = urllib.request.build_opener(cookies).open
    base = f"http://127.0.0.1:{server.port}"

    def look(path: str, sent: bytes | None = None) -> str:
        with opened(base + path, sent, timeout=30) as answer:
            return str(answer.read().decode())

    form = {"email": "fan@demo.com", "password": "password123", "csrf_token": csrf_token(look("/sign-in"))}
    look("/sign-in", urllib.parse.urlencode(form).encode())
    return look


@pytest.mark.timeout(240)
def test_sessions_and_counts_outlive_a_restart_of_redis(data: Path) -> None:
    with (
        Redis(kept=True) as redis,
        Gunicorn(
            data,
            MUSICCONNECT_RATE_LIMIT_URL=redis.url,
            MUSICCONNECT_QUEUE_URL=redis.url,
            MUSICCONNECT_CACHE_URL=redis.url,
            MUSICCONNECT_RATE_LIMITS="100",
        ) as server,
    ):
        server.run("demo")
        look = browser(server)
        assert "Demo fan" in look("/account")

        def left() -> int:
            return int(server.ask("/api/v1/releases").headers["RateLimit-Remaining"])

        # From the beginning of a minute: then it ends after the test.
        until(lambda: left() > 0 and int(server.ask("/api/v1/releases").headers["RateLimit-Reset"]) > 30)
        before = [left() for _ in range(10)][-1]
        redis.kill()
        assert server.ask("/api/v1/releases").status == 200, "it counts in its memory meanwhile"
        assert "Demo fan" in look("/account")
        redis.start()
        # Who counted in memory looks for Redis again after a while.
        until(lambda: left() < before)
        assert "Demo fan" in look("/account")


def test_numbers_come_from_the_cores_unless_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(6)))
    assert gunicorn_serving.workers(Settings()) == 6
    assert gunicorn_serving.workers(Settings(web_workers=3)) == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)))
    assert gunicorn_serving.workers(Settings()) == gunicorn_serving.MOST_WORKERS


def test_which_server_answers_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gunicorn_serving.is_wanted(Settings())
    assert not gunicorn_serving.is_wanted(Settings(web_server="embedded"))
    monkeypatch.setattr(gunicorn_serving, "find_spec", lambda name: None)
    assert not gunicorn_serving.is_wanted(Settings())
    with pytest.raises(Invalid, match="pip install"):
        gunicorn_serving.is_wanted(Settings(web_server="gunicorn"))


def test_nginx_finds_the_socket() -> None:
    assert _upstream(Settings(web_socket="/run/musicconnect/web.sock")) == "unix:/run/musicconnect/web.sock"
