"""Credits: who did what, on a release as a whole or on one of its tracks."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from appliance.catalog.models import Credit
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.wording import clean_line
from appliance.errors import Invalid
from appliance.prepared import Prepared

MOST_CREDITS = 100
ROLES = (
    "Vocals",
    "Guitar",
    "Bass",
    "Drums",
    "Keys",
    "Strings",
    "Electronics",
    "Composer",
    "Lyricist",
    "Arranger",
    "Featured artist",
    "Remixer",
    "Producer",
    "Recording",
    "Mixing",
    "Mastering",
    "Artwork",
    "Photography",
)
"""Roles to choose from; any other word is as good."""
_by_track = Prepared(
    lambda track_id: Credit.select().where(Credit.track == track_id).order_by(Credit.position, Credit.id)
)
_by_release = Prepared(
    lambda release_id: (
        Credit.select().where(Credit.release == release_id).order_by(Credit.position, Credit.id)
    )
)
People = Sequence[tuple[str, str]]
"""Names with their roles, in the order they are shown."""


def read(value: object) -> People:
    """The credits in *value*, a list of ``{"name", "role"}``; rows without a name and a role are left out."""
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise Invalid("'contributors' is a list of names with their roles.", field="contributors")
    found = [_read(row, number) for number, row in enumerate(value, start=1)]
    kept = [row for row in found if row is not None]
    if len(kept) > MOST_CREDITS:
        raise Invalid("There is room for {most} credits.", most=MOST_CREDITS, field="contributors")
    return list(dict.fromkeys(kept))


def _read(row: Mapping[str, object], number: int) -> tuple[str, str] | None:
    for name in row:
        if name not in {"name", "role"}:
            raise Invalid("A credit has a name and a role, and nothing else.", field="contributors")
    name = clean_line(row.get("name", ""), field="contributors", longest=200, required=False)
    role = clean_line(row.get("role", ""), field="contributors", longest=100, required=False)
    if role and not name:
        raise Invalid(
            "Credit {number} says “{role}”, but not who it was.",
            number=number,
            role=role,
            field="contributors",
        )
    return (name, role) if name else None


def store(release_id: str, track_id: str | None, people: People) -> None:
    """Make *people* the credits of the release, or of one track of it; inside the transaction of the caller."""
    here = (Credit.release == release_id) & (
        Credit.track.is_null() if track_id is None else Credit.track == track_id
    )
    Credit.delete().where(here).execute()
    for position, (name, role) in enumerate(people, start=1):
        Credit.create(release=release_id, track=track_id, name=name, role=role, position=position)


def of_release(release: Release) -> dict[str, list[Credit]]:
    """The credits of a release by the id of their track, those of the whole under an empty text; by one query."""
    found: dict[str, list[Credit]] = {}
    for row in _by_release(release.id):
        found.setdefault(row.track_id or "", []).append(row)
    return found


def of_track(track: Track) -> list[Credit]:
    """The credits of one track."""
    return _by_track(track.id)


def told(rows: Iterable[Credit]) -> list[dict[str, str]]:
    """Credits as ``read`` takes them."""
    return [{"name": row.name, "role": row.role} for row in rows]
