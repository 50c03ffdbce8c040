"""The design: its living page, the colours artists choose, and where the frame leads."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example
from hypothesis import given
from hypothesis import strategies

from appliance import doctor
from appliance.accounts.models import RoleName
from appliance.startup import Appliance
from tests.servers import site
from web import colours
from web import design
from web import frame

COMPONENTS = (frame.STATIC.parent / "templates" / "components").glob("*.html")
ELSEWHERE = {
    "accent",
    "attributes",
    "credits",
    "favourite",
    "footer",
    "head_meta",
    "player",
    "plays",
    "right",
    "share",
    "topics",
}
"""Components that make no sense without a page of their own; those pages are tested."""
any_colour = strategies.integers(0, 0xFFFFFF).map("#{:06x}".format)


@given(any_colour)
@example("#ffffff")
@example("#000000")
@example("#ffff00")
@example("#7f7f7f")
def test_every_colour_an_artist_chooses_can_be_read(colour: str) -> None:
    for ratio, least in ((colours.CONTRAST, 4.5), (colours.HIGH_CONTRAST, 7.0)):
        made = colours.accent(colour, ratio=ratio)
        for ground in (colours.LIGHT_PAGE, colours.LIGHT_GROUND, colours.LIGHT_INK):
            assert colours.contrast(made.on_light, ground) >= least
        for ground in (colours.DARK_PAGE, colours.DARK_GROUND, colours.DARK_INK):
            assert colours.contrast(made.on_dark, ground) >= least


def test_the_style_speaks_of_the_same_colours_as_the_calculation() -> None:
    style = (frame.STATIC / "css" / "base.css").read_text("utf-8")
    usual, high = colours.accent(colours.OWN), colours.accent(colours.OWN, ratio=colours.HIGH_CONTRAST)
    assert re.findall(r"--accent-on-light: (#\w+)", style) == [usual.on_light, high.on_light]
    assert re.findall(r"--accent-on-dark: (#\w+)", style) == [usual.on_dark, high.on_dark]
    assert f"light-dark({colours.LIGHT_PAGE}, {colours.DARK_PAGE})" in style


def test_an_accent_is_a_style_that_is_kept_for_a_year(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        address = frame.accent_sheet("#FF2D55")
    answer = client.get(address)
    assert answer.mimetype == "text/css"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers
    assert answer.get_data(as_text=True) == colours.stylesheet("#ff2d55")


@pytest.mark.parametrize(
    "colour", ["red", "12345", "1234567", "ff2d5g", "ff2d55}body{display:none", "٠٠٠٠٠٠"]
)
def test_what_is_no_colour_makes_no_style(client: FlaskClient, colour: str) -> None:
    assert client.get(f"/accents/{colour}.css").status_code == 404


@pytest.mark.parametrize("name", sorted({path.stem for path in COMPONENTS} - ELSEWHERE))
def test_the_page_of_the_design_shows_every_component(name: str) -> None:
    template = (frame.STATIC.parent / "templates" / "design.html").read_text("utf-8")
    assert f'"components/{name}.html"' in template


def test_developers_see_the_page_of_the_design(client: FlaskClient) -> None:
    page = client.get("/design").get_data(as_text=True)
    assert all(f"#{name}" in page for name in design.icons())
    assert page.count(' id="') == len(set(re.findall(r' id="([^"]+)"', page)))


def test_the_public_of_a_real_node_does_not_see_the_page_of_the_design(
    appliance: Appliance, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "is_loopback", lambda host: False)
    assert client.get("/design").status_code == 404


def test_every_icon_that_a_page_names_is_in_the_sprite() -> None:
    templates = frame.STATIC.parent / "templates"
    named = {
        name
        for path in templates.rglob("*.html")
        for name in re.findall(
            r"""(?:\bicon|\bdraw)\(["']([a-z-]+)["']|icon=["']([a-z-]+)["']""", path.read_text("utf-8")
        )
        for name in name
        if name
    }
    assert named <= set(design.icons())


def test_the_frame_leads_to_what_is_there_and_nowhere_else(app: Flask, artist: site.Person) -> None:
    browser = site.signed_in(app, artist)
    page = browser.get("/design").get_data(as_text=True)
    header = page[page.index('<header class="site"') : page.index("</header>")]
    for address in re.findall(r'href="(/[^"]*)"', header):
        assert browser.get(address).status_code < 400, address


def test_only_who_makes_music_is_led_to_the_studio(app: Flask) -> None:
    for roles, led in (((), False), ((RoleName.ARTIST,), True)):
        page = site.signed_in(app, site.make_person(roles=roles)).get("/design").get_data(as_text=True)
        bar = page[page.index('class="tab-bar"') :]
        assert ('href="/studio"' in bar) is led


@pytest.mark.parametrize(("cookie", "said"), [("dark", "dark"), ("light", "light"), ("x", ""), ("", "")])
def test_a_chosen_theme_is_there_before_any_script(client: FlaskClient, cookie: str, said: str) -> None:
    client.set_cookie("theme", cookie)
    page = client.get("/sign-in").get_data(as_text=True)
    assert ('data-theme="' in page.split(">", 2)[1]) is bool(said)
    if said:
        assert f'data-theme="{said}"' in page


def test_an_error_stands_in_the_frame_without_asking_who_looks(client: FlaskClient) -> None:
    page = client.get("/nothing-here").get_data(as_text=True)
    assert 'class="site"' in page
    assert 'class="foot"' in page


def test_what_is_no_colour_becomes_our_own() -> None:
    assert colours.accent("no colour") == colours.accent(colours.OWN)


def test_what_the_page_of_the_design_opens_it_closes(client: FlaskClient) -> None:
    page = client.get("/design").get_data(as_text=True)
    for name in ("div", "p", "section", "ul", "li", "span", "form", "dialog", "details"):
        assert len(re.findall(rf"<{name}[\s>]", page)) == page.count(f"</{name}>"), name
