"""What a listener keeps, as JSON Schema."""

from appliance.catalog.artwork import SIZES_PX
from appliance.catalog.models import Quality
from appliance.library import entries
from appliance.library import playlists
from appliance.library.models import Visibility
from appliance.listening.models import HEARD_IN
from appliance.listening.models import Outcome
from web.api.shapes import Schema
from web.api.shapes import change
from web.api.shapes import many
from web.api.shapes import maybe
from web.api.shapes import number
from web.api.shapes import one_of
from web.api.shapes import ref
from web.api.shapes import text
from web.api.shapes import thing

ID = text("Identifier.", pattern="^[0-9A-Z]{26}$")
INSTANT = {"type": "string", "format": "date-time"}
NEXT = maybe(text("The cursor of the next page; null on the last."))
_WORDS = {
    "about": text("A longer text (Markdown).", maxLength=playlists.LONGEST_ABOUT),
    "visibility": one_of(
        Visibility, "Who may see it; unlisted is for everyone who has the address. Private at first."
    ),
}
_TITLE = text("Title.", minLength=1, maxLength=playlists.LONGEST_TITLE)
_WHEN = {**INSTANT, "description": "Since when."}

SCHEMAS: dict[str, Schema] = {
    "KeptTrack": thing(
        {
            "id": ID,
            "title": text("Title."),
            "duration_ms": maybe(number("integer", "Duration in milliseconds.")),
            "artist": thing({"slug": text("Slug."), "name": text("Name.")}, says="Who made it."),
            "release": thing(
                {"id": ID, "slug": text("Slug."), "title": text("Title.")}, says="Where it stands."
            ),
            "artwork": maybe(
                {
                    "type": "object",
                    "description": "Addresses of the cover by its size in pixels.",
                    "properties": {str(px): text("WebP.", format="uri") for px in SIZES_PX},
                }
            ),
            "preview_url": maybe(text("Public address of a 30 second preview.", format="uri")),
            "url": text("The track's page.", format="uri"),
            "qualities": many(
                {"type": "string", "enum": [str(quality) for quality in Quality]},
                "Qualities the caller may hear, lowest first.",
            ),
        },
        says="A track as it stands in a list of the library.",
    ),
    "FavouriteTrackList": thing(
        {
            "items": many(
                thing({"track": ref("KeptTrack"), "added_at": _WHEN}, says="A favourite."),
                "Last kept first; those that are not to be seen any more are left out.",
            ),
            "next_cursor": NEXT,
        },
        says="A page of favourite tracks.",
    ),
    "FavouriteReleaseList": thing(
        {
            "items": many(
                thing({"release": ref("Release"), "added_at": _WHEN}, says="A favourite."),
                "Last kept first; those that are not to be seen any more are left out.",
            ),
            "next_cursor": NEXT,
        },
        says="A page of favourite releases.",
    ),
    "FollowList": thing(
        {
            "items": many(
                thing({"artist": ref("Artist"), "since": _WHEN}, says="An artist."), "Last one first."
            ),
            "next_cursor": NEXT,
        },
        says="A page of the artists somebody follows.",
    ),
    "Heard": thing(
        {
            "id": text("Identifier, made by the player (UUID)."),
            "started_at": {**INSTANT, "description": "When it was put on."},
            "heard_ms": number("integer", "How much was heard, in milliseconds."),
            "outcome": one_of(Outcome, "How it went."),
            "quality": maybe(
                {
                    "type": "string",
                    "description": "The best quality it was heard in, or preview.",
                    "enum": [*map(str, HEARD_IN[1:]), None],
                }
            ),
            "track": ref("KeptTrack"),
        },
        optional=("track",),
        says="A play. Without a track, that is not to be seen any more.",
    ),
    "History": thing(
        {"items": many(ref("Heard"), "Newest first."), "next_cursor": NEXT},
        says="A page of what somebody heard.",
    ),
    "PlaylistEntry": thing(
        {
            "id": ID,
            "added_at": _WHEN,
            "track": ref("KeptTrack"),
            "there_before": number(
                "integer", "How often the track stood in it before; told when it is added."
            ),
        },
        optional=("track", "there_before"),
        says="A place in a playlist. Without a track, that is not to be seen any more; only its owner sees such a place.",
    ),
    "Playlist": thing(
        {
            "id": ID,
            "title": _TITLE,
            **_WORDS,
            "owner": maybe(text("Name of who made it.")),
            "yours": {"type": "boolean", "description": "Whether the caller made it."},
            "length": number("integer", "How many places it has for the caller."),
            "version": number(
                "integer", "Grows with every change; also the ETag that If-Match takes.", minimum=1
            ),
            "created_at": INSTANT,
            "updated_at": INSTANT,
            "url": text("Its page.", format="uri"),
            "entries": many(ref("PlaylistEntry"), "In order; not in lists.", maxItems=entries.MOST_ENTRIES),
        },
        optional=("entries",),
        says="Tracks in an order that somebody chose.",
    ),
    "PlaylistList": thing(
        {"items": many(ref("Playlist"), "Last changed first."), "next_cursor": NEXT},
        says="A page of playlists.",
    ),
    "NewPlaylist": thing(
        {"title": _TITLE, **_WORDS}, optional=_WORDS, says="What a playlist needs, and what it may have."
    ),
    "PlaylistChange": change(
        {
            "title": _TITLE,
            **_WORDS,
            "entry_order": many({"type": "string"}, "The ids of all entries in their new order."),
        },
        says="Fields to change; what is left out stays. All of it happens or nothing.",
    ),
    "NewEntry": thing({"track": ID}, says="The track to put at the end."),
}
