"""In a browser: what the server does not take yet because the same person sends too much at once goes in by itself, a little later."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Route
from playwright.sync_api import expect

from tests.journeys.test_studio import EMAIL
from tests.journeys.test_studio import PASSWORD
from tests.journeys.test_studio import sign_in
from tests.servers.chromium import page
from tests.servers.gunicorn import Gunicorn
from tests.servers.node import Node
from tests.sounds import tone
from tests.waiting import until
from web import senders

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Who speaks to one process of gunicorn."""
    with Gunicorn(tmp_path, MUSICCONNECT_WEB_WORKERS="1", MUSICCONNECT_WEB_THREADS="8") as server:
        client = Node(tmp_path, port=server.port)
        client.run(
            "user", "create", "--email", EMAIL, "--role", "artist", "--password-stdin", given=f"{PASSWORD}\n"
        )
        client.token = client.run("token", "create", "--email", EMAIL).strip()
        yield client


def test_a_page_waits_its_turn_and_goes_on_by_itself(node: Node, browser: Browser, tmp_path: Path) -> None:
    music, release = tone(1), node.make_release()
    song = tmp_path / "Low Tide.flac"
    song.write_bytes(music)
    begun, asked = list[str](), list[str]()
    with page(browser, expected="status of") as shown, ExitStack() as held:
        sign_in(shown, node)
        shown.on("request", lambda sent: sent.method == "POST" and begun.append(sent.url))

        def ask(route: Route) -> None:
            """How far it is, which the server cannot say at first."""
            if route.request.method != "HEAD":
                return route.continue_()
            asked.append(route.request.url)
            return (
                route.fulfill(status=429 if len(asked) == 1 else 503) if len(asked) < 3 else route.continue_()
            )

        shown.route("**/api/v1/uploads/*", ask)
        for number in range(senders.LEAST):
            upload = node.announce_upload(release, f"{number}.flac", len(music))
            sent = held.enter_context(socket.create_connection(("127.0.0.1", node.port)))
            sent.sendall(
                f"PATCH {upload} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {node.token}\r\n"
                f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
                f"Content-Length: {len(music)}\r\n\r\nf".encode()
            )
        until(lambda: len(list((node.data / "uploads").glob("*.part"))) == senders.LEAST)
        shown.goto(f"{node.url}/studio/releases/{release}")
        shown.set_input_files("#file", song)
        expect(shown.locator(".upload-note")).to_have_text(
            "Many files are being sent already; this one goes on by itself."
        )
        held.close()
        expect(shown.locator(".master")).to_have_count(1)
        expect(shown.locator(".title-input")).to_have_value("Low Tide")
        expect(shown.locator(".upload")).to_have_count(0)
    assert len(asked) == 3
    assert [url for url in begun if url.endswith("/uploads")] == [f"{node.url}/api/v1/uploads"]
