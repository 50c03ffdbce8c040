"""What people write: cleaned, measured, and made into addresses."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance.catalog.artists import SLUG
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.catalog.wording import slugify
from appliance.errors import Invalid


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Low \t Tide\r\n", "Low Tide"),
        ("a\0b\x1b[31m", "ab[31m"),
        ("\u202egpj.exe", "gpj.exe"),
        ("e\u0301", "é"),
        ("🌊👩‍👩‍👧", "🌊👩‍👩‍👧"),
        ("\ud800x", "x"),
        ("a\u2028b", "a b"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
)
def test_a_line_is_cleaned(text: str, line: str) -> None:
    assert clean_line(text, field="title", longest=50) == line


def test_a_text_keeps_its_lines() -> None:
    assert clean_text(" one\r\n\r\ntwo\t\0 \n", field="about") == "one\n\ntwo"


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], {}, b"x"])
def test_what_is_no_text_is_told_by_name(value: object) -> None:
    for clean in (
        lambda: clean_line(value, field="title", longest=5),
        lambda: clean_text(value, field="title"),
    ):
        with pytest.raises(Invalid, match="'title' must be a text") as caught:
            clean()
        assert caught.value.field == "title"


def test_length_is_measured_after_cleaning() -> None:
    assert clean_line("  " + "x" * 5 + "\0" * 100, field="title", longest=5) == "xxxxx"
    with pytest.raises(Invalid, match="at most 5 characters; this one has 6"):
        clean_line("x" * 6, field="title", longest=5)


def test_nothing_left_is_empty() -> None:
    with pytest.raises(Invalid, match="must not be empty"):
        clean_line(" \0\u202e ", field="title", longest=5)
    assert clean_line(" \0 ", field="title", longest=5, required=False) == ""


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_cleaning_twice_changes_nothing_and_leaves_nothing_that_a_database_or_page_minds(text: str) -> None:
    for clean in (
        lambda t: clean_line(t, field="f", longest=500, required=False),
        lambda t: clean_text(t, field="f"),
    ):
        once = clean(text)
        assert clean(once) == once
        once.encode()
        assert not any(unicodedata.category(c) == "Cc" and c != "\n" for c in once)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_every_text_makes_an_address(text: str) -> None:
    assert SLUG.fullmatch(slugify(text))


def test_an_address_reads_like_its_title() -> None:
    assert slugify("Ça & là: Été №1!") == "ca-la-ete-no1"
    assert slugify("x" * 59 + " y") == "x" * 59
    assert slugify("夜") == "untitled"
