import pytest

from transcoder import ladder
from transcoder.source import SourceFacts


def facts(
    codec="flac", *, rate_hz=44_100, channels=2, bits=16, kbps=900, lossless=True, floating=False
) -> SourceFacts:
    return SourceFacts(
        container="flac",
        codec=codec,
        duration_ms=180_000,
        sample_rate_hz=rate_hz,
        channels=channels,
        bits_per_sample=bits if lossless else None,
        floating=floating,
        bitrate_kbps=kbps,
        lossless=lossless,
    )


def qualities(source: SourceFacts) -> list[str]:
    return [rung.quality for rung in ladder.rungs_for(source)]


def test_a_cd_gets_four_rungs():
    assert qualities(facts()) == ["low", "medium", "high", "lossless"]


@pytest.mark.parametrize(("rate_hz", "bits"), [(44_100, 24), (96_000, 16), (96_000, 24)])
def test_a_source_that_holds_more_than_a_cd_gets_a_master_of_its_own_depth_and_rate(rate_hz, bits):
    rungs = ladder.rungs_for(facts(rate_hz=rate_hz, bits=bits))
    assert [rung.quality for rung in rungs][-2:] == ["lossless", "master"]
    assert (rungs[-1].sample_rate_hz, rungs[-1].bits) == (rate_hz, bits)
    assert rungs[-2].bits == 16
    assert rungs[-2].sample_rate_hz <= 48_000


@pytest.mark.parametrize(
    ("kbps", "expected"),
    [
        (64, ["low"]),
        (128, ["low"]),
        (192, ["low"]),
        (256, ["low", "medium"]),
        (320, ["low", "medium", "high"]),
    ],
)
def test_a_lossy_source_gets_no_rung_above_what_it_holds_and_no_flac(kbps, expected):
    assert qualities(facts("mp3", kbps=kbps, lossless=False)) == expected


def test_mono_stays_mono_with_the_same_bits_per_channel():
    rungs = ladder.rungs_for(facts(channels=1))
    assert {rung.channels for rung in rungs} == {1}
    assert [rung.kbps for rung in rungs[:3]] == [64, 128, 160]


def test_surround_is_heard_in_stereo():
    assert {rung.channels for rung in ladder.rungs_for(facts(channels=6))} == {2}


@pytest.mark.parametrize(
    ("rate_hz", "aac_hz", "lossless_hz"),
    [
        (8_000, 48_000, 8_000),
        (22_050, 44_100, 22_050),
        (44_100, 44_100, 44_100),
        (48_000, 48_000, 48_000),
        (88_200, 44_100, 44_100),
        (96_000, 48_000, 48_000),
        (192_000, 48_000, 48_000),
        (352_800, 44_100, 44_100),
        (50_001, 48_000, 48_000),
    ],
)
def test_rates_are_divided_evenly_where_that_can_be(rate_hz, aac_hz, lossless_hz):
    rungs = {rung.quality: rung for rung in ladder.rungs_for(facts(rate_hz=rate_hz))}
    assert rungs["low"].sample_rate_hz == aac_hz
    assert rungs["lossless"].sample_rate_hz == lossless_hz


@pytest.mark.parametrize(
    ("rate_hz", "master_hz"), [(192_000, 192_000), (384_000, 192_000), (352_800, 176_400)]
)
def test_a_master_goes_up_to_192_khz(rate_hz, master_hz):
    assert ladder.rungs_for(facts(rate_hz=rate_hz, bits=24))[-1].sample_rate_hz == master_hz


def test_telephone_sound_is_not_blown_up_to_320_kbit():
    assert qualities(facts(rate_hz=8_000, channels=1)) == ["low", "medium", "lossless"]


def test_codecs_are_named_as_playlists_name_them():
    assert {rung.codecs for rung in ladder.rungs_for(facts())} == {"mp4a.40.2", "fLaC"}
