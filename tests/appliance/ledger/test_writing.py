"""Letters from right to left on paper: joined as their neighbours ask, and in the order of the eye."""

from __future__ import annotations

import unicodedata

import pytest

from appliance.ledger import writing


def named(text: str) -> list[str]:
    return [unicodedata.name(c).removeprefix("ARABIC LETTER ").removeprefix("ARABIC LIGATURE ") for c in text]


def test_arabic_letters_have_the_form_that_their_neighbours_ask_for() -> None:
    assert named(writing.joined("بيت")) == ["BEH INITIAL FORM", "YEH MEDIAL FORM", "TEH FINAL FORM"]
    assert named(writing.joined("دار")) == ["DAL ISOLATED FORM", "ALEF ISOLATED FORM", "REH ISOLATED FORM"]
    assert named(writing.joined("بلا ب")) == [
        "BEH INITIAL FORM",
        "LAM WITH ALEF FINAL FORM",
        "SPACE",
        "BEH ISOLATED FORM",
    ]


def test_a_vowel_sign_parts_no_letters() -> None:
    assert named(writing.joined("بَيت"))[::2] == ["BEH INITIAL FORM", "YEH MEDIAL FORM"]


@pytest.mark.parametrize("text", ["", "Harbour Lights", "夜の渡し船", "Ночной паром", "🌊"])
def test_other_letters_stay_as_they_are(text: str) -> None:
    assert writing.in_sight(writing.joined(text)) == text


def test_what_a_font_does_not_know_is_seen_to_be_missing() -> None:
    assert writing.drawable("Fähre 渡し", {ord(c) for c in "Fähre"}) == "Fähre □□"


def test_a_line_is_turned_and_numbers_and_latin_words_in_it_are_not() -> None:
    assert writing.in_sight("שלום 123") == "123 םולש"
    assert writing.in_sight("Sold to: שלום") == "Sold to: םולש"
