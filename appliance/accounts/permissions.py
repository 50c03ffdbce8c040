"""What may be done on the whole platform, each thing by its name, and which roles let somebody do it.

What is done to the music of one artist is decided by ``memberships.access``, from what a person is to that artist.
"""

from collections.abc import Collection
from enum import StrEnum

from appliance.accounts.models import RoleName
from appliance.errors import N_
from appliance.errors import NotAllowed


class Permission(StrEnum):
    """One thing that takes a role: the thing, and what is done with it."""

    ARTISTS_MANAGE = "artists.manage"
    COLLECTIVE_CHANGE = "collective.change"
    COLLECTIVE_SEE = "collective.see"
    FEATURED_CHANGE = "featured.change"
    JOBS_MANAGE = "jobs.manage"
    MAIL_MANAGE = "mail.manage"
    PAYMENTS_MANAGE = "payments.manage"
    PEOPLE_MANAGE = "people.manage"
    PLUGINS_CHANGE = "plugins.change"
    STORAGE_MANAGE = "storage.manage"
    TAKEDOWNS_MANAGE = "takedowns.manage"
    TRAIL_READ = "trail.read"


HELD: dict[RoleName, frozenset[Permission]] = {
    RoleName.LISTENER: frozenset(),
    RoleName.ARTIST: frozenset(),
    RoleName.MODERATOR: frozenset({Permission.TAKEDOWNS_MANAGE}),
    RoleName.ADMIN: frozenset(Permission),
}
"""What each role lets one do."""


def held(roles: Collection[str]) -> frozenset[Permission]:
    """Pure: all that somebody with these *roles* may do."""
    return frozenset().union(*(HELD[RoleName(role)] for role in roles if role in HELD))


def allows(roles: Collection[str], permission: Permission) -> bool:
    """Pure: whether somebody with these *roles* may do that."""
    return permission in held(roles)


def require(roles: Collection[str], permission: Permission) -> None:
    """``NotAllowed`` unless somebody with these *roles* may do that; the sentence says who may."""
    if not allows(roles, permission):
        moderated = permission in HELD[RoleName.MODERATOR]
        raise NotAllowed(
            N_("Only moderators and admins may do that.")
            if moderated
            else N_("These pages are for the admins of the collective.")
        )
