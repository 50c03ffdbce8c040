"""Private links: who has one sees and hears a release before it is public."""

import secrets
from datetime import datetime

from appliance import revocations
from appliance.catalog import releases
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.database import transaction
from appliance.errors import Conflict

KEY_BYTES = 24


def make(release: Release, *, now: datetime) -> Release:
    """Give the release a private link, a fresh one each time: the former opens nothing any more."""
    with transaction():
        release = releases.find(release.id)
        if release.state == ReleaseState.PUBLISHED:
            raise Conflict("This release is public; its address is all that anybody needs.")
        _set(release, secrets.token_urlsafe(KEY_BYTES), now)
    return releases.find(release.id)


def revoke(release: Release, *, now: datetime) -> Release:
    """Close the private link; who hears by it at this moment is let out at once."""
    with transaction():
        _set(release, "", now)
    return releases.find(release.id)


def _set(release: Release, key: str, now: datetime) -> None:
    Release.update(private_key=key, updated_at=now).where(Release.id == release.id).execute()
    revocations.revoke(f"release:{release.id}", now=now)
