"""The page of figures and what makes it."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg
import pytest

from appliance.search import index
from tests.benchmarks import catalogue
from tests.benchmarks import filling
from tests.benchmarks import page
from tests.benchmarks import wrk
from tests.benchmarks.__main__ import ORDER
from tests.benchmarks.cluster import asked
from tests.benchmarks.figures import Figure

DOCS = Path(__file__).parents[2] / "docs"
TOLD = """Running 2s test @ http://127.0.0.1:8000
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.65ms  812.00us  12.10ms   80.11%
    Req/Sec     9.68k   512.00    10.21k    70.00%
  Latency Distribution
     50%  870.00us
     75%    2.10ms
     90%    2.90ms
     99%    1.20s
  19375 requests in 2.00s, 1.20GB read
Requests/sec:   9681.25
Transfer/sec:    614.00MB
"""


def test_a_figure_keeps_its_bound_from_its_own_side():
    assert Figure("a", 0.9, 0.85, at_most=False).kept
    assert not Figure("a", 0.8, 0.85, at_most=False).kept
    assert Figure("a", 49, 50, at_most=True).kept
    assert not Figure("a", 51, 50, at_most=True).kept


def test_a_cost_has_no_bound_and_cannot_be_missed():
    cost = Figure("Play, stored", 960, unit="bytes")
    assert cost.kept
    assert page.row(cost) == "| Play, stored | 960 | – | bytes | – |  |"


def test_a_suite_that_was_not_run_keeps_what_it_found_before():
    today = date(2026, 11, 30)
    first = page.updated("", {"gate": [Figure("a", 1, 1, True)]}, order=["gate", "cluster"], today=today)
    both = page.updated(first, {"cluster": [Figure("b", 2)]}, order=["gate", "cluster"], today=today)
    assert page.sections(both)["gate"] == page.sections(first)["gate"]
    assert "| b | 2 | – |" in page.sections(both)["cluster"]


def test_a_missed_figure_tells_why_below_the_table():
    text = page.section([Figure("a", 1, 2, at_most=False, cause="it is slow")], today=date(2026, 11, 30))
    assert "**Missed: a**: it is slow" in text


def test_the_page_has_sections_of_suites_that_there_are():
    assert page.sections((DOCS / "benchmarks.md").read_text("utf-8")).keys() <= set(ORDER)


def test_what_wrk_saw_is_read_in_milliseconds():
    assert wrk.read(TOLD) == wrk.Answered(19375, 9681.25, 0.87, 1200.0)


@pytest.mark.parametrize(
    "wrong",
    ["  Non-2xx or 3xx responses: 3\n", "  Socket errors: connect 0, read 0, write 0, timeout 4\n"],
)
def test_answers_that_are_none_are_no_figure(wrong):
    with pytest.raises(RuntimeError):
        wrk.read(TOLD + wrong)


def test_ranges_follow_one_another_and_end_within_the_file():
    told = [
        request.decode() for request in wrk.ranges(["/a", "/b"], size_bytes=1000, range_bytes=300, count=4)
    ]
    assert [text.partition("bytes=")[2].strip() for text in told] == [
        "0-299",
        "300-599",
        "600-899",
        "200-499",
    ]
    assert [text.split()[1] for text in told] == ["/a", "/b", "/a", "/b"]


def test_a_request_is_written_with_the_length_of_its_body(tmp_path):
    request = wrk.written("/listen/events", method="POST", headers={"Origin": "http://a"}, body="é".encode())
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == "é".encode()
    assert b"Content-Length: 2" in head
    wrk.script(tmp_path / "load.lua", [request, request])
    assert (tmp_path / "load.requests").read_bytes() == request * 2
    assert f"lengths = {{ {len(request)}, {len(request)} }}" in (tmp_path / "load.lua").read_text()


def test_reads_are_of_things_that_are_in_the_catalogue():
    place = catalogue.place_of(1000)
    ids = {catalogue.id_of("t", number) for number in range(1000)}
    assert {asked.read("track", number, place).rpartition("/")[2] for number in range(1000)} == ids
    artists = {f"/api/v1/artists/a{number}" for number in range(place.artists)}
    assert {asked.read("artist", number, place) for number in range(1000)} == artists


def test_a_large_catalogue_is_found_on_postgresql_too(postgresql):
    url = postgresql.new_database()
    place = filling.postgresql(url, 100)
    assert (place.tracks, place.releases, place.artists) == (100, 10, 2)
    with closing(psycopg.connect(url)) as connection:

        def count(sql: str) -> int:
            row = connection.execute(sql).fetchone()
            assert row
            return int(row[0])

        assert count("SELECT count(*) FROM track") == 100
        assert count("SELECT count(*) FROM rendition") == 300
        assert count("SELECT count FROM topic WHERE slug = 'jazz'") == 1
        word = index.row_of(index.Entry("x", catalogue.words(-7)))["words"].split()[0]
        assert count(f"SELECT count(*) FROM search_track WHERE lexemes @@ '{word}'::tsquery") >= 1
        last = catalogue.id_of("t", 99)
        assert count(f"SELECT count(*) FROM track WHERE id = '{last}' AND state = 'ready'") == 1
    postgresql.drop(url)
