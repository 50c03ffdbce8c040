"""What every answer says to browsers, over every address there is."""

import dataclasses
import re

import pytest

from web.app import create_app

PUBLIC = "https://music.example"


@pytest.fixture
def secured(appliance):
    settings = dataclasses.replace(appliance.settings, public_url=PUBLIC, trusted_proxies=1)
    return create_app(dataclasses.replace(appliance, settings=settings))


def addresses(app):
    """Every address of the url map, with words that lead nowhere in its places."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<any\(([^,)]+)[^>]*>", r"\1", str(rule.rule))
        yield (
            re.sub(r"<int:[^>]+>", "1", path) and re.sub(r"<[^>]+>", "00000000000000000000000000", path),
            rule,
        )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_carries_the_headers(method, secured):
    client = secured.test_client()
    seen = set()
    for path, rule in addresses(secured):
        answer = client.open(path, method=method, base_url=PUBLIC)
        headers, kind = answer.headers, answer.mimetype
        seen.add((answer.status_code, kind))
        where = f"{method} {rule.rule} {answer.status_code} {kind}"
        assert headers["X-Content-Type-Options"] == "nosniff", where
        assert headers["Strict-Transport-Security"] == "max-age=63072000", where
        assert headers["Referrer-Policy"], where
        assert headers["Cross-Origin-Resource-Policy"] in {"same-origin", "cross-origin"}, where
        policy = headers.get("Content-Security-Policy", "")
        assert "unsafe" not in policy, where
        assert not re.search(r"https?:(?!//)", policy), where
        assert "*" not in policy.replace("frame-ancestors *", ""), where
        if kind == "text/html":
            assert policy.startswith("default-src 'none'; script-src 'self'"), where
            assert "base-uri 'none'" in policy, where
            assert "upgrade-insecure-requests" in policy, where
            assert "camera=()" in headers["Permissions-Policy"], where
            if "frame-ancestors *" not in policy:
                assert "frame-ancestors 'self'" in policy, where
                assert headers["Cross-Origin-Opener-Policy"] == "same-origin", where
        if kind in {"application/json", "application/problem+json"}:
            assert policy == "default-src 'none'; frame-ancestors 'none'", where
        for cookie in headers.getlist("Set-Cookie"):
            assert cookie.startswith(("__Host-", "language=")), where
            assert "; Secure" in cookie, where
            assert "; Path=/" in cookie, where
            assert "SameSite=Lax" in cookie, where
            assert "Domain" not in cookie, where
        answer.close()
    if method == "GET":
        assert {(200, "text/html"), (404, "text/html"), (404, "application/problem+json")} <= seen


def test_without_https_nothing_promises_it(client):
    answer = client.get("/")
    assert "Strict-Transport-Security" not in answer.headers
    assert "upgrade-insecure-requests" not in answer.headers["Content-Security-Policy"]


def test_only_the_origin_of_a_cdn_is_let_in(appliance, monkeypatch):
    from appliance import hooks

    def announce(name, **values):
        return ["https://cdn.example/x/artwork"] if name == "media_url" else []

    monkeypatch.setattr(hooks, "announce", announce)
    policy = create_app(appliance).test_client().get("/").headers["Content-Security-Policy"]
    assert "img-src 'self' data: https://cdn.example;" in policy
    assert "connect-src 'self' https://cdn.example;" in policy


def test_an_odd_address_of_a_plugin_does_not_open_the_policy():
    from web import headers

    for address in ("https://a.example;script-src *", "https://*", "javascript:x", "//cdn.example/x", "https://me@a/"):  # fmt: skip
        assert headers.origin(address) == ""


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("music.example", 200), ("MUSIC.example:443", 200), ("music.example.", 200), ("localhost:8000", 200), ("127.0.0.1", 200),
        ("[::1]:8000", 200), ("192.168.1.20:8000", 200), ("shop.example", 200), ("evil.example", 421), ("music.example.evil.example", 421),
        ("evil.example:443", 421), ("localhost.evil.example", 421),
    ],
)  # fmt: skip
def test_a_server_answers_to_its_own_names_only(name, status, appliance):
    settings = dataclasses.replace(
        appliance.settings, public_url=PUBLIC, trusted_hosts=("shop.example",), trusted_proxies=0
    )
    client = create_app(dataclasses.replace(appliance, settings=settings)).test_client()
    answer = client.get("/about", headers={"Host": name})
    assert (answer.status_code == 421) == (status == 421)
    assert "evil" not in answer.text
    assert client.get("/health", headers={"Host": name}).status_code == 200


def test_without_a_public_address_a_strangers_name_comes_into_no_link(client):
    assert client.get("/api/v1/openapi.json", headers={"Host": "evil.example"}).status_code == 421
    told = client.get("/api/v1/openapi.json", headers={"Host": "192.0.2.7:8000"})
    assert told.json["servers"] == [{"url": "http://192.0.2.7:8000"}]


def test_what_a_proxy_says_counts_only_when_there_is_one(appliance):
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "203.0.113.9",
    }
    answer = create_app(appliance).test_client().get("/api/v1/openapi.json", headers=forged)
    assert answer.json["servers"] == [{"url": "http://localhost"}]
    behind = dataclasses.replace(
        appliance, settings=dataclasses.replace(appliance.settings, trusted_proxies=1)
    )
    assert create_app(behind).test_client().get("/", headers=forged).status_code == 421
