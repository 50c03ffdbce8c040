import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urljoin
from urllib.parse import urlsplit

import pytest

from appliance.errors import Invalid
from plugins import signed_cdn
from plugins.signed_cdn import signing

KEY = "k" * 32
NOW_S = 1_800_000_000
PATH = "media/abc_-.def/01JTRACK.01JRUN/master.m3u8"
README = Path(signed_cdn.__file__).with_name("README.md")


def signed(path: str = PATH, *, key: str = KEY, expires_at_s: int = NOW_S + 600) -> str:
    return signing.sign(path, key, expires_at_s=expires_at_s)


@pytest.fixture
def cdn():
    signed_cdn.plugin_start(values={"base_url": "https://cdn.example/music/", "key": KEY})
    yield signed_cdn
    signed_cdn.plugin_start(values={"base_url": "", "key": ""})


def test_a_signed_address_opens_its_file():
    assert signing.verify(signed(), [KEY], now_s=NOW_S) == PATH


@pytest.mark.parametrize("relative", ["low.media.m3u8", "lossless.mp4", "low/part.mp4"])
def test_the_relative_addresses_of_a_playlist_inherit_the_signature(relative):
    inherited = urlsplit(urljoin(f"https://cdn.example/{signed()}", relative)).path.lstrip("/")
    assert signing.verify(inherited, [KEY], now_s=NOW_S) == f"media/abc_-.def/01JTRACK.01JRUN/{relative}"


def test_a_signature_stops_working_at_its_expiry():
    address = signed(expires_at_s=NOW_S)
    assert signing.verify(address, [KEY], now_s=NOW_S - 1) == PATH
    assert signing.verify(address, [KEY], now_s=NOW_S) is None


def test_a_change_of_keys_interrupts_nobody():
    assert signing.verify(signed(), ["n" * 32, KEY], now_s=NOW_S) == PATH
    assert signing.verify(signed(), ["n" * 32], now_s=NOW_S) is None


def test_public_media_need_no_signature():
    assert signing.verify("artwork/01J/640.webp", [KEY], now_s=NOW_S) == "artwork/01J/640.webp"


REFUSED = {
    "no signature": PATH,
    "another folder": signed().replace("abc_", "abd_"),
    "the folder above": signed().replace("01JTRACK.01JRUN/", ""),
    "a folder that begins alike": signed().replace("01JRUN/", "01JRUNX/"),
    "a later expiry": re.sub(r"^[0-9a-f]+", f"{NOW_S + 9999:x}", signed()),
    "an expiry written otherwise": "0" + signed(),
    "a cut signature": signed()[:40] + signed()[50:],
    "a way out by dots": signed().replace("master.m3u8", "../../x/y/high.mp4"),
    "a way out by encoded dots": signed().replace("master.m3u8", "%2e%2e/%2e%2e/x/y/high.mp4"),
    "an empty segment": signed().replace("master.m3u8", "/high.mp4"),
    "a query": signed() + "?a=b",
    "a way out of the public": "artwork/../originals/01J",
    "a line feed at the end": signed() + "\n",
    "nothing": "",
}


@pytest.mark.parametrize("path", REFUSED.values(), ids=REFUSED.keys())
def test_the_edge_refuses(path):
    assert signing.verify(path, [KEY], now_s=NOW_S) is None


@pytest.mark.parametrize(
    "path", ["master.m3u8", "media/../secret", "media/a b/x", "media//x", "media/x?y", "/media/x"]
)
def test_a_key_that_no_edge_would_take_is_not_signed(path):
    with pytest.raises(Invalid, match="cannot be signed"):
        signed(path)


@pytest.mark.skipif(
    shutil.which("node") is None, reason="node is not installed, so the JavaScript of the README is not run"
)
def test_the_javascript_of_the_readme_decides_as_the_python_does(tmp_path):
    script = re.search(r"```js\n(.*?)```", README.read_text("utf-8"), re.S)[1]
    (tmp_path / "cdn.mjs").write_text(script, "utf-8")
    asked = [signed(), *REFUSED.values(), signed(expires_at_s=NOW_S), "artwork/01J/640.webp"]
    # An edge is given the path without its query, and a request line holds no line feed.
    asked = [path for path in asked if "?" not in path and "\n" not in path]
    (tmp_path / "run.mjs").write_text(
        "import cdn from './cdn.mjs';\n"
        f"const answers = {json.dumps(asked)}.map(path => cdn.origin_path('/' + path, ['{KEY}'], {NOW_S}));\n"
        "process.stdout.write(JSON.stringify(answers));\n"
    )
    done = subprocess.run(
        ["node", tmp_path / "run.mjs"], capture_output=True, text=True, timeout=30, check=True
    )
    ours = [signing.verify(path, [KEY], now_s=NOW_S) for path in asked]
    assert json.loads(done.stdout) == ["/" + path if path else "" for path in ours]


def test_without_settings_it_leaves_the_answer_to_others():
    signed_cdn.plugin_start(values={"base_url": "", "key": ""})
    assert signed_cdn.media_url("artwork/x/1.webp", 0) is None
    assert signed_cdn.media_url(PATH, 600) is None


def test_public_media_get_a_plain_address(cdn):
    assert cdn.media_url("artwork/x/1.webp", 0) == "https://cdn.example/music/artwork/x/1.webp"


@pytest.mark.parametrize(
    ("base_url", "key", "told"),
    [
        ("", KEY, "'base_url' is missing"),
        ("cdn.example", KEY, "must be http:// or https://"),
        ("ftp://cdn.example", KEY, "must be http:// or https://"),
        ("https://", KEY, "and a host"),
        ("https://cdn.example/?x", KEY, "without"),
        ("https://me:pw@cdn.example", KEY, "must be"),
        ("https://cdn.example:port", KEY, "must be"),
        ("https://cdn.example", "", "'key' is too short"),
        ("https://cdn.example", "k" * 31, "at least 32"),
    ],
)
def test_half_a_configuration_is_refused_with_a_sentence(base_url, key, told):
    with pytest.raises(Invalid, match=re.escape(told)) as refused:
        signed_cdn.plugin_start(values={"base_url": base_url, "key": key})
    assert not key or key not in str(refused.value)
    assert signed_cdn.media_url(PATH, 600) is None
