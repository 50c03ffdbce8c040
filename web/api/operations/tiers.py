"""The operations on tiers, memberships and takedowns."""

from web.api.operations.words import AUTH
from web.api.operations.words import IF_MATCH
from web.api.operations.words import JSON
from web.api.operations.words import PAGE
from web.api.operations.words import Answer
from web.api.operations.words import Operation

RUNNERS = "For owners and managers of the artist."
MODERATORS = "For moderators and admins."
OPERATIONS = (
    Operation(
        "Tiers",
        "GET",
        "/api/v1/artists/{slug}/tiers",
        "What one can be to an artist, and what that opens.",
        {200: Answer("The tiers in the artist's order.", "TierList")},
        problems=(404,),
        example="curl {root}/api/v1/artists/$ARTIST/tiers",
    ),
    Operation(
        "Tiers",
        "POST",
        "/api/v1/artists/{slug}/tiers",
        "Add a tier.",
        {201: Answer("The tier.", "Tier")},
        signed_in=True,
        sends={JSON: "NewTier"},
        notes=RUNNERS,
        problems=(404, 409, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"name": "Crew", "price_minor": 700}}\' {{root}}/api/v1/artists/$ARTIST/tiers',
    ),
    Operation(
        "Tiers",
        "PATCH",
        "/api/v1/artists/{slug}/tiers/{tier_id}",
        "Change what a tier costs and opens.",
        {200: Answer("The tier as it is now.", "Tier")},
        signed_in=True,
        headers=(IF_MATCH,),
        sends={JSON: "TierChange"},
        notes=f"{RUNNERS} The free tier costs nothing and stays; an archived tier keeps its members and takes no new ones.",
        problems=(404, 409, 412, 415, 422, 503),
        example=f'curl -X PATCH {AUTH} --json \'{{"name": "Crew"}}\' {{root}}/api/v1/artists/$ARTIST/tiers/$TIER',
    ),
    Operation(
        "Memberships",
        "GET",
        "/api/v1/memberships",
        "Where you are a member.",
        {200: Answer("By the artist's name.", "MembershipList")},
        signed_in=True,
        example=f"curl {AUTH} {{root}}/api/v1/memberships",
    ),
    Operation(
        "Memberships",
        "GET",
        "/api/v1/artists/{slug}/memberships",
        "The members of an artist.",
        {200: Answer("A page, newest first.", "ArtistMembershipList")},
        signed_in=True,
        query=PAGE,
        notes=f"{RUNNERS} One whose time has run out is among them until it is ended or given anew.",
        problems=(404, 422),
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/memberships",
    ),
    Operation(
        "Memberships",
        "POST",
        "/api/v1/artists/{slug}/memberships",
        "Make somebody a member: a gift, for the press, or for the band.",
        {201: Answer("The membership.", "ArtistMembership")},
        signed_in=True,
        sends={JSON: "NewMembership"},
        notes=RUNNERS,
        problems=(404, 409, 415, 422, 503),
    ),
    Operation(
        "Memberships",
        "PATCH",
        "/api/v1/artists/{slug}/memberships/{membership_id}",
        "Give a member another tier, another end, another note.",
        {200: Answer("The membership as it is now.", "ArtistMembership")},
        signed_in=True,
        headers=(IF_MATCH,),
        sends={JSON: "MembershipChange"},
        notes=RUNNERS,
        problems=(404, 409, 412, 415, 422, 503),
    ),
    Operation(
        "Memberships",
        "DELETE",
        "/api/v1/artists/{slug}/memberships/{membership_id}",
        "End a membership now.",
        {204: Answer("It is over.")},
        signed_in=True,
        notes=RUNNERS,
        problems=(404, 409),
    ),
    Operation(
        "Takedowns",
        "GET",
        "/api/v1/takedowns",
        "What is taken down.",
        {200: Answer("A page, last first.", "TakedownList")},
        signed_in=True,
        query=PAGE,
        notes=MODERATORS,
        problems=(422,),
    ),
    *(
        operation
        for noun in ("release", "track")
        for operation in (
            Operation(
                "Takedowns",
                "PUT",
                f"/api/v1/{noun}s/{{{noun}_id}}/takedown",
                f"Take a {noun} down: nobody hears it until it is given back.",
                {201: Answer("The takedown.", "Takedown")},
                signed_in=True,
                sends={JSON: "NewTakedown"},
                notes=MODERATORS,
                problems=(404, 409, 415, 422, 503),
            ),
            Operation(
                "Takedowns",
                "DELETE",
                f"/api/v1/{noun}s/{{{noun}_id}}/takedown",
                f"Give a {noun} back.",
                {204: Answer("It is as it was.")},
                signed_in=True,
                notes=MODERATORS,
                problems=(404,),
            ),
        )
    ),
)
