"""The paper about scale says what was measured, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.scale import paper
from tests.benchmarks.scale import reckoning
from tests.benchmarks.scale.assumed import STEPS
from tests.benchmarks.scale.assumed import Goal
from tests.benchmarks.scale.assumed import Habits
from tests.benchmarks.scale.assumed import Prices
from tests.benchmarks.scale.measured import PARTS
from tests.benchmarks.scale.measured import Measured

DOCS = Path(__file__).parents[2] / "docs"
REQUESTS = (
    "Question of the gate",
    "Putting a track on",
    "Playlist",
    "Report of a play",
    "Read of the API",
    "Page of a release",
)
VALUES = {
    **{f"{name}, {part}": 2.0 for name in REQUESTS for part in PARTS},
    "Range of 256 KiB, nginx": 0.1,
    "Range of 64 KiB, nginx": 0.05,
    "Report of a play, log": 1500,
    "Play, stored": 1000,
    "Track, stored in the database": 3000,
    "Transcoding, a minute of music": 9,
    "An hour of low": 60,
    "An hour of medium": 120,
    "An hour of high": 150,
    "An hour of lossless": 300,
}


def measured(**changed: float) -> Measured:
    values = VALUES | {name.replace("_", " "): value for name, value in changed.items()}
    rows = "\n".join(f"| {name} | {value:g} | – | unit | – |  |" for name, value in values.items())
    return Measured(f"# Benchmarks\n\n## Pages\n\n| Playlist, web | 9 |\n\n## Cluster\n\n{rows}\n")


def test_the_tables_are_those_of_the_benchmarks():
    text = (DOCS / "scale.md").read_text("utf-8")
    assert paper.written(text, (DOCS / "benchmarks.md").read_text("utf-8")) == text


def test_every_table_has_a_place_in_the_paper():
    text = (DOCS / "scale.md").read_text("utf-8")
    for name in paper.tables(measured()):
        assert text.count(f"<!-- table: {name} -->") == 1, name


def test_a_figure_is_taken_from_the_section_of_the_cluster_and_must_be_there():
    assert measured().value("Playlist, web") == 2.0
    with pytest.raises(KeyError):
        measured().value("Playlists, web")


def test_a_listener_is_sent_the_mean_of_the_renditions():
    habits = Habits(renditions={"low": 0.5, "lossless": 0.5})
    # 180 MB an hour are 0.4 Mbit/s.
    assert reckoning.mbit(measured(), habits) == pytest.approx(0.4)


def test_all_requests_together_are_those_of_the_goal():
    of = reckoning.kinds(measured(), Habits(), Goal())
    assert sum(kind.rate for kind in of) * Goal().listeners == pytest.approx(Goal().requests)


def test_twice_the_cost_is_enough_for_half_the_listeners():
    def web(costs: Measured) -> float:
        of = reckoning.kinds(costs, Habits(), Goal())
        return reckoning.limits(STEPS[0], of, costs, Habits(), Prices(), edge=False)["web"]

    dearer = {f"{name}, web": 4.0 for name in REQUESTS}
    assert web(measured(**dearer)) == pytest.approx(web(measured()) / 2)


def test_edges_take_bytes_off_the_lines_and_nothing_off_the_database():
    costs = measured()
    of = reckoning.kinds(costs, Habits(), Goal())
    alone, edged = (
        reckoning.limits(STEPS[1], of, costs, Habits(), Prices(), edge=edge) for edge in (False, True)
    )
    assert edged["lines"] == pytest.approx(20 * alone["lines"])
    assert edged["PostgreSQL"] == alone["PostgreSQL"]


def test_a_replica_takes_reads_off_the_primary_and_no_reports():
    costs = measured()
    of = [kind for kind in reckoning.kinds(costs, Habits(), Goal()) if kind.name == "Report of a play"]
    one, two = (
        reckoning.limits(step, of, costs, Habits(), Prices(), edge=False)["PostgreSQL"]
        for step in (STEPS[2], STEPS[3])
    )
    assert one == pytest.approx(two)


def test_the_bill_is_the_sum_of_its_parts():
    costs = measured()
    found = reckoning.needs(reckoning.kinds(costs, Habits(), Goal()), costs, Habits(), Prices(), Goal())
    bill = reckoning.bill(found, Prices(transit_tb=2.0, stored_tb=3.0), Goal(), edge=False)
    assert (bill.bytes_out, bill.stored) == (2000, 300)
    assert bill.total == bill.machines + 2300
