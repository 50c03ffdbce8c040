"""What the doctor looks at where there is more than one node, or might be."""

from appliance import database
from appliance import doctor
from appliance import replica as following
from appliance import startup
from appliance.errors import Invalid
from appliance.jobs import lanes as known_lanes
from appliance.jobs import leases
from appliance.jobs import rota
from appliance.jobs.process import named
from appliance.settings import Settings
from appliance.shared_cache import Shared


@doctor.check("chores")
def chores(settings: Settings) -> str:
    """Who has the rota."""
    found = leases.holder(rota.DUTY)
    if found is None:
        return "nobody does them now; a worker takes them on when it starts"
    holder, until = found
    return f"done by {named(holder)}, who has them until {until:%H:%M:%S} UTC and longer while it lives"


@doctor.check("lanes")
def lanes(settings: Settings) -> str:
    """What a worker with these settings takes; those of others are not known here."""
    return "a worker takes " + ", ".join(known_lanes.named(settings.worker_lanes))


@doctor.check("bounds of the database")
def bounds(settings: Settings) -> str:
    """Whether a statement that takes too long is ended, by our own word or, behind a pooler, by the database's."""
    if settings.database_pooler and not database.bounds_statements():
        raise Invalid(
            "Behind a pooler the database bounds no statement by itself; run there: ALTER ROLE … SET statement_timeout = '30s'; "
            "and the same for lock_timeout and idle_in_transaction_session_timeout.",
            field="database_pooler",
        )
    return "kept by the database" if settings.database_pooler else "as the settings say"


@doctor.check("replica")
def replica(settings: Settings) -> str:
    """Whether the replica answers and follows; without it nothing fails, so nobody else would tell."""
    if not settings.database_replica_url:
        return "none is set: the database answers all"
    if database.file() is not None:
        raise Invalid(
            "A replica is one of PostgreSQL; 'database_replica_url' means nothing while the database is SQLite.",
            field="database_replica_url",
        )
    behind = following.behind(settings.database_replica_url, startup.database_limits(settings))
    return f"answers, {behind // 1024} KiB behind"


@doctor.check("cache")
def cache(settings: Settings) -> str:
    """Whether Redis answers; without it pages are slower."""
    if not settings.cache_url:
        return "none is shared: each process keeps what it found"
    Shared(settings.cache_url).check()
    return "answers"


@doctor.check("counts of requests")
def counts(settings: Settings) -> str:
    """Whether Redis answers; without it each process counts its own, and lets as many more through as there are processes."""
    if not settings.rate_limit_url:
        return "each process counts its own"
    Shared(settings.rate_limit_url).check()
    return "answers"
