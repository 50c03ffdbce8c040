"""What one of each thing costs on the stack: what docs/scale.md reckons with. These figures have no bound."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from tests.benchmarks import wrk
from tests.benchmarks.cluster import asked
from tests.benchmarks.cluster.music import Music
from tests.benchmarks.cluster.spending import Spent
from tests.benchmarks.cluster.spending import spent
from tests.benchmarks.cluster.stack import Stack
from tests.benchmarks.figures import Figure

CONNECTIONS, SECONDS = 4, 5.0
"""Few connections: the price of one, not of a crowd."""
REPORTS = 20_000
PARTS = ("web", "postgresql", "redis", "nginx")
_SIZE = "SELECT pg_total_relation_size('play') + pg_total_relation_size('daily_plays')"
_TABLES = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


def measure(stack: Stack, music: Music) -> Iterator[Figure]:
    """By kind of request and part of the stack; then rows and bytes."""
    tables = _number(stack, _TABLES)
    yield from _requests(stack, "Read of the API", asked.every_read(stack.place))
    yield from _requests(stack, "Page of a release", asked.pages(stack.place))
    yield from _requests(stack, "Putting a track on", asked.plays(stack))
    yield from _requests(stack, "Playlist", asked.playlists(stack, music.songs[0]))
    yield from _requests(
        stack, "Question of the gate", asked.questions(stack, music.songs[0]), port=stack.web.port
    )
    size, rows = _number(stack, _SIZE), _number(stack, "SELECT count(*) FROM play")
    yield from _requests(stack, "Report of a play", list(asked.reports(stack, REPORTS)), wal=True)
    stored = _number(stack, "SELECT count(*) FROM play") - rows
    yield Figure(
        "Play, stored",
        (_number(stack, _SIZE) - size) / stored,
        unit="bytes",
        detail=f"{stored:.0f} rows with their indexes, and the counts of the day",
    )
    yield Figure(
        "Track, stored in the database",
        tables / stack.place.tracks,
        unit="bytes",
        detail=f"all tables and indexes, {stack.place.tracks:,} tracks with releases, artists, three renditions each and the search",
    )
    for name, each in music.bytes_a_second().items():
        yield Figure(
            f"An hour of {name}",
            3600 * each / 1e6,
            unit="MB",
            detail=f"{8 * each / 1000:.0f} kbit/s as stored and sent",
        )


def _requests(
    stack: Stack, name: str, requests: Sequence[bytes], *, wal: bool = False, port: int = 0
) -> Iterator[Figure]:
    script = wrk.script(stack.folder / "cost.lua", requests)
    if not wal:
        wrk.ask(port or stack.port, script, connections=CONNECTIONS, seconds=1)
    found, cost = spent(
        stack, lambda: wrk.ask(port or stack.port, script, connections=CONNECTIONS, seconds=SECONDS)
    )
    yield from _parts(name, found.count, cost)
    yield Figure(
        f"{name}, statements",
        cost.transactions / found.count,
        unit="each",
        detail="transactions; a statement outside of one is one",
    )
    if wal:
        yield Figure(
            f"{name}, log",
            cost.wal_bytes / found.count,
            unit="bytes",
            detail="of the write-ahead log, which each replica is sent",
        )


def _parts(name: str, count: int, cost: Spent) -> Iterator[Figure]:
    for part, value in cost.each_ms(count).items():
        yield Figure(
            f"{name}, {part}",
            value,
            unit="ms of processor time",
            detail=f"{count} requests by {CONNECTIONS} connections",
        )


def _number(stack: Stack, question: str) -> float:
    return float(str(stack.postgresql.ask(question)[0][0]))
