"""Pages of plugins: mounted, guarded and in our frame; and those of a plugin that fails left out."""

from __future__ import annotations

import logging
import textwrap
import uuid
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import hooks
from appliance import hookspecs
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.servers import site
from web.app import create_app

HEAD = """
from flask import Blueprint, g, render_template_string
from appliance import hookimpl
from appliance.hookspecs import WebPages
family = Blueprint("shelf", __name__)
needs = {}
@hookimpl
def web_pages():
    return WebPages(family, needs)
"""
SHELF = """
@family.get("/")
def index():
    return render_template_string("{% extends 'base.html' %}{% block main %}<p>{{ 500 | price('EUR') }}</p>{% endblock %}")
@family.get("/mine")
def mine():
    return g.visitor.email
@family.post("/mine")
def take():
    return "taken"
@family.get("/all")
def everything():
    return "all"
needs.update(index="anybody", mine="person", take="person", everything="plugins.change")
"""


@pytest.fixture
def mounted(appliance: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """An application with the pages of plugins written here."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(**sources: str) -> Flask:
        points = []
        for name, source in sources.items():
            module = f"{name}_{uuid.uuid4().hex}"
            (tmp_path / f"{module}.py").write_text(HEAD + textwrap.dedent(source), "utf-8")
            points.append(EntryPoint(name=name, value=module, group=hookspecs.GROUP))
        hooks.load(appliance.settings, points=points)
        return create_app(appliance)

    yield make
    hooks.load(Settings(), points=())


def test_hook_web_pages(mounted) -> None:
    browser = mounted(shelf=SHELF).test_client()
    answer = browser.get("/plugins/shelf/")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    # In the frame of every page, with its policy and its words for amounts.
    assert "<main" in page and "€5" in page
    assert "script-src 'self' 'nonce-" in answer.headers["Content-Security-Policy"]


def test_a_page_is_for_whom_its_plugin_says(mounted) -> None:
    app = mounted(shelf=SHELF)
    fan = site.make_person("fan@example.com", scopes=tuple(Scope))
    admin = site.make_person("admin@example.com", roles=(RoleName.ADMIN,), scopes=tuple(Scope))
    browser: FlaskClient = app.test_client()
    assert browser.get("/plugins/shelf/mine").location.startswith("/sign-in?next")
    assert browser.get("/plugins/shelf/mine", headers=fan.headers).get_data(as_text=True) == "fan@example.com"
    assert browser.get("/plugins/shelf/all", headers=fan.headers).status_code == 403
    assert browser.get("/plugins/shelf/all", headers=admin.headers).get_data(as_text=True) == "all"


def test_a_form_of_a_plugin_cannot_be_forged(mounted) -> None:
    app = mounted(shelf=SHELF)
    fan = site.make_person(scopes=tuple(Scope))
    browser = app.test_client()
    assert browser.post("/plugins/shelf/mine", headers=fan.headers).status_code == 400
    csrf = site.csrf_token(browser.get("/sign-in").get_data(as_text=True))
    answer = browser.post("/plugins/shelf/mine", headers=fan.headers, data={"csrf_token": csrf})
    assert answer.get_data(as_text=True) == "taken"


BAD = {
    "raises": "@hookimpl\ndef web_pages(): raise RuntimeError('no')",
    "does not say for whom": "@family.get('/')\ndef index(): return ''",
    "says it of a page that is none": "needs['other'] = 'anybody'",
    "asks for what nobody has": "@family.get('/')\ndef index(): return ''\nneeds['index'] = 'nobody.ever'",
    "stands elsewhere": "@family.record\ndef grow(state): state.app.add_url_rule('/x', 'x', lambda: '')",
    "returns something else": "@hookimpl\ndef web_pages(): return 'pages'",
}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD.keys())
def test_the_pages_of_a_plugin_that_fails_are_left_out(mounted, caplog, source: str) -> None:
    app = mounted(bad=source, shelf=SHELF)
    browser = app.test_client()
    assert browser.get("/plugins/bad/").status_code == 404
    assert browser.get("/x").status_code == 404
    assert browser.get("/plugins/shelf/").status_code == 200
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (record.plugin, record.hook) == ("bad", "web_pages")
