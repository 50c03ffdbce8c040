"""The description of the interface: valid, complete, and true."""

import base64
import io
import re
import shlex
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from PIL import Image

from appliance import clock
from appliance.accounts import tokens
from appliance.accounts.models import Scope
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.library import playlists
from appliance.memberships import tiers
from appliance.shop import prices
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from web.api.operations import OPERATIONS
from web.api.operations import Operation

pytestmark = pytest.mark.usefixtures("nobody_works")

ALSO_DESCRIBED = {"/health", "/ready", "/metrics"}


def test_the_document_is_valid_openapi(client: FlaskClient) -> None:
    validate(client.get("/api/v1/openapi.json").json)


def test_every_route_and_method_is_described_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") or rule.rule in ALSO_DESCRIBED
        for method in (rule.methods or set()) - ({"OPTIONS"} if "uploads" not in rule.rule else set())
        # Flask answers HEAD wherever there is a GET.
        if method != "HEAD" or "GET" not in (rule.methods or set())
    }
    described = {
        (method.upper(), path)
        for path, operations in client.get("/api/v1/openapi.json").json["paths"].items()
        for method in operations
    }
    assert described == routes


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_the_page_tells_of_every_operation_and_schema_and_needs_no_script_of_its_own(
    client: FlaskClient,
) -> None:
    answer = client.get("/api/v1/docs")
    page = answer.get_data(as_text=True)
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in page
    for name in client.get("/api/v1/openapi.json").json["components"]["schemas"]:
        assert name == "OpenApi" or f'id="{name}"' in page
    assert re.findall(r'<script[^>]+src="[^"]*/(\w+\.js)"', page) == ["app.js"]
    assert not re.search(r"<script(?![^>]+(src=|type=.application/json))", page)
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    # Whatever is linked on the page is there.
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


def test_the_cookie_is_called_what_it_is_called(appliance: Appliance, client: FlaskClient) -> None:
    schemes = client.get("/api/v1/openapi.json").json["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert schemes["cookie"]["name"] == client.application.config["SESSION_COOKIE_NAME"]


@pytest.mark.parametrize("operation", [row for row in OPERATIONS if row.example], ids=lambda row: row.name)
def test_the_example_does_what_it_says(
    operation: Operation, appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist)
    track = site.make_track(release, appliance)
    token = tokens.mint(artist.user, now=clock.now(), scopes=tuple(Scope))
    if "quotes" in operation.path:
        prices.set_release(release, 0, pay_more=True, actor=artist.user, now=clock.now())
        Release.update(state=ReleaseState.PUBLISHED).execute()
    values = {"TOKEN": token, "ARTIST": release.artist.slug, "RELEASE": release.id, "TRACK": track.id}
    values["TIER"] = tiers.of_artist(release.artist)[1].id
    values["PLAYLIST"] = playlists.create(artist.user, {"title": "For the night"}, now=clock.now()).id
    flac = appliance.store.open(track.original_key).read()
    values["SIZE"] = str(len(flac))
    if "UPLOAD" in operation.example:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": values["SIZE"], **artist.headers}
        headers["Upload-Metadata"] = site.metadata(release=release.id)
        values["UPLOAD"] = (
            client.post("/api/v1/uploads", headers=headers).headers["Location"].rpartition("/")[2]
        )
    answer = as_curl(
        client, operation.example.replace("{root}", "http://localhost"), values, {"song.flac": flac}
    )
    assert answer.status_code in operation.answers, answer.get_data(as_text=True)


def as_curl(client: FlaskClient, command: str, values: dict[str, str], files: dict[str, bytes]) -> Any:
    """What curl would get; it knows the few options that the examples use."""
    for name, value in values.items():
        command = command.replace(f"${name}", value)
    command = re.sub(
        r"\$\(printf (\S+) \| base64\)", lambda m: base64.b64encode(m[1].encode()).decode(), command
    )
    assert "$" not in command
    picture = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(picture, "PNG")
    files = {**files, "cover.png": picture.getvalue()}
    words, sent = shlex.split(command)[1:], {}  # type: ignore[var-annotated]
    headers: list[tuple[str, str]] = []
    method, url = "", ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers.append((name, value))
        elif word == "--json":
            sent = {"data": words.pop(0), "content_type": "application/json"}
        elif word == "-F":
            name, _, file = words.pop(0).partition("=@")
            sent = {"data": {name: (io.BytesIO(files[file]), file)}}
        elif word == "--data-binary":
            sent = {"data": files[words.pop(0).removeprefix("@")]}
        elif word == "-I":
            method = "HEAD"
        elif word != "-i":
            url = word
    return client.open(url, method=method or ("POST" if sent else "GET"), headers=headers, **sent)
