"""What the doctor looks at where there is more than one node, or might be."""

from appliance import database
from appliance import doctor
from appliance.errors import Invalid
from appliance.jobs import leases
from appliance.jobs import rota
from appliance.settings import Settings


@doctor.check("chores")
def chores(settings: Settings) -> str:
    """Who has the rota."""
    found = leases.holder(rota.DUTY)
    if found is None:
        return "nobody does them now; a worker takes them on when it starts"
    holder, until = found
    return f"done by {holder}, who has them until {until:%H:%M:%S} UTC and longer while it lives"


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
