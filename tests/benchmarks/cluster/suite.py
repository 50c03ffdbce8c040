"""The figures of a cluster's own stack, all parts in one machine, with a million tracks."""

from __future__ import annotations

import os

from tests.benchmarks import wrk
from tests.benchmarks.apart import apart
from tests.benchmarks.cluster import costs
from tests.benchmarks.cluster import crowd
from tests.benchmarks.cluster import music
from tests.benchmarks.cluster import reads
from tests.benchmarks.cluster import sound
from tests.benchmarks.cluster import stack
from tests.benchmarks.cluster import workers
from tests.benchmarks.figures import Figure

TRACKS = 1_000_000


def run() -> list[Figure]:
    """All of them; nothing where wrk is not installed."""
    return apart(measure) if wrk.is_there() else []


def measure(tracks: int = TRACKS) -> list[Figure]:
    """Start the stack, measure, stop it."""
    with stack.running(tracks) as running:
        songs = music.publish(running, workers.SONGS_A_WORKER * len(os.sched_getaffinity(0)))
        return [
            *sound.measure(running, songs),
            *reads.measure(running),
            *crowd.measure(running, songs),
            *workers.measure(running, songs),
            *costs.measure(running, songs),
        ]
