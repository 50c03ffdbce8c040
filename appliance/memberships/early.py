"""What a member hears before everybody else, for the page of its artist; nobody else is told that it exists."""

from datetime import datetime

from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.memberships import access
from appliance.memberships import relations


def releases_for(user: User | None, artist: Artist, *, roles: frozenset[str], now: datetime) -> list[Release]:
    """Scheduled releases of the artist that this member hears already, the next one first; nobody else costs more than a query."""
    if user is None:
        return []
    relation = relations.of(user, [artist.id], now=now)[artist.id]
    if relation.member is None or not relation.member.early_access:
        return []
    rows = releases.scheduled(artist, until=now + relation.member.early_access)
    rights = access.to_releases(user, rows, roles=roles, now=now)
    return [row for row in rows if rights[row.id].may_see]
