"""What a process counts of its own work, for Prometheus; docs/metrics.md tells of each.

One table. Each row has at least one label, and no label holds an id, a name or an address of anybody: the values of each are few and
written in code. A value is made when it is first counted, so that a process can say before (``monitoring.sharing.share``) that its values lie
in a folder where the other processes of the node read them. So ask for ``labels(…)`` each time and keep no value at import.
"""

from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Gauge
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

registry = CollectorRegistry()
"""Of the core alone: the registry of prometheus_client is everybody's."""

CACHE_REQUESTS = Counter(
    "musicconnect_cache_requests",
    "Questions to the cache: of which namespace, answered by which level (process, shared, none), and whether it was a hit or a miss.",
    ("namespace", "level", "outcome"),
    registry=registry,
)
JOB_RUNS = Counter(
    "musicconnect_job_runs",
    "Runs of jobs that ended, by kind: done, failed (for good), retried (failed, and is tried again), interrupted (goes on elsewhere).",
    ("kind", "outcome"),
    registry=registry,
)
JOB_SECONDS = Histogram(
    "musicconnect_job_seconds",
    "How long a run of a job took, whatever came of it.",
    ("kind",),
    buckets=(0.05, 0.25, 1, 5, 15, 60, 300, 1800),
    registry=registry,
)
TRANSCODED_AUDIO_SECONDS = Counter(
    "musicconnect_transcoded_audio_seconds",
    "Length of the recordings whose renditions were made.",
    ("kind",),
    registry=registry,
)
TRANSCODING_SECONDS = Counter(
    "musicconnect_transcoding_seconds",
    "Time that workers spent on making those renditions.",
    ("kind",),
    registry=registry,
)
SIGN_INS = Counter(
    "musicconnect_sign_ins",
    "Attempts to sign in, by the way that was tried, and whether they were let in or refused.",
    ("way", "outcome"),
    registry=registry,
)
CHORE_RUNS = Counter(
    "musicconnect_chore_runs",
    "Periodic tasks that ended, done or failed.",
    ("chore", "outcome"),
    registry=registry,
)
CHORE_LAST_DONE = Gauge(
    "musicconnect_chore_last_done_timestamp_seconds",
    "When a worker of this node last did a periodic task to its end.",
    ("chore",),
    multiprocess_mode="mostrecent",
    registry=registry,
)
DATABASE_CONNECTIONS = Gauge(
    "musicconnect_database_connections",
    "Connections to the database that the processes of this node hold: in use, idle in the pool, and the most they may have.",
    ("state",),
    multiprocess_mode="livesum",
    registry=registry,
)


def every() -> list[MetricWrapperBase]:
    """All of them, in the order of the table."""
    return [row for row in globals().values() if isinstance(row, MetricWrapperBase)]
