"""Loudness levelling in the player: by how much a track is turned up or down."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

LEVELS = Path(__file__).parents[2] / "web" / "static" / "js" / "player" / "levels.js"


def run(tmp_path: Path, expression: str) -> Any:
    """The value of a JavaScript expression that may use what the module exports."""
    module = tmp_path / "levels.mjs"
    module.write_text(LEVELS.read_text("utf-8"), "utf-8")
    program = (
        f"import * as levels from {json.dumps(module.as_uri())}; console.log(JSON.stringify({expression}))"
    )
    argv = ["node", "--input-type=module", "--eval", program]
    return json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout)


@pytest.mark.parametrize(
    ("loudness", "peak", "gain"),
    [(-9, -0.5, -5), (-20, -8, 6), (-20, -3, 2), (-20, 0.5, 0), (-14, -1, 0)],
)
def test_a_loud_track_is_turned_down_and_a_quiet_one_up_as_far_as_its_peak_allows(
    tmp_path: Path, loudness: float, peak: float, gain: float
) -> None:
    assert run(tmp_path, f"levels.levelGain({loudness}, {peak})") == pytest.approx(gain)


def test_a_track_that_was_not_measured_stays_as_it_is(tmp_path: Path) -> None:
    assert run(tmp_path, "levels.levelGain(NaN, NaN)") == 0


def track(loudness: float, peak: float, ms: int = 60_000, url: str = "/@trio/tides") -> dict[str, Any]:
    return {"loudnessLufs": loudness, "truePeakDbtp": peak, "durationMs": ms, "releaseUrl": url}


def test_a_release_that_is_heard_as_a_whole_is_levelled_as_a_whole(tmp_path: Path) -> None:
    queue = json.dumps([track(-10, -1), track(-30, -12)])
    found = [run(tmp_path, f"levels.measured({queue}[{index}], {queue})") for index in (0, 1)]
    assert found[0] == found[1]
    # Half the energy of the loud one over the same time: 3 dB less, and what the quiet one adds.
    assert found[0]["loudnessLufs"] == pytest.approx(-12.97, abs=0.01)
    assert found[0]["truePeakDbtp"] == -1


def test_tracks_of_several_releases_are_levelled_one_by_one(tmp_path: Path) -> None:
    queue = json.dumps([track(-10, -1), track(-30, -12, url="/@trio/other")])
    assert run(tmp_path, f"levels.measured({queue}[1], {queue})")["loudnessLufs"] == -30
