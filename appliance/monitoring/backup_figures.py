"""How backups stand: those to the place of the settings, since one that was taken to elsewhere may be on a disk in a drawer."""

from datetime import datetime

from appliance.backup import runs
from appliance.monitoring.figures import OFTEN_S
from appliance.monitoring.figures import Figure
from appliance.monitoring.figures import Rows
from appliance.settings import Settings


def of(settings: Settings) -> tuple[Figure, ...]:
    """The figures of a node with these settings; without values where no backups are wanted."""
    place = runs.place_of(settings.backup_url)

    def age(now: datetime) -> Rows:
        # Backups that never worked grow old from the first that failed, or nobody would be told of them.
        at = (runs.last_good(place) or runs.first_failed(place)) if place else None
        return [((), (now - at).total_seconds())] if at is not None else []

    def every(now: datetime) -> Rows:
        return [((), 60 * settings.backup_every_min)] if place and settings.backup_every_min else []

    return (
        Figure(
            "musicconnect_backup_age_seconds",
            "How old the state is that the newest good backup would bring back; where none was good, for how long they have been failing.",
            (),
            OFTEN_S,
            age,
        ),
        Figure(
            "musicconnect_backup_every_seconds",
            "How often a backup is wanted; no value where something else than a worker takes them.",
            (),
            OFTEN_S,
            every,
        ),
    )
