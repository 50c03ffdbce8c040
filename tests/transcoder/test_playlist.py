import itertools

import pytest

from transcoder import playlist
from transcoder.boxes import Fragment
from transcoder.boxes import Fragmented


def rung(
    seconds: float, *, step_s: float = 0.5, delay: int = 0, size_bytes: int = 1000
) -> tuple[Fragmented, float]:
    count = max(1, round(seconds / step_s))
    fragments = tuple(
        Fragment(700 + n * size_bytes, size_bytes, round(n * step_s * 48_000)) for n in range(count)
    )
    return Fragmented(700, 48_000, delay, fragments), seconds


def segments(seconds: float, **options: float) -> list[playlist.Segment]:
    file, duration_s = rung(seconds, **options)
    return playlist.segments_of(file, duration_s=duration_s, target_s=6)


@pytest.mark.parametrize("seconds", [0.5, 1, 5.5, 6, 8.5, 9, 11.5, 12, 14.5, 15, 213, 3600])
def test_segments_cover_the_whole_file_and_none_is_tiny(seconds):
    parts = segments(seconds)
    assert sum(part.duration_s for part in parts) == pytest.approx(seconds)
    assert parts[0].offset == 700
    for one, following in itertools.pairwise(parts):
        assert one.offset + one.size_bytes == following.offset
    assert all(part.duration_s <= 9.26 for part in parts)
    assert len(parts) == 1 or parts[-1].duration_s >= 3


def test_segments_of_all_rungs_stay_side_by_side_in_a_long_track():
    starts = []
    for step_s in (0.5108, 0.5224):
        at, mine = 0.0, []
        for part in segments(600, step_s=step_s):
            mine.append(at)
            at += part.duration_s
        starts.append(mine)
    assert len(starts[0]) == len(starts[1])
    assert max(abs(a - b) for a, b in zip(*starts, strict=True)) < 0.6


def test_the_encoders_delay_is_no_part_of_the_duration():
    parts = segments(12, delay=1024)
    assert sum(part.duration_s for part in parts) == pytest.approx(12)
    assert parts[0].duration_s == pytest.approx(6 - 1024 / 48_000)


def test_a_media_playlist_names_one_file_by_byte_ranges():
    text = playlist.media_playlist("low.mp4", header_bytes=700, segments=segments(12))
    assert text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:6",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="low.mp4",BYTERANGE="700@0"',
        "#EXTINF:6.000000,",
        "#EXT-X-BYTERANGE:12000@700",
        "low.mp4",
        "#EXTINF:6.000000,",
        "#EXT-X-BYTERANGE:12000@12700",
        "low.mp4",
        "#EXT-X-ENDLIST",
    ]


def test_bandwidth_is_the_dearest_segment_and_the_average_all_of_them():
    parts = [playlist.Segment(0, 6000, 6.0), playlist.Segment(6000, 12_000, 6.0)]
    assert playlist.bandwidths(parts) == (16_000, 12_000)
