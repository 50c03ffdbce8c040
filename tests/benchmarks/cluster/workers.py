"""Songs a minute by the product's own workers: one process on one core against as many on all cores, by the queue in PostgreSQL.

A job uses more than one thread where it may, so one worker on two cores would be quicker than half of two: each side is kept to as many cores as it
has processes. Both make the renditions of the same songs anew, in turn; time runs from the first job that is queued to the last that is done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

import psutil

from tests.benchmarks.cluster.music import Music
from tests.benchmarks.cluster.stack import Stack
from tests.benchmarks.figures import Figure

LEAST, MOST = 0.9, 1.1
ROUNDS = 3
SONGS_A_WORKER = 4
PATIENCE_S = 600
CAUSE = (
    "looked at by core, for four songs: what ffmpeg reckons costs the same (12.4 s with one worker, 12.6 s with two), but the kernel takes 3.2 s in place of "
    "2.2 s once threads and their memory may move between two cores of a virtual machine; the database, the web server and the kernel's writing take 0.5 s, "
    "which with one worker a free core does; and the last job of one worker ends when the other has none any more. Tried without effect: to look at "
    "the queue more seldom, more songs, and the rest of the stack kept to the same cores. ffmpeg alone, twice at once, comes to 0.98."
)
_DONE = "SELECT count(*) FROM job WHERE kind = 'transcode' AND state = 'done'"
_LEFT = "SELECT count(*) FROM job WHERE kind = 'transcode' AND state <> 'done'"
_TOOK = """
SELECT extract(epoch FROM max(updated_at) - min(created_at)) FROM
(SELECT * FROM job WHERE kind = 'transcode' ORDER BY created_at DESC LIMIT {count}) AS last
"""


def measure(stack: Stack, music: Music) -> Iterator[Figure]:
    """The ratio, and what a minute of music costs; nothing on a single core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return
    pairs = []
    for number in range(ROUNDS):
        sides = (1, len(cores)) if number % 2 else (len(cores), 1)
        found = {count: _transcode(stack, music, cores[:count]) for count in sides}
        pairs.append((found[1], found[len(cores)]))
    ratio = median(many / single for single, many in pairs) / len(cores)
    # No machine does more than all of it: then the one core was kept busy by somebody else.
    doubt = (
        "; more than 1 is the doing of what else ran on the machine: measure again on a quiet one"
        if ratio > MOST
        else ""
    )
    one, all_ = (median(column) for column in zip(*pairs, strict=True))
    yield Figure(
        f"Songs a minute by {len(cores)} workers on {len(cores)} cores / {len(cores)} times those of one on one",
        ratio,
        LEAST,
        at_most=False,
        detail=f"{60 * all_:.1f} a minute against {60 * one:.1f}, songs of {music.seconds} s, queue in PostgreSQL; each worker does one job at a time{doubt}",
        cause=CAUSE,
    )
    yield Figure(
        "Transcoding, a minute of music",
        60 * len(cores) / (all_ * music.seconds),
        unit="s of a core",
        detail="all that a job does, with verification: the time of all cores, of which none is idle, by the minutes of music that were done in it",
    )


def _transcode(stack: Stack, music: Music, cores: list[int]) -> float:
    """Songs a second."""
    count = SONGS_A_WORKER * len(cores)
    with ExitStack() as running:
        workers = [
            running.enter_context(
                stack.worker(f"worker-{len(cores)}-{number}", MUSICCONNECT_WORKER_THREADS="1")
            )
            for number in range(len(cores))
        ]
        for worker in workers:
            process = psutil.Process(worker.process.pid)
            for each in [process, *process.children(recursive=True)]:
                for thread in each.threads():
                    os.sched_setaffinity(thread.id, cores)
        done = _number(stack, _DONE)
        for number in range(count):
            music.artist.post(f"/api/v1/tracks/{music.songs[number]}/retry")
        deadline = time.monotonic() + PATIENCE_S
        while _number(stack, _LEFT) or _number(stack, _DONE) < done + count:
            assert time.monotonic() < deadline, workers[0].log()[-3000:]
            time.sleep(0.2)
    return count / _number(stack, _TOOK.format(count=count))


def _number(stack: Stack, question: str) -> float:
    return float(str(stack.postgresql.ask(question)[0][0]))
