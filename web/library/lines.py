"""Lines of tracks that come from many releases, each under a right of its own, as templates need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from flask import url_for
from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import ngettext

from appliance import clock
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.library import entries
from appliance.library import favourites
from appliance.library.models import Playlist
from appliance.library.models import Visibility
from appliance.memberships import access
from web import colours
from web import presentation
from web import private_keys
from web.presentation import tracklists
from web.presentation.pictures import Cover
from web.presentation.tracklists import TrackView
from web.request_cycle import person
from web.request_cycle import roles

VISIBILITIES = {
    Visibility.PRIVATE: lazy_gettext("Private"),
    Visibility.UNLISTED: lazy_gettext("Unlisted"),
    Visibility.PUBLIC: lazy_gettext("Public"),
}


@dataclass(frozen=True, slots=True)
class PlaylistView:
    """A playlist, for its card as for the head of its page."""

    id: str
    title: str
    url: str
    edit_url: str
    play_source: str
    note: str
    visibility: str
    shown_to: str
    by: str
    about: str
    colour: str
    cover: Cover | None
    covers: list[Cover]


def of(rows: Sequence[Track]) -> list[TrackView | None]:
    """A line for each track, ``None`` where this person may not know of it; by seven queries whatever their number."""
    who = person()
    rights = access.to_tracks(who, rows, roles=roles(), keys=private_keys.shown(), now=clock.now())
    made = tracks.renditions_of({row.id: row for row in rows}.values())
    kept = favourites.of(who, {row.id for row in rows})
    lines: list[TrackView | None] = []
    for number, row in enumerate(rows, start=1):
        right = rights[row.id]
        if right.may_see and (row.state == TrackState.READY or right.may_edit):
            line = tracklists.track(row, right, made, number=number)
            lines.append(replace(line, favourite=row.id in kept))
        else:
            lines.append(None)
    return lines


def seen_tracks(rows: Sequence[Track]) -> list[TrackView]:
    """The lines of those tracks that this person may know of."""
    return [line for line in of(rows) if line is not None]


def seen_releases(rows: Sequence[Release]) -> list[Release]:
    """Those of the releases that this person may know of."""
    rights = access.to_releases(person(), rows, roles=roles(), keys=private_keys.shown(), now=clock.now())
    return [row for row in rows if rights[row.id].may_see]


def playlist_cards(rows: Sequence[Playlist], *, own: bool) -> list[PlaylistView]:
    """The cards of playlists, by two queries whatever their number; one's *own* say who may see them."""
    numbers, covers = entries.counts(rows), entries.covers(rows)
    return [playlist(row, numbers.get(row.id, 0), covers[row.id], own=own) for row in rows]


def playlist(row: Playlist, number: int, covers: Sequence[Release], *, own: bool) -> PlaylistView:
    """A playlist of so many tracks whose owner is joined."""
    pictures = [found for found in map(presentation.cover, covers) if found]
    visibility = str(VISIBILITIES[Visibility(row.visibility)])
    length = ngettext("%(count)s track", "%(count)s tracks", number, count=format_decimal(number))
    by = row.owner.display_name
    second = visibility if own else _("By %(name)s", name=by) if by else ""
    return PlaylistView(
        id=row.id,
        title=row.title,
        url=url_for("library.show_playlist", playlist_id=row.id),
        edit_url=url_for("library.edit_playlist", playlist_id=row.id),
        play_source=url_for("library.playlist_queue", playlist_id=row.id) if number else "",
        note=" · ".join(filter(None, (length, second))),
        visibility=row.visibility,
        shown_to=visibility,
        by=by,
        about=row.about,
        colour=colours.of_name(row.id),
        cover=pictures[0] if pictures else None,
        covers=pictures if len(pictures) == 4 else pictures[:1],
    )
