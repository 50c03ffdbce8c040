"""The operations on artists."""

from web.api.operations.words import AUTH
from web.api.operations.words import BYTES
from web.api.operations.words import FORM
from web.api.operations.words import IF_MATCH
from web.api.operations.words import JSON
from web.api.operations.words import Answer
from web.api.operations.words import Operation

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
        sends={FORM: "file", BYTES: ""},
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
)
