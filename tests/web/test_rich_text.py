"""What people write in Markdown is shown as they meant it and can hurt nobody."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from web import rich_text


def test_emphasis_lists_links_and_typed_line_breaks_are_shown() -> None:
    shown = rich_text.rendered("**Loud** and\n*quiet*\n\n- one\n- two\n\n[site](https://music.example)")
    assert "<strong>Loud</strong> and<br" in shown
    assert "<li>two</li>" in shown
    assert '<a href="https://music.example" rel="nofollow ugc noopener">site</a>' in shown


def test_a_heading_is_smaller_than_those_of_the_page() -> None:
    assert "<h3>Story</h3>" in rich_text.rendered("# Story")


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "<a href='javascript:alert(1)'>a</a>",
        "![x](https://spy.example/pixel.png)",
        "<svg/onload=alert(1)>",
        "<iframe src=//evil.example>",
    ],
)
def test_nothing_runs_and_nothing_is_fetched(hostile: str) -> None:
    assert_harmless(rich_text.rendered(hostile))


@given(st.text(max_size=300))
def test_no_text_at_all_gets_more_than_the_allowed_tags(text: str) -> None:
    assert_harmless(rich_text.rendered(text))


def assert_harmless(shown: str) -> None:
    for element in html.fragment_fromstring(shown.replace("\0", ""), create_parent=True).iterdescendants():
        assert element.tag in rich_text.TAGS
        assert set(element.attrib) <= {"href", "title", "rel"}
        assert element.get("href", "https:").startswith(("https:", "http:", "mailto:", "#", "/", "?")) or (
            ":" not in element.get("href", "").split("/")[0]
        )


def test_what_people_wrote_is_never_a_text_to_translate() -> None:
    """The translation of a text goes into the page as it is, so only the house's own words may be asked for."""
    templates = Path(__file__).parents[2] / "web" / "templates"
    asked = re.compile(r"\b(?:_|gettext)\(\s*(?![\"'\s])")
    found = {path.name: asked.findall(path.read_text("utf-8")) for path in templates.rglob("*.html")}
    assert not {name: calls for name, calls in found.items() if calls}


def test_headings_begin_below_what_the_page_has() -> None:
    assert "<h2>Story</h2>" in rich_text.rendered("## Story", 2)
    assert "<h4>Story</h4>" in rich_text.rendered("##### Story", 2)
