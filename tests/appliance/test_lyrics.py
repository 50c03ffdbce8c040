"""Synchronised lyrics: what players write is taken, and what cannot be read is refused with its line."""

import pytest

from appliance.catalog import lyrics
from appliance.catalog.lyrics import Line
from appliance.errors import Invalid


def test_lines_come_in_the_order_they_are_sung() -> None:
    text = "[ar:Night Ferry]\n[00:12.50]Low tide\n[00:01]First light\n"
    assert lyrics.lines(text) == [Line(1000, "First light"), Line(12_500, "Low tide")]


def test_a_line_that_comes_back_has_several_times() -> None:
    assert lyrics.lines("[00:10.00][01:10.00]Again") == [Line(10_000, "Again"), Line(70_000, "Again")]


@pytest.mark.parametrize(("offset", "at_ms"), [("+500", 9500), ("-500", 10_500), ("20000", 0)])
def test_an_offset_moves_all_lines(offset: str, at_ms: int) -> None:
    assert lyrics.lines(f"[offset:{offset}]\n[00:10.00]Here")[0].at_ms == at_ms


def test_the_times_of_single_words_are_left_out() -> None:
    assert lyrics.lines("[00:01.00]<00:01.00>Low <00:01.40>tide") == [Line(1000, "Low tide")]


def test_fractions_have_one_two_or_three_digits() -> None:
    assert [line.at_ms for line in lyrics.lines("[0:01.5]a\n[0:02.25]b\n[0:03.125]c\n[0:04:50]d")] == [
        1500,
        2250,
        3125,
        4500,
    ]


def test_words_in_brackets_after_the_time_are_words() -> None:
    assert lyrics.lines("[00:01.00][Chorus] La la") == [Line(1000, "[Chorus] La la")]


def test_a_line_without_words_is_a_pause() -> None:
    assert lyrics.lines("[00:05.00]\n\n[00:06.00]On") == [Line(5000, ""), Line(6000, "On")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[00:01.00]One\nTwo", "Line 2 has no time"),
        ("[00:01.00]One\n[00:75.00]Two", "Line 2: “00:75.00” has more than 59 seconds"),
        ("[1:2x]One", "Line 1: “[1:2x]” is no time"),
        ("[ar:Somebody]\n[ti:Something]", "No line has a time"),
        ("just words", "Line 1 has no time"),
        ("[]", "Line 1: “[]” is no time"),
    ],
)
def test_a_bad_text_is_refused_with_the_line_and_the_reason(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        lyrics.read(text)
    assert sentence in str(refused.value)
    assert refused.value.field == "synced_lyrics"


def test_a_line_after_the_end_of_the_track_is_refused() -> None:
    assert lyrics.read("[03:01.00]Last", duration_ms=180_000)
    with pytest.raises(Invalid, match="“Last” begins at 4:10, after the end"):
        lyrics.read("[04:10.00]Last", duration_ms=180_000)


def test_windows_line_ends_a_byte_order_mark_and_nothing_are_taken() -> None:
    assert lyrics.read("\ufeff[00:01.00]One\r\n[00:02.00]Two") == "[00:01.00]One\n[00:02.00]Two"
    assert lyrics.read("  \n ") == ""


def test_ten_thousand_lines_and_other_rubbish_are_told() -> None:
    with pytest.raises(Invalid, match="at most 3000 lines"):
        lyrics.read("\n".join("[00:01.00]x" for _ in range(5000)))
    with pytest.raises(Invalid, match="must be a text"):
        lyrics.read(17)


def test_the_words_alone_are_what_is_read_without_times() -> None:
    assert lyrics.plain("[ti:x]\n[00:02.00]Two\n[00:01.00]<00:01.00>One") == "One\nTwo"
