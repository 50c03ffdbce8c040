"""What everybody may know of: as conditions of queries, and as questions about rows that are there already.

What was taken down is open to nobody, whatever state it is in; those who must know of it anyway are found by ``memberships.access``.
"""

from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState

PUBLIC = (Release.state == ReleaseState.PUBLISHED) & Release.taken_down_at.is_null()
"""The releases that everybody may know of."""
HEARD = (Track.state == TrackState.READY) & Track.taken_down_at.is_null()
"""The tracks of a release that can be heard by whom the release is open to."""


def is_public(row: Release) -> bool:
    """True for a release that everybody may know of."""
    return row.state == ReleaseState.PUBLISHED and row.taken_down_at is None


def is_heard(row: Track) -> bool:
    """True for a track that can be heard by whom its release is open to."""
    return row.state == TrackState.READY and row.taken_down_at is None
