"""Encrypted rungs: what is decrypted is what was encrypted, byte for byte, also by others' programs; all else is told."""

import io
import subprocess

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance.catalog import sealing
from appliance.catalog.sealing import Damaged
from appliance.catalog.sealing import Layout

KEY = bytes(range(16))
sizes = st.integers(1, 70) | st.sampled_from([16, 32, 4096, sealing.PIECE_BYTES, 2 * sealing.PIECE_BYTES + 5])
layouts = st.builds(Layout, st.integers(1, 60), st.lists(sizes, min_size=1, max_size=5).map(tuple))


def clear_of(layout):
    return bytes((at * 31 + at // 251) % 256 for at in range(layout.clear_bytes))


def sealed_of(clear, layout, key=KEY):
    target = io.BytesIO()
    told = sealing.seal(io.BytesIO(clear), target, layout=layout, key=key)
    return target.getvalue(), told


def unseal(sealed, layout, key=KEY):
    target = io.BytesIO()
    told = sealing.unseal(io.BytesIO(sealed), target, layout=layout, key=key)
    return target.getvalue(), told


@settings(deadline=None)
@given(layouts, st.binary(min_size=16, max_size=16))
def test_what_was_sealed_comes_back_byte_for_byte(layout, key):
    clear = clear_of(layout)
    sealed, told = sealed_of(clear, layout, key)
    assert len(sealed) == layout.sealed_bytes
    assert unseal(sealed, layout, key) == (clear, told)
    assert sealed[: layout.header_bytes] == clear[: layout.header_bytes]
    assert Layout.read(str(layout)) == layout


@settings(deadline=None)
@given(layouts, st.data())
def test_any_part_of_the_clear_file_is_read_out_of_the_sealed_one(layout, data):
    clear = clear_of(layout)
    sealed, _ = sealed_of(clear, layout)
    start = data.draw(st.integers(0, len(clear) - 1))
    stop = data.draw(st.integers(start + 1, len(clear)))

    def opened(first, length):
        assert first >= 0 and first + length <= len(sealed)
        return io.BytesIO(sealed[first : first + length])

    pieces = list(sealing.clear_range(opened, layout=layout, key=KEY, start=start, stop=stop))
    assert b"".join(pieces) == clear[start:stop]
    assert max(map(len, pieces)) <= sealing.PIECE_BYTES


def test_openssl_opens_each_segment_with_the_key_and_the_number_of_the_segment():
    layout = Layout(24, (1000, 16, 5000, 33))
    clear = clear_of(layout)
    sealed, _ = sealed_of(clear, layout)
    for number, span in enumerate(layout.spans()):
        segment = sealed[span.sealed_offset : span.sealed_offset + span.sealed_bytes]
        command = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", KEY.hex(), "-iv", f"{number:032x}"]
        done = subprocess.run(command, input=segment, capture_output=True, check=True, timeout=30)
        assert done.stdout == clear[span.clear_offset : span.clear_offset + span.clear_bytes]


@settings(deadline=None)
@given(layouts, st.data())
def test_a_changed_byte_a_cut_or_another_key_never_passes(layout, data):
    clear = clear_of(layout)
    sealed, told = sealed_of(clear, layout)
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + sealed[at + 1 :]
    for wrong, key in ((changed, KEY), (sealed[:at], KEY), (sealed + b"x", KEY), (sealed, KEY[::-1])):
        try:
            _, found = unseal(wrong, layout, key)
        except Damaged:
            continue
        assert found != told


def test_a_file_that_is_not_as_its_layout_says_is_not_sealed():
    layout = Layout(4, (20, 20))
    for wrong in (bytes(43), bytes(45)):
        with pytest.raises(Damaged):
            sealed_of(wrong, layout)


def test_no_two_segments_look_alike_though_they_are():
    layout = Layout(1, (64, 64))
    sealed, _ = sealed_of(bytes(129), layout)
    first, second = layout.spans()
    assert sealed[first.sealed_offset :][:16] != sealed[second.sealed_offset :][:16]
