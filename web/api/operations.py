"""What can be asked of the interface: one row an operation. The OpenAPI document and the page for people are made of these rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from appliance.catalog import staging

JSON = "application/json"
OCTETS = "application/offset+octet-stream"

PATH_PARAMETERS = {
    "slug": "The artist's slug.",
    "release_id": "The release's id.",
    "track_id": "The track's id.",
    "playlist_id": "The playlist's id.",
    "entry_id": "The id of a place in a playlist.",
    "play_id": "The play's id.",
    "upload_id": "The upload's id: the last part of its address.",
}
RESUMABLE = ("Tus-Resumable", "Always 1.0.0.", True)
IF_MATCH = ("If-Match", "The ETag of what you change: 412 when somebody else changed it since.", False)
CHECKSUM = (
    "Upload-Checksum",
    f"{', '.join(staging.CHECKSUMS)}, a space, and the digest of this body in base64.",
    False,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One way in which it can go well: what it says, the schema of its body, and headers worth knowing."""

    says: str
    schema: str = ""
    type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address; *problems* are the statuses of the errors it is known for."""

    noun: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, Answer]
    signed_in: bool = False
    notes: str = ""
    query: tuple[tuple[str, str, Mapping[str, object]], ...] = ()
    headers: tuple[tuple[str, str, bool], ...] = ()
    sends: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    example: str = ""

    @property
    def name(self) -> str:
        """A name to refer to, for links and generated clients."""
        words = (
            self.path.replace("/api/v1", "").replace("{", "").replace("}", "").replace(".", "/").split("/")
        )
        return "_".join([self.method.lower(), *(word for word in words if word)])


AUTH = '-H "Authorization: Bearer $TOKEN"'
TUS = '-H "Tus-Resumable: 1.0.0"'
_FORM, _BYTES = "multipart/form-data", "application/octet-stream"

PAGE = (
    ("limit", "How many, 1 to 100.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
    ("cursor", "Where to go on.", {"type": "string"}),
)

KEEPING = (
    Operation(
        "Library",
        "GET",
        "/api/v1/favourites/tracks",
        "The tracks you keep.",
        {200: Answer("One page.", "FavouriteTrackList")},
        signed_in=True,
        query=PAGE,
        problems=(422, 503),
        example=f"curl {AUTH} {{root}}/api/v1/favourites/tracks",
    ),
    Operation(
        "Library",
        "PUT",
        "/api/v1/favourites/tracks/{track_id}",
        "Keep a track.",
        {204: Answer("It is kept.")},
        signed_in=True,
        problems=(404, 409, 503),
        example=f"curl -X PUT {AUTH} {{root}}/api/v1/favourites/tracks/$TRACK",
    ),
    Operation(
        "Library",
        "DELETE",
        "/api/v1/favourites/tracks/{track_id}",
        "Keep a track no longer.",
        {204: Answer("It is not kept.")},
        signed_in=True,
        problems=(503,),
        example=f"curl -X DELETE {AUTH} {{root}}/api/v1/favourites/tracks/$TRACK",
    ),
    Operation(
        "Library",
        "GET",
        "/api/v1/favourites/releases",
        "The releases you keep.",
        {200: Answer("One page.", "FavouriteReleaseList")},
        signed_in=True,
        query=PAGE,
        problems=(422, 503),
        example=f"curl {AUTH} {{root}}/api/v1/favourites/releases",
    ),
    Operation(
        "Library",
        "PUT",
        "/api/v1/favourites/releases/{release_id}",
        "Keep a release.",
        {204: Answer("It is kept.")},
        signed_in=True,
        problems=(404, 409, 503),
        example=f"curl -X PUT {AUTH} {{root}}/api/v1/favourites/releases/$RELEASE",
    ),
    Operation(
        "Library",
        "DELETE",
        "/api/v1/favourites/releases/{release_id}",
        "Keep a release no longer.",
        {204: Answer("It is not kept.")},
        signed_in=True,
        problems=(503,),
    ),
    Operation(
        "Library",
        "GET",
        "/api/v1/follows",
        "The artists you follow.",
        {200: Answer("One page.", "FollowList")},
        signed_in=True,
        query=PAGE,
        problems=(422, 503),
        example=f"curl {AUTH} {{root}}/api/v1/follows",
    ),
    Operation(
        "Library",
        "PUT",
        "/api/v1/follows/{slug}",
        "Follow an artist.",
        {204: Answer("You follow them.")},
        signed_in=True,
        problems=(404, 409, 503),
        example=f"curl -X PUT {AUTH} {{root}}/api/v1/follows/$ARTIST",
    ),
    Operation(
        "Library",
        "DELETE",
        "/api/v1/follows/{slug}",
        "Follow an artist no longer.",
        {204: Answer("You do not follow them.")},
        signed_in=True,
        problems=(404, 503),
    ),
    Operation(
        "Library",
        "GET",
        "/api/v1/history",
        "What you heard.",
        {200: Answer("One page.", "History")},
        signed_in=True,
        query=PAGE,
        problems=(422, 503),
        example=f"curl {AUTH} {{root}}/api/v1/history",
    ),
    Operation(
        "Library",
        "DELETE",
        "/api/v1/history",
        "Forget everything you heard.",
        {204: Answer("It is forgotten.")},
        signed_in=True,
        notes="The plays still count for the artists, for nobody in particular.",
        problems=(503,),
        example=f"curl -X DELETE {AUTH} {{root}}/api/v1/history",
    ),
    Operation(
        "Library",
        "DELETE",
        "/api/v1/history/{play_id}",
        "Forget one play.",
        {204: Answer("It is forgotten.")},
        signed_in=True,
        problems=(404, 503),
    ),
    Operation(
        "Playlists",
        "GET",
        "/api/v1/playlists",
        "The playlists you made.",
        {200: Answer("One page.", "PlaylistList")},
        signed_in=True,
        query=PAGE,
        problems=(422, 503),
        example=f"curl {AUTH} {{root}}/api/v1/playlists",
    ),
    Operation(
        "Playlists",
        "POST",
        "/api/v1/playlists",
        "Make a playlist.",
        {201: Answer("The playlist.", "Playlist", headers={"Location": "The playlist's address."})},
        signed_in=True,
        sends={JSON: "NewPlaylist"},
        problems=(409, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"title": "For the night", "visibility": "unlisted"}}\' {{root}}/api/v1/playlists',
    ),
    Operation(
        "Playlists",
        "GET",
        "/api/v1/playlists/{playlist_id}",
        "One playlist with its entries.",
        {200: Answer("The playlist.", "Playlist")},
        notes="A private one is 404 for everyone but who made it.",
        problems=(404,),
        example=f"curl {AUTH} {{root}}/api/v1/playlists/$PLAYLIST",
    ),
    Operation(
        "Playlists",
        "PATCH",
        "/api/v1/playlists/{playlist_id}",
        "Change what a playlist says, or the order of its entries.",
        {200: Answer("The playlist as it is now.", "Playlist")},
        signed_in=True,
        headers=(IF_MATCH,),
        sends={JSON: "PlaylistChange"},
        problems=(404, 409, 412, 415, 422, 503),
        example=f'curl -X PATCH {AUTH} --json \'{{"visibility": "public"}}\' {{root}}/api/v1/playlists/$PLAYLIST',
    ),
    Operation(
        "Playlists",
        "DELETE",
        "/api/v1/playlists/{playlist_id}",
        "Delete a playlist.",
        {204: Answer("It is gone.")},
        signed_in=True,
        problems=(404, 503),
        example=f"curl -X DELETE {AUTH} {{root}}/api/v1/playlists/$PLAYLIST",
    ),
    Operation(
        "Playlists",
        "POST",
        "/api/v1/playlists/{playlist_id}/entries",
        "Put a track at the end of a playlist.",
        {201: Answer("Its place.", "PlaylistEntry")},
        signed_in=True,
        sends={JSON: "NewEntry"},
        problems=(404, 409, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"track": "$TRACK"}}\' {{root}}/api/v1/playlists/$PLAYLIST/entries',
    ),
    Operation(
        "Playlists",
        "DELETE",
        "/api/v1/playlists/{playlist_id}/entries/{entry_id}",
        "Take an entry out of a playlist.",
        {204: Answer("It is out.")},
        signed_in=True,
        problems=(404, 503),
    ),
)

OPERATIONS = (
    Operation(
        "Artists",
        "POST",
        "/api/v1/artists",
        "Make an artist that you run.",
        {201: Answer("The artist.", "Artist", headers={"Location": "The artist's address."})},
        signed_in=True,
        sends={JSON: "NewArtist"},
        problems=(409, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"name": "Night Ferry"}}\' {{root}}/api/v1/artists',
    ),
    Operation(
        "Artists",
        "GET",
        "/api/v1/artists/{slug}",
        "One artist.",
        {
            200: Answer("The artist.", "Artist"),
            301: Answer("The artist has another address now.", headers={"Location": "Where they are."}),
        },
        problems=(404,),
        example="curl -L {root}/api/v1/artists/$ARTIST",
    ),
    Operation(
        "Artists",
        "PATCH",
        "/api/v1/artists/{slug}",
        "Change what an artist says, or their address.",
        {200: Answer("The artist as they are now.", "Artist")},
        signed_in=True,
        headers=(IF_MATCH,),
        sends={JSON: "ArtistChange"},
        notes="For owners and managers. With a new `slug`, the address before leads to the new one and stays theirs.",
        problems=(404, 409, 412, 415, 422, 503),
        example=f'curl -X PATCH {AUTH} --json \'{{"location": "Sassnitz"}}\' {{root}}/api/v1/artists/$ARTIST',
    ),
    Operation(
        "Artists",
        "DELETE",
        "/api/v1/artists/{slug}",
        "Remove an artist without releases.",
        {204: Answer("It is gone.")},
        signed_in=True,
        notes="For owners.",
        problems=(404, 409),
    ),
    Operation(
        "Artists",
        "PUT",
        "/api/v1/artists/{slug}/picture",
        "Give an artist a picture: JPEG, PNG, WebP or GIF, at least 200 pixels a side.",
        {200: Answer("The artist as they are now.", "Artist")},
        signed_in=True,
        sends={_FORM: "file", _BYTES: ""},
        notes="For owners and managers. Send the picture as the body or as the form field `file`. It is cut to a square.",
        problems=(404, 413, 422, 503),
        example=f"curl -X PUT {AUTH} -F file=@cover.png {{root}}/api/v1/artists/$ARTIST/picture",
    ),
    Operation(
        "Artists",
        "GET",
        "/api/v1/artists/{slug}/members",
        "The people who work on an artist.",
        {200: Answer("All of them, the owner first.", "MemberList")},
        signed_in=True,
        notes="For owners.",
        problems=(404,),
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/members",
    ),
    Operation(
        "Releases",
        "POST",
        "/api/v1/artists/{slug}/releases",
        "Make a draft for an artist that you run.",
        {201: Answer("The draft.", "Release", headers={"Location": "The release's address."})},
        signed_in=True,
        sends={JSON: "NewRelease"},
        problems=(404, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"title": "Harbour Lights", "kind": "ep"}}\' {{root}}/api/v1/artists/$ARTIST/releases',
    ),
    Operation(
        "Releases",
        "GET",
        "/api/v1/releases",
        "Published releases, newest first.",
        {200: Answer("One page.", "ReleaseList")},
        notes="Go on with `cursor` set to `next_cursor` of the page before, until that is null.",
        query=(
            (
                "limit",
                "How many, 1 to 100.",
                {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
            ),
            ("cursor", "Where to go on.", {"type": "string"}),
            ("artist", "Only those of the artist with this slug.", {"type": "string"}),
        ),
        problems=(404, 422, 503),
        example="curl '{root}/api/v1/releases?limit=5'",
    ),
    Operation(
        "Releases",
        "GET",
        "/api/v1/releases/{release_id}",
        "One release with the tracks that you may know of.",
        {200: Answer("The release.", "Release")},
        notes="A draft is 404 for everyone but the people behind it.",
        problems=(404,),
        example=f"curl {AUTH} {{root}}/api/v1/releases/$RELEASE",
    ),
    Operation(
        "Releases",
        "PATCH",
        "/api/v1/releases/{release_id}",
        "Change fields of a release, or the order of its tracks.",
        {200: Answer("The release as it is now.", "Release")},
        signed_in=True,
        headers=(IF_MATCH,),
        sends={JSON: "ReleaseChange"},
        problems=(404, 409, 412, 415, 422, 503),
        example=f'curl -X PATCH {AUTH} --json \'{{"genre": "ambient", "tags": ["sea"]}}\' {{root}}/api/v1/releases/$RELEASE',
    ),
    Operation(
        "Releases",
        "DELETE",
        "/api/v1/releases/{release_id}",
        "Remove a draft that holds no track.",
        {204: Answer("It is gone.")},
        signed_in=True,
        problems=(404, 409),
    ),
    Operation(
        "Releases",
        "PUT",
        "/api/v1/releases/{release_id}/artwork",
        "Give a release its cover: JPEG, PNG, WebP or GIF, at least 200 pixels a side.",
        {200: Answer("The release as it is now.", "Release")},
        signed_in=True,
        sends={_FORM: "file", _BYTES: ""},
        notes="Send the picture as the body or as the form field `file`. It is cut to a square and made in four sizes.",
        problems=(404, 413, 422, 503),
        example=f"curl -X PUT {AUTH} -F file=@cover.png {{root}}/api/v1/releases/$RELEASE/artwork",
    ),
    Operation(
        "Releases",
        "POST",
        "/api/v1/releases/{release_id}/publish",
        "Make a release public.",
        {200: Answer("The release as it is now.", "Release")},
        signed_in=True,
        notes="Doing it twice changes nothing. It needs a track that is ready, and none that failed; tracks still in the making "
        "appear when they are ready.",
        problems=(404, 409),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/releases/$RELEASE/publish",
    ),
    Operation(
        "Releases",
        "POST",
        "/api/v1/releases/{release_id}/schedule",
        "Let a release go public by itself.",
        {200: Answer("The release as it is now.", "Release")},
        signed_in=True,
        sends={JSON: "Schedule"},
        notes="It goes out within a minute of that instant. Do it again to choose another.",
        problems=(404, 409, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"at": "2040-05-01T18:00:00Z"}}\' {{root}}/api/v1/releases/$RELEASE/schedule',
    ),
    Operation(
        "Releases",
        "POST",
        "/api/v1/releases/{release_id}/unpublish",
        "Take a release back, or off its schedule.",
        {200: Answer("The draft; it keeps its address.", "Release")},
        signed_in=True,
        problems=(404, 409),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/releases/$RELEASE/unpublish",
    ),
    Operation(
        "Releases",
        "POST",
        "/api/v1/releases/{release_id}/private-link",
        "Make a private link, or a fresh one.",
        {200: Answer("The release; the link is its `private_url`.", "Release")},
        signed_in=True,
        notes="Whoever has it sees and hears the release until it is published or the link is revoked.",
        problems=(404, 409),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/releases/$RELEASE/private-link",
    ),
    Operation(
        "Releases",
        "DELETE",
        "/api/v1/releases/{release_id}/private-link",
        "Revoke the private link.",
        {204: Answer("It opens nothing any more.")},
        signed_in=True,
        problems=(404,),
    ),
    Operation(
        "Tracks",
        "POST",
        "/api/v1/releases/{release_id}/tracks",
        "Send a recording in one request.",
        {
            202: Answer(
                "The track, in state `uploaded`.", "Track", headers={"Location": "The track's address."}
            )
        },
        signed_in=True,
        notes="WAV, AIFF, FLAC, ALAC, MP3, AAC (M4A), Ogg Vorbis or Opus. For large files and weak connections take a resumable "
        "upload. Ask for the track until its `state` is `ready` or `failed`.",
        sends={_FORM: "file"},
        problems=(404, 411, 413, 422, 503),
        example=f"curl {AUTH} -F file=@song.flac {{root}}/api/v1/releases/$RELEASE/tracks",
    ),
    Operation(
        "Tracks",
        "GET",
        "/api/v1/tracks/{track_id}",
        "One track: how far it is, and what it sounds like.",
        {200: Answer("The track.", "Track")},
        problems=(404,),
        example=f"curl {AUTH} {{root}}/api/v1/tracks/$TRACK",
    ),
    Operation(
        "Tracks",
        "PATCH",
        "/api/v1/tracks/{track_id}",
        "Change title, ISRC, lyrics, licence or credits.",
        {200: Answer("The track as it is now.", "Track")},
        signed_in=True,
        headers=(IF_MATCH,),
        sends={JSON: "TrackChange"},
        problems=(404, 412, 415, 422, 503),
        example=f'curl -X PATCH {AUTH} --json \'{{"title": "Low Tide"}}\' {{root}}/api/v1/tracks/$TRACK',
    ),
    Operation(
        "Tracks",
        "DELETE",
        "/api/v1/tracks/{track_id}",
        "Take a track off its release.",
        {204: Answer("It is gone.")},
        signed_in=True,
        problems=(404,),
        example=f"curl -X DELETE {AUTH} {{root}}/api/v1/tracks/$TRACK",
    ),
    Operation(
        "Tracks",
        "POST",
        "/api/v1/tracks/{track_id}/play",
        "Get the address of the stream.",
        {200: Answer("A signed address and how long it works.", "Play")},
        notes="An HLS master playlist with the qualities you may hear, and no others; the addresses in it inherit the signature. "
        "Ask again before `expires_at` to go on. The people behind a track hear `low` before the rest is made.",
        problems=(404, 409),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/tracks/$TRACK/play",
    ),
    Operation(
        "Tracks",
        "POST",
        "/api/v1/tracks/{track_id}/offline",
        "Keep a track for listening without a connection.",
        {200: Answer("What may be kept, the key to keep it under, and for how long.", "OfflineOffer")},
        signed_in=True,
        notes="The browser keeps the file encrypted under the key and plays it until `expires_at`; ask again before that to go on. The key is "
        "the same while one stays signed in, and another one afterwards.",
        problems=(404, 409),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/tracks/$TRACK/offline",
    ),
    Operation(
        "Tracks",
        "POST",
        "/api/v1/tracks/{track_id}/retry",
        "Make the renditions again.",
        {202: Answer("The track; what was heard before stays until the new run is done.", "Track")},
        signed_in=True,
        problems=(404,),
        example=f"curl -X POST {AUTH} {{root}}/api/v1/tracks/$TRACK/retry",
    ),
    Operation(
        "Resumable uploads",
        "OPTIONS",
        "/api/v1/uploads",
        "What this server can do of tus 1.0.0.",
        {
            204: Answer(
                "In the headers.",
                headers={
                    "Tus-Version": "1.0.0",
                    "Tus-Extension": "creation, creation-with-upload, termination, expiration, checksum",
                    "Tus-Max-Size": "The largest original, in bytes.",
                    "Tus-Checksum-Algorithm": ", ".join(staging.CHECKSUMS),
                },
            )
        },
        notes="Any tus client will do. What a finished request brought is kept; so send large files in parts of some MiB "
        "(`chunkSize` in tus-js-client), and a dropped connection costs one part at most.",
        example="curl -i -X OPTIONS {root}/api/v1/uploads",
    ),
    Operation(
        "Resumable uploads",
        "POST",
        "/api/v1/uploads",
        "Announce a file.",
        {
            201: Answer(
                "Send the bytes to the address in `Location`.",
                headers={"Location": "The upload's address.", "Upload-Offset": "How many bytes are here."},
            )
        },
        signed_in=True,
        headers=(
            RESUMABLE,
            ("Upload-Length", "Size of the file in bytes.", True),
            (
                "Upload-Metadata",
                "`filename` and `release` (its id), each with its value in base64, by commas; `track` instead of `release` to give "
                "that track a new master.",
                True,
            ),
            CHECKSUM,
        ),
        sends={OCTETS: ""},
        notes="The first bytes may come along as the body.",
        problems=(404, 412, 413, 422, 460, 503),
        example=f'curl -i -X POST {AUTH} {TUS} -H "Upload-Length: $SIZE" '
        '-H "Upload-Metadata: filename $(printf song.flac | base64),release $(printf $RELEASE | base64)" {root}/api/v1/uploads',
    ),
    Operation(
        "Resumable uploads",
        "OPTIONS",
        "/api/v1/uploads/{upload_id}",
        "As above.",
        {204: Answer("In the headers.")},
    ),
    Operation(
        "Resumable uploads",
        "HEAD",
        "/api/v1/uploads/{upload_id}",
        "How many bytes have arrived.",
        {
            200: Answer(
                "In the headers.",
                headers={
                    "Upload-Offset": "How many bytes are here.",
                    "Upload-Length": "How many there will be.",
                    "Upload-Expires": "When an unfinished upload is removed.",
                },
            )
        },
        signed_in=True,
        headers=(RESUMABLE,),
        problems=(404, 412),
        example=f"curl -I {AUTH} {TUS} {{root}}/api/v1/uploads/$UPLOAD",
    ),
    Operation(
        "Resumable uploads",
        "PATCH",
        "/api/v1/uploads/{upload_id}",
        "Send bytes; with the last of them the file becomes a track with the id of the upload.",
        {204: Answer("They are kept.", headers={"Upload-Offset": "How many bytes are here now."})},
        signed_in=True,
        headers=(RESUMABLE, ("Upload-Offset", "Where these bytes begin.", True), CHECKSUM),
        sends={OCTETS: ""},
        problems=(404, 409, 412, 415, 422, 423, 460, 503),
        example=f'curl -i -X PATCH {AUTH} {TUS} -H "Upload-Offset: 0" -H "Content-Type: {OCTETS}" '
        "--data-binary @song.flac {root}/api/v1/uploads/$UPLOAD",
    ),
    Operation(
        "Resumable uploads",
        "DELETE",
        "/api/v1/uploads/{upload_id}",
        "Forget an unfinished upload.",
        {204: Answer("It is gone.")},
        signed_in=True,
        headers=(RESUMABLE,),
        problems=(404, 409, 412, 423),
        example=f"curl -X DELETE {AUTH} {TUS} {{root}}/api/v1/uploads/$UPLOAD",
    ),
    *KEEPING,
    Operation(
        "The server",
        "GET",
        "/health",
        "The process lives.",
        {200: Answer("It does.", "Health")},
        example="curl {root}/health",
    ),
    Operation(
        "The server",
        "GET",
        "/ready",
        "Database, queue and storage answer.",
        {200: Answer("They do.", "Readiness"), 503: Answer("One does not; its line says why.", "Readiness")},
        example="curl {root}/ready",
    ),
    Operation(
        "The server",
        "GET",
        "/metrics",
        "Figures for Prometheus.",
        {200: Answer("In the text format of Prometheus.", type="text/plain")},
        example="curl {root}/metrics",
    ),
    Operation(
        "The server",
        "GET",
        "/api/v1/openapi.json",
        "This interface as OpenAPI 3.1.",
        {200: Answer("The document.", "OpenApi")},
        example="curl {root}/api/v1/openapi.json",
    ),
    Operation(
        "The server",
        "GET",
        "/api/v1/docs",
        "This page.",
        {200: Answer("The interface for people.", type="text/html")},
    ),
)
