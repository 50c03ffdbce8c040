"""As browsers come: by HTTP/2 within TLS, to a real nginx with the configuration that is printed."""

import base64
import gzip
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.startup import Appliance
from tests.deploy.site import NAME
from tests.deploy.site import certificate
from tests.servers import site
from tests.servers.nginx import nginx
from tests.servers.ports import free_port
from tests.servers.site import serving
from tests.sounds import tone
from web import frame
from web.nginx import configuration

CURL = shutil.which("curl") or "curl"


@pytest.fixture
def more_settings() -> dict[str, Any]:
    return {"public_url": f"https://{NAME}", "trusted_proxies": 1}


@dataclass
class Browser:
    """curl, which finds the name here and knows the certificate."""

    port: int
    known: Path
    folder: Path

    def ask(self, path: str, *words: str) -> tuple[str, dict[str, str], bytes]:
        """Version and status, headers and the body as it came."""
        head, body = self.folder / "head", self.folder / "body"
        argv = [
            *(CURL, "--silent", "--show-error", "--max-time", "30", "--http2", "--cacert", str(self.known)),
            *("--connect-to", f"{NAME}:443:127.0.0.1:{self.port}", "--noproxy", "*"),
            *(
                "--dump-header",
                str(head),
                "--output",
                str(body),
                "--write-out",
                "%{http_version} %{http_code}",
            ),
            *(*words, f"https://{NAME}{path}"),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        lines = re.findall(r"^([\w-]+): (.*?)\r?$", head.read_text("latin-1"), re.M)
        return (
            done.stdout,
            {name.lower(): value for name, value in lines},
            body.read_bytes() if body.exists() else b"",
        )


@pytest.fixture
def browser(appliance: Appliance, tmp_path: Path) -> Iterator[Browser]:
    port = free_port()
    (tmp_path / "cache").mkdir()
    known, key = certificate(tmp_path)
    with serving(appliance, clear_untrusted_proxy_headers=False) as behind:
        text = configuration(
            replace(appliance.settings, port=behind),
            appliance.store,
            secret=appliance.secret,
            listen=(f"127.0.0.1:{port} ssl http2",),
            cache=str(tmp_path / "cache"),
            log=str(tmp_path / "requests.log"),
            tls=(str(known), str(key)),
        )
        with nginx(tmp_path / "nginx", text, port):
            yield Browser(port, known, tmp_path)


def test_a_style_comes_packed_by_http_2(browser: Browser) -> None:
    path = next((frame.STATIC / "css").glob("*.css"))
    address, plain = f"/assets/{frame.version()}/css/{path.name}", path.read_bytes()
    for packing in ("gzip", "br"):
        for _ in range(2):  # Of the application, and of what nginx kept.
            told, headers, body = browser.ask(address, "--header", f"Accept-Encoding: {packing}")
            assert told == "2 200"
            assert headers["content-encoding"] == packing
            assert headers["content-type"].startswith("text/css")
            assert len(body) < len(plain)
    assert gzip.decompress(browser.ask(address, "--header", "Accept-Encoding: gzip")[2]) == plain
    told, headers, body = browser.ask(address, "--header", "Accept-Encoding: br", "--compressed")
    assert body == plain


def test_a_page_comes_by_http_2_and_says_that_tls_stays(browser: Browser) -> None:
    told, headers, _ = browser.ask("/sign-in")
    assert told == "2 200"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert "; Secure" in headers["set-cookie"]
    assert browser.ask("/", "--http1.1")[0] == "1.1 200"


def test_no_protocol_of_before_is_spoken(browser: Browser) -> None:
    with pytest.raises(AssertionError, match=r"(?i)ssl|tls"):
        browser.ask("/", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")
    assert browser.ask("/", "--tlsv1.3")[0] == "2 200"


def test_another_name_is_answered_by_nobody(browser: Browser) -> None:
    assert browser.ask("/", "--header", "Host: other.example")[0] == "2 421"


def test_a_recording_goes_up_by_http_2(browser: Browser, appliance: Appliance) -> None:
    owner = site.make_person()
    release = site.make_release(owner)
    known = (
        "--header",
        f"Authorization: {owner.headers['Authorization']}",
        "--header",
        "Tus-Resumable: 1.0.0",
    )
    music = tone(1)
    (browser.folder / "song.flac").write_bytes(music)
    metadata = f"filename {base64.b64encode(b'song.flac').decode()},release {base64.b64encode(str(release.id).encode()).decode()}"
    told, headers, body = browser.ask(
        "/api/v1/uploads",
        *(*known, "--request", "POST", "--header", f"Upload-Length: {len(music)}"),
        *("--header", f"Upload-Metadata: {metadata}"),
    )
    assert told == "2 201", body
    told, headers, body = browser.ask(
        headers["location"].removeprefix(f"https://{NAME}"),
        *(*known, "--request", "PATCH", "--data-binary", f"@{browser.folder / 'song.flac'}"),
        *("--header", "Upload-Offset: 0", "--header", "Content-Type: application/offset+octet-stream"),
    )
    assert (told, headers["upload-offset"]) == ("2 204", str(len(music)))
    # A stranger is told so before anything of it is taken in.
    assert browser.ask("/api/v1/uploads", "--data-binary", f"@{browser.folder / 'song.flac'}")[0] == "2 401"
