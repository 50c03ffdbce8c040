"""nginx keeps scripts and styles as they were packed, and hands them out without asking again."""

import gzip
import http.client
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.startup import Appliance
from tests.servers.nginx import nginx
from tests.servers.ports import free_port
from tests.servers.site import serving
from web import frame
from web.nginx import configuration


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def more_settings(port: int) -> dict[str, Any]:
    return {"public_url": f"http://127.0.0.1:{port}", "trusted_proxies": 1}


def ask(port: int, path: str, packing: str) -> tuple[int, str, bytes, http.client.HTTPMessage]:
    to = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        to.request("GET", path, headers={"Accept-Encoding": packing})
        answer = to.getresponse()
        return answer.status, answer.headers.get("Content-Encoding", ""), answer.read(), answer.headers
    finally:
        to.close()


def test_what_was_packed_once_is_handed_out_without_the_application(
    appliance: Appliance, port: int, tmp_path: Path
) -> None:
    address = f"/assets/{frame.version()}/js/app.js"
    plain = (frame.STATIC / "js" / "app.js").read_bytes()
    (tmp_path / "cache").mkdir()
    with serving(appliance) as behind:
        text = configuration(
            replace(appliance.settings, port=behind),
            appliance.store,
            secret=appliance.secret,
            listen=(f"127.0.0.1:{port}",),
            cache=str(tmp_path / "cache"),
        )
        kept = nginx(tmp_path / "nginx", text, port)
        kept.__enter__()
        first = {packing: ask(port, address, packing) for packing in ("br", "gzip", "identity")}
        assert ask(port, "/assets/older/js/app.js", "identity")[0] == 200
    try:
        for packing, (status, encoding, body, headers) in first.items():
            again = ask(port, address, packing)
            assert (
                again[:3] == (status, encoding, body) == (200, "" if packing == "identity" else packing, body)
            )
            assert "immutable" in headers["Cache-Control"]
            assert "Accept-Encoding" in again[3]["Vary"]
            assert "RateLimit-Remaining" not in again[3]
        assert first["identity"][2] == plain == gzip.decompress(first["gzip"][2])
        assert len(first["br"][2]) < len(plain)
        # What is of another version is nothing to keep, and the application is gone.
        assert ask(port, "/assets/older/js/app.js", "identity")[0] in {502, 503}
    finally:
        kept.__exit__(None, None, None)
