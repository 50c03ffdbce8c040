"""Two who edit the same: each change makes a new version, and one that was made from an older one is not taken unseen."""

from collections.abc import Mapping

from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import Conflict


class Stale(Conflict):
    """Somebody else changed it since it was read; nothing was stored, so that whoever asks can show both."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed this while you were at it. Nothing of yours was stored yet.")


def change(
    row: Artist | Release | Track, values: Mapping[str, object], *, made_from: int | None = None
) -> None:
    """Store *values* in *row* as its next version; ``Stale`` unless it still is the version they were *made_from*.

    Without *made_from* the last one wins. Call it first of all in a transaction: it holds the row until the end of that.
    """
    model = type(row)
    here = model.id == row.id
    if made_from is not None:
        here &= model.version == made_from
    if not model.update(version=model.version + 1, **values).where(here).execute() and made_from is not None:
        raise Stale
