"""What goes in and comes out of the interface, as JSON Schema 2020-12; the tests hold every real answer against it."""

from appliance.accounts.models import Scope
from appliance.catalog import credits
from appliance.catalog.artist_page import MOST_LINKS
from appliance.catalog.artwork import SIZES_PX
from appliance.catalog.licences import LICENCES
from appliance.catalog.lyrics import LONGEST
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Audience
from appliance.catalog.models import Quality
from appliance.catalog.models import ReleaseKind
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import TrackState
from web.api import books_schemas
from web.api import buying_schemas
from web.api import download_schemas
from web.api import kept_schemas
from web.api import selling_schemas
from web.api import subscription_schemas
from web.api import tier_schemas
from web.api.shapes import Schema
from web.api.shapes import change
from web.api.shapes import many
from web.api.shapes import maybe
from web.api.shapes import number
from web.api.shapes import one_of
from web.api.shapes import ref
from web.api.shapes import text
from web.api.shapes import thing

ID = text("Identifier: 26 letters and digits that sort by age (ULID).", pattern="^[0-9A-Z]{26}$")
INSTANT = {"type": "string", "format": "date-time"}
QUALITIES = many(
    {"type": "string", "enum": [str(q) for q in Quality]}, "Qualities the caller may hear, lowest first."
)
_WORDS = {
    "about": text("A longer text.", maxLength=20_000),
    "genre": text("Genre.", maxLength=60),
    "tags": many({"type": "string", "maxLength": 40}, "Up to 20 tags, kept in lower case."),
    "credits": text("Thanks and notes, beside the contributors.", maxLength=20_000),
    "licence": text(
        f"One of {', '.join(licence.key for licence in LICENCES)}, or words of your own.", maxLength=60
    ),
    "catalogue_number": text("The label's number.", maxLength=60),
    "release_date": maybe(text("Day of release (ISO 8601).", format="date")),
    "audience": one_of(
        Audience,
        "Who may hear whole tracks: everyone, listeners who are signed in, or members whose tier opens exclusive tracks.",
    ),
}
CREDITS = many(
    thing(
        {"name": text("Name.", maxLength=200), "role": text("What they did; may be empty.", maxLength=100)},
        optional=("role",),
        says="Who did what.",
    ),
    "Who did what, in order.",
    maxItems=credits.MOST_CREDITS,
)
LINKS = many(
    thing(
        {
            "url": text("Begins with https://, http:// or mailto:.", maxLength=500),
            "label": text("What is shown; without it the host.", maxLength=60),
        },
        optional=("label",),
        says="A link.",
    ),
    "Links in their order.",
    maxItems=MOST_LINKS,
)
PICTURES: Schema = {
    "type": "object",
    "properties": {str(px): {"type": "string", "format": "uri"} for px in SIZES_PX},
}
VERSION = number("integer", "Grows with every change of its fields; the ETag begins with it.", minimum=1)
_TITLE = text("Title.", minLength=1, maxLength=300)
_TRACK_WORDS = {
    "isrc": text("ISRC (ISO 3901); hyphens may be left out. Empty removes it."),
    "lyrics": text("Lyrics.", maxLength=50_000),
    "synced_lyrics": text("Lyrics with times (LRC).", maxLength=LONGEST),
    "licence": text("A licence of its own; empty for that of the release.", maxLength=60),
    "contributors": CREDITS,
}

SCHEMAS: dict[str, Schema] = {
    "Artist": thing(
        {
            "id": ID,
            "slug": text("Part of the artist's address."),
            "name": text("Name."),
            "about": text("A text about the artist (Markdown); may be empty."),
            "location": text("Where they are at home; may be empty."),
            "links": LINKS,
            "accent": maybe(text("The colour of their page, #rrggbb, if they chose one.")),
            "picture": maybe(
                {**PICTURES, "description": "Their picture by its side in pixels, if they have one."}
            ),
            "colour": maybe(text("The colour that carries the picture, #rrggbb.")),
            "version": VERSION,
            "url": text("The artist's page.", format="uri"),
            "catalogue": {
                **buying_schemas.TAG,
                "description": "For how much all of it can be bought at once; left out in lists.",
            },
        },
        optional=("catalogue",),
        says="An act with a page of its own.",
    ),
    "ArtistChange": change(
        {
            "name": text("Name.", minLength=1, maxLength=200),
            "slug": text("Part of the address.", maxLength=60),
            "about": text("A text about the artist (Markdown).", maxLength=20_000),
            "location": text("Where they are at home.", maxLength=100),
            "links": LINKS,
            "accent": text("The colour of their page, #rrggbb; empty for that of the collective."),
        },
        says="Fields to change; what is left out stays.",
    ),
    "MemberList": thing(
        {
            "items": many(
                thing(
                    {
                        "id": ID,
                        "name": text("The name they show; may be empty."),
                        "email": text("E-mail address."),
                        "role": one_of(MemberRole, "What they may do."),
                        "since": {**INSTANT, "description": "Since when."},
                    },
                    says="One of the artist's people.",
                ),
                "The owner first.",
            )
        },
        says="The people of an artist.",
    ),
    "NewArtist": thing(
        {
            "name": text("Name.", minLength=1, maxLength=200),
            "slug": text("Part of the address; without it one is made of the name.", maxLength=60),
            "about": text("A text about the artist.", maxLength=20_000),
        },
        optional=("slug", "about"),
        says="What makes an artist.",
    ),
    "Release": thing(
        {
            "id": ID,
            "artist": thing({"slug": text("Slug."), "name": text("Name.")}, says="Whose release it is."),
            "slug": text("Part of the release's address."),
            "title": text("Title."),
            "kind": one_of(ReleaseKind, "What sort of release it is."),
            "state": one_of(ReleaseState, "A draft is seen by the people behind it only."),
            **_WORDS,
            "artwork": maybe(
                {
                    "type": "object",
                    "description": "Public addresses of the cover (WebP) by its side in pixels; .jpg is there too.",
                    "properties": {str(px): {"type": "string", "format": "uri"} for px in SIZES_PX},
                }
            ),
            "colour": maybe(text("The cover's colour.", pattern="^#[0-9a-f]{6}$")),
            "published_at": maybe({**INSTANT, "description": "When it went public."}),
            "publish_at": maybe({**INSTANT, "description": "When it will, while it is scheduled."}),
            "version": VERSION,
            "url": text("The release's page.", format="uri"),
            "private_url": maybe(
                text("The private link, for those who may publish; left out in lists.", format="uri")
            ),
            "price": buying_schemas.TAG,
            "contributors": CREDITS,
            "access": ref("Access"),
            "tracks": many(ref("Track"), "The tracks the caller may know of, in order; left out in lists."),
        },
        optional=("tracks", "private_url", "contributors", "access"),
        says="An album, EP or single.",
    ),
    "NewRelease": thing(
        {
            "title": _TITLE,
            "kind": one_of(ReleaseKind, "Default: album."),
            **_WORDS,
            "contributors": CREDITS,
        },
        optional=("kind", "contributors", *_WORDS),
        says="What makes a draft.",
    ),
    "ReleaseChange": change(
        {
            "title": _TITLE,
            "kind": one_of(ReleaseKind, "What sort of release it is."),
            **_WORDS,
            "contributors": CREDITS,
            "track_order": many({"type": "string"}, "The ids of all tracks in their new order."),
        },
        says="Fields to change; what is left out stays. All of it happens or nothing.",
    ),
    "Schedule": thing({"at": {**INSTANT, "description": "When."}}, says="When a release goes out."),
    "ReleaseList": thing(
        {
            "items": many(ref("Release"), "Newest first."),
            "next_cursor": maybe(text("The cursor of the next page; null on the last.")),
        },
        says="A page of releases.",
    ),
    "Track": thing(
        {
            "id": ID,
            "release_id": ID,
            "position": number("integer", "Place on the release, from 1.", minimum=1),
            "title": text("Title; from the file's tags until somebody sets it."),
            "state": one_of(TrackState, "How far the track is."),
            "progress": number("number", "How far the transcoding is.", minimum=0, maximum=1),
            "problem": maybe(text("What went wrong, as a sentence for the artist.")),
            "duration_ms": maybe(number("integer", "Duration in milliseconds.")),
            "loudness_lufs": maybe(number("number", "Integrated loudness (EBU R128).")),
            "true_peak_dbtp": maybe(number("number", "True peak (ITU-R BS.1770).")),
            "qualities": QUALITIES,
            "waveform_url": maybe(text("Public address of the peaks (JSON).", format="uri")),
            "preview_url": maybe(text("Public address of a 30 second preview.", format="uri")),
            "isrc": maybe(text("ISRC without hyphens.")),
            "lyrics": maybe(text("Lyrics.")),
            "synced_lyrics": maybe(text("Lyrics with times (LRC).")),
            "licence": text("Its own licence, else that of the release; may be empty."),
            "slug": text("Part of the track's address."),
            "exclusive": tier_schemas.EXCLUSIVE,
            "access": ref("Access"),
            "version": VERSION,
            "price": buying_schemas.TAG,
            "contributors": CREDITS,
            "original": ref("Original"),
        },
        optional=("original",),
        says="One recording. The public knows of it once it is ready.",
    ),
    "Original": thing(
        {
            "name": text("Name of the file as it was sent."),
            "type": text("Content type by the file's own bytes."),
            "format": maybe(text("Codec, rate, depth and channels, once known.")),
            "size_bytes": number("integer", "Size in bytes."),
            "sha256": text("SHA-256 in hexadecimal.", pattern="^[0-9a-f]{64}$"),
            "url": text("A signed address that expires.", format="uri"),
        },
        says="The untouched file; only for the people behind the artist.",
    ),
    "TrackChange": change(
        {"title": _TITLE, **_TRACK_WORDS, "exclusive": tier_schemas.EXCLUSIVE},
        says="Fields to change; what is left out stays.",
    ),
    "Play": thing(
        {
            "hls_url": text("The signed master playlist (HLS, RFC 8216).", format="uri"),
            "expires_at": {
                **INSTANT,
                "description": "When the address stops working; ask again before that.",
            },
            "qualities": QUALITIES,
        },
        says="The permission to hear a track.",
    ),
    **kept_schemas.SCHEMAS,
    **download_schemas.SCHEMAS,
    **tier_schemas.SCHEMAS,
    **buying_schemas.SCHEMAS,
    **selling_schemas.SCHEMAS,
    **books_schemas.SCHEMAS,
    **subscription_schemas.SCHEMAS,
    "OfflineOffer": thing(
        {
            "hls_url": text("The signed master playlist (HLS, RFC 8216), with this one rung.", format="uri"),
            "file_url": text("The signed address of the rung's one file.", format="uri"),
            "key_url": text("Where the key of that file's segments is; empty when they are not encrypted."),
            "address_expires_at": {
                **INSTANT,
                "description": "When the addresses stop working; ask again to go on.",
            },
            "quality": {"type": "string", "enum": ["low", "medium", "high"]},
            "size_bytes": {"type": "integer", "minimum": 1},
            "run": text("Changes when the track is made anew; bytes of another run do not fit."),
            "key": text("32 bytes in base64, for AES-GCM."),
            "owner": text(
                "A word for this person in this session; what was kept under another one has to go."
            ),
            "expires_at": {
                **INSTANT,
                "description": "Until when the track may be heard without asking again.",
            },
        },
        says="The permission to keep a track.",
    ),
    "Health": thing({"status": text("Always ok.", const="ok")}, says="The process lives."),
    "Readiness": thing(
        {
            "status": {
                "type": "string",
                "enum": ["ready", "not ready"],
                "description": "All parts together.",
            },
            **{
                part: text("ok, or that it does not answer; monitors are told what is wrong.")
                for part in ("database", "queue", "storage")
            },
        },
        says="Whether the server can work.",
    ),
    "Problem": thing(
        {
            "type": text("Always about:blank: the status says the kind.", format="uri-reference"),
            "title": text("The kind of problem in words."),
            "status": number("integer", "The HTTP status."),
            "detail": text("What is wrong with this request, as a sentence for people."),
            "field": text("The field, header or parameter to mend, where there is one."),
        },
        optional=("field",),
        says="Problem details (RFC 9457).",
    ),
}
SECURITY_SCHEMES: dict[str, Schema] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token of scope "
        + ", ".join(f"`{scope}`" for scope in Scope)
        + ", made by `musicconnect token create --email you@example.com`. Changes need `write`; what is about money needs the scope that "
        "stands with it, and no other opens it.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "The session of the web pages. Changes also need the page's token in the header `X-CSRFToken`.",
    },
}
