"""What a release still lacks before it goes out: what must be there, and what listeners would miss."""

from collections.abc import Mapping
from enum import StrEnum

from appliance.catalog.models import Release
from appliance.catalog.models import TrackState


class Need(StrEnum):
    """Something that is not there yet, what hinders first."""

    TRACK = "track"
    READY = "ready"
    MENDED = "mended"
    COVER = "cover"
    LICENCE = "licence"
    GENRE = "genre"


HINDERING = frozenset({Need.TRACK, Need.READY, Need.MENDED})
"""Without these it cannot be published; the others are for the artist to decide."""


def missing(release: Release, states: Mapping[TrackState, int]) -> list[Need]:
    """Pure: what *release*, which has so many tracks of each state, lacks."""
    found = {
        Need.TRACK: not sum(states.values()),
        Need.READY: bool(sum(states.values())) and not states.get(TrackState.READY),
        Need.MENDED: bool(states.get(TrackState.FAILED)),
        Need.COVER: not release.artwork_key,
        Need.LICENCE: not release.licence,
        Need.GENRE: not release.genre,
    }
    return [need for need, lacking in found.items() if lacking]
