"""``musicconnect nginx``: a configuration for this node, or the sentence that says what it lacks."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance import hooks
from appliance.cli import cli
from appliance.errors import Invalid
from appliance.memberships import media_tokens
from appliance.settings import Settings
from appliance.startup import Appliance
from appliance.storage import LocalStore
from tools.nginx_examples import FOLDER
from tools.nginx_examples import examples
from web import bodies
from web import headers
from web import request_log
from web.app import create_app
from web.nginx import PICTURES
from web.nginx import RECORDINGS
from web.nginx import configuration

SECRET = "s" * 64


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, public_url="https://music.example", trusted_proxies=1)


def text(settings: Settings, tmp_path: Path, **wanted: object) -> str:
    return configuration(settings, LocalStore(tmp_path / "media"), secret=SECRET, **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(examples()))
def test_the_examples_are_what_is_printed(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == examples()[name]


def test_no_example_holds_the_key_of_anybody_s_bucket() -> None:
    for shown in examples().values():
        assert "SECRET" not in shown
        assert "Signature" not in shown


def test_it_is_printed_by_a_command(tmp_path: Path) -> None:
    given = {
        "MUSICCONNECT_DATA": str(tmp_path / "data"),
        "MUSICCONNECT_PUBLIC_URL": "http://music.example:8080",
        "MUSICCONNECT_TRUSTED_PROXIES": "1",
    }
    hooks.add_commands(cli)
    done = CliRunner().invoke(cli, ["nginx", "--listen", "127.0.0.1:8080", "--cache", "/tmp/c"], env=given)
    assert done.exit_code == 0, done.output
    assert "listen 127.0.0.1:8080;" in done.stdout
    assert "proxy_cache_path /tmp/c/gate" in done.stdout
    assert 'proxy_set_header Host "music.example:8080";' in done.stdout
    assert "ssl_certificate" not in done.stdout
    assert f"alias {tmp_path}/data/media/$gate_object;" in done.stdout


@pytest.mark.parametrize("name", sorted(examples()))
def test_no_part_of_it_notes_requests_in_the_usual_form_of_nginx(name: str) -> None:
    """That form tells the address of the visitor and of the page, with tokens and searches in it."""
    servers = re.split(r"^server \{", examples()[name], flags=re.MULTILINE)[1:]
    assert len(servers) == 2
    for server in servers:
        noted = re.findall(r"access_log ([^;]+);", server)
        assert noted
        assert [one for one in noted if one != "off" and not one.endswith(" musicconnect")] == []


def test_several_web_servers_stand_behind_it(settings: Settings, tmp_path: Path) -> None:
    shown = text(settings, tmp_path, upstreams=("10.0.0.1:8000", "10.0.0.2:8000"))
    assert "    server 10.0.0.1:8000;\n    server 10.0.0.2:8000;\n    keepalive" in shown
    assert "127.0.0.1:8000" not in shown


def test_a_web_server_that_nginx_cannot_be_told_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="nginx cannot be told this"):
        text(settings, tmp_path, upstreams=("10.0.0.1:8000; return 200",))


def test_it_holds_the_key_of_the_gate_and_not_the_secret(settings: Settings, tmp_path: Path) -> None:
    shown = text(settings, tmp_path)
    assert media_tokens.gate_key(SECRET) in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"public_url": ""}, "public_url"), ({"trusted_proxies": 0}, "trusted_proxies"), ({"port": 0}, "port")],
)
def test_what_it_lacks_is_told(
    settings: Settings, tmp_path: Path, changed: dict[str, object], told: str
) -> None:
    with pytest.raises(Invalid) as error:
        text(replace(settings, **changed), tmp_path)  # type: ignore[arg-type]
    assert error.value.field == told


@pytest.mark.parametrize("value", ["/var/cache;", "/a b", '/a"b', "/a$b", "/a{", "/a\nb"])
def test_nothing_that_nginx_would_read_as_its_own_words_gets_in(
    settings: Settings, tmp_path: Path, value: str
) -> None:
    with pytest.raises(Invalid, match="cannot be told"):
        text(settings, tmp_path, cache=value)
    with pytest.raises(Invalid, match="cannot be told"):
        configuration(settings, LocalStore(tmp_path / "a;b"), secret=SECRET)


def test_what_nginx_says_itself_holds_browsers_to_tls_where_there_is_tls(
    settings: Settings, tmp_path: Path
) -> None:
    said = f'add_header Strict-Transport-Security "{headers.HSTS}" always;'
    shown = text(settings, tmp_path)
    assert shown.count(said) == shown.count("add_header X-Content-Type-Options") > 0
    plain = replace(settings, public_url="http://music.example")
    assert 'Strict-Transport-Security "' not in text(plain, tmp_path)


def test_a_certificate_is_renewed_over_plain_http_and_all_else_leads_to_tls(
    settings: Settings, tmp_path: Path
) -> None:
    shown = text(settings, tmp_path, challenges="/var/www/acme")
    plain = shown[shown.index("listen 80;") : shown.index("443")]
    assert "location ^~ /.well-known/acme-challenge/ {\n        root /var/www/acme;" in plain
    assert "return 301 https://music.example$request_uri;" in plain
    with pytest.raises(Invalid):
        text(settings, tmp_path, challenges="/a b")


def test_several_web_servers_are_asked_in_turn(settings: Settings, tmp_path: Path) -> None:
    shown = text(settings, tmp_path, upstreams=("10.0.0.1:8000", "10.0.0.2:8000"))
    assert (
        "upstream musicconnect {\n    server 10.0.0.1:8000;\n    server 10.0.0.2:8000;\n    keepalive 32;"
        in shown
    )
    assert "proxy_connect_timeout 2s;" in shown
    assert "127.0.0.1:8000" not in shown
    with pytest.raises(Invalid):
        text(settings, tmp_path, upstreams=("10.0.0.1:8000;",))


def test_what_is_kept_tells_nobody_the_request_of_who_asked_first(settings: Settings, tmp_path: Path) -> None:
    shown = text(settings, tmp_path)
    assets = shown[shown.index("location /assets/ {") : shown.index("location = /metrics {")]
    assert f"proxy_hide_header {request_log.HEADER};" in assets


def test_whatever_takes_more_than_a_form_gets_it_through_and_only_recordings_unbuffered(
    appliance: Appliance,
) -> None:
    app = create_app(appliance)
    for rule in app.url_map.iter_rules():
        most, path = bodies.most_bytes(app, rule.endpoint), re.sub(r"<[^>]+>", "x", rule.rule)
        recording, picture = (bool(re.search(one, path)) for one in (RECORDINGS, PICTURES))
        if {"POST", "PUT", "PATCH"} & set(rule.methods or ()):
            assert recording == (most == app.config["MAX_CONTENT_LENGTH"]), path
            assert picture == (most == bodies.MOST_PICTURE_BYTES), path
