"""Tiers, memberships, takedowns and rights, as JSON Schema."""

from appliance.catalog.models import Quality
from appliance.catalog.takedowns import LONGEST_REASON
from appliance.memberships import granting
from appliance.memberships import tier_fields
from appliance.memberships.models import Origin
from appliance.memberships.models import TierKind
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
VERSION = number("integer", "Grows with every change; also the ETag that If-Match takes.", minimum=1)
NEXT = maybe(text("The cursor of the next page; null on the last."))


def _flag(says: str) -> Schema:
    return {"type": "boolean", "description": says}


EXCLUSIVE = _flag("Only members whose tier opens exclusive tracks hear the whole of it.")
_CURRENCY = text("ISO 4217; one for all tiers of an artist.", pattern="^[A-Z]{3}$")
_PRICE = number("integer", "A month's price in minor units.", minimum=0, maximum=tier_fields.MOST_PRICE_MINOR)
_QUALITY = {"type": "string", "enum": [str(quality) for quality in Quality]}
_MOST = tier_fields.MOST
_WORDS: dict[str, Schema] = {
    "about": text("What the artist says of it.", maxLength=tier_fields.LONGEST_ABOUT),
    "annual_price_minor": maybe(
        number(
            "integer",
            "A year's price in minor units, if one can pay by the year.",
            minimum=0,
            maximum=tier_fields.MOST_PRICE_MINOR,
        )
    ),
    "currency": _CURRENCY,
    "top_quality": {**_QUALITY, "description": "The best quality in which its members hear."},
    "early_access_hours": number(
        "integer",
        "How long before the public its members hear a release.",
        minimum=0,
        maximum=_MOST["early_access_hours"],
    ),
    "exclusives": _flag("Whether it opens exclusive tracks."),
    "downloads_a_month": maybe(
        number(
            "integer",
            "Downloads a month; null for as many as one likes.",
            minimum=0,
            maximum=_MOST["downloads_a_month"],
        )
    ),
    "monthly_qa": _flag("Questions and answers every month."),
    "live_sessions": _flag("Live sessions."),
    "virtual_backstage": _flag("The virtual backstage."),
    "direct_messages_a_month": number(
        "integer", "Messages to the artist a month.", minimum=0, maximum=_MOST["direct_messages_a_month"]
    ),
    "offline": _flag("Whether its members may keep tracks on their devices."),
    "merchandise_discount_percent": number(
        "integer",
        "Discount on merchandise in percent.",
        minimum=0,
        maximum=_MOST["merchandise_discount_percent"],
    ),
    "trial_days": number(
        "integer",
        "How many days one can try it before the first payment.",
        minimum=0,
        maximum=_MOST["trial_days"],
    ),
}
_NAME = text("Name.", minLength=1, maxLength=tier_fields.LONGEST_NAME)
_THROUGH = maybe({**INSTANT, "description": "Until when; null for good."})
_NOTE = text("A word for the artist's own people.", maxLength=granting.LONGEST_NOTE)
_REASON = text("Why, as a sentence.", minLength=1, maxLength=LONGEST_REASON)

SCHEMAS: dict[str, Schema] = {
    "Access": thing(
        {
            "may_play": _flag("Whether the caller hears the whole."),
            "may_download": _flag("Whether the caller may have it as a file."),
            "may_play_offline": _flag("Whether the caller may keep it on a device."),
            "top_quality": {
                "type": ["string", "null"],
                "description": "The best quality the caller hears.",
                "enum": [*_QUALITY["enum"], None],
            },
            "reason": text("Why, as a sentence for people."),
            "way_in": {
                "type": ["string", "null"],
                "description": "What would open the whole.",
                "enum": ["sign_in", "tier", None],
            },
            "tier": {
                "description": "The least tier that would open the whole.",
                "oneOf": [ref("TierOffer"), {"type": "null"}],
            },
            "downloads_a_month": maybe(
                number("integer", "Downloads of this artist a month; null for as many as one likes.")
            ),
            "until": maybe({**INSTANT, "description": "When this right ends by itself."}),
            "taken_down": _flag("Whether the collective took it down."),
        },
        says="What the caller may do at this instant, and why.",
    ),
    "TierOffer": thing(
        {"id": ID, "name": text("Name."), "price_minor": _PRICE, "currency": _CURRENCY},
        says="A tier one could be in.",
    ),
    "Tier": thing(
        {
            "id": ID,
            "kind": one_of(TierKind, "Which of the first three it is; empty for one the artist added."),
            "name": text("Name."),
            "price_minor": _PRICE,
            **_WORDS,
            "archived": _flag("Whether it takes no new members."),
            "version": VERSION,
        },
        says="What somebody is to an artist, and what that opens.",
    ),
    "TierList": thing({"items": many(ref("Tier"), "In the artist's order.")}, says="The tiers of an artist."),
    "NewTier": thing(
        {"name": _NAME, "price_minor": _PRICE, **_WORDS}, optional=_WORDS, says="What makes a tier."
    ),
    "TierChange": change(
        {"name": _NAME, "price_minor": _PRICE, **_WORDS, "archived": _flag("Archive it, or take it out.")},
        says="Fields to change; what is left out stays.",
    ),
    "Membership": thing(
        {
            "id": ID,
            "artist": thing({"slug": text("Slug."), "name": text("Name.")}, says="Of whom."),
            "tier": ref("Tier"),
            "origin": one_of(Origin, "Where it comes from."),
            "since": {**INSTANT, "description": "Since when."},
            "paid_through": _THROUGH,
        },
        says="Where the caller is a member.",
    ),
    "MembershipList": thing(
        {"items": many(ref("Membership"), "By the artist's name.")}, says="Where the caller is a member."
    ),
    "ArtistMembership": thing(
        {
            "id": ID,
            "person": thing({"name": text("Name; may be empty."), "email": text("Address.")}, says="Who."),
            "tier": ref("TierOffer"),
            "origin": one_of(Origin, "Where it comes from."),
            "since": {**INSTANT, "description": "Since when."},
            "paid_through": _THROUGH,
            "note": text("A word for the artist's own people; may be empty."),
            "version": VERSION,
        },
        says="A member of an artist, for those who decide about them.",
    ),
    "ArtistMembershipList": thing(
        {"items": many(ref("ArtistMembership"), "Newest first."), "next_cursor": NEXT},
        says="A page of an artist's members.",
    ),
    "NewMembership": thing(
        {
            "email": text("Address of an account."),
            "tier": ID,
            "origin": {**one_of(Origin, "Why."), "enum": [str(word) for word in granting.GIVEN]},
            "paid_through": _THROUGH,
            "note": _NOTE,
        },
        optional=("paid_through", "note"),
        says="What makes somebody a member.",
    ),
    "MembershipChange": change(
        {"tier": ID, "paid_through": _THROUGH, "note": _NOTE},
        says="Fields to change; what is left out stays.",
    ),
    "Takedown": thing(
        {
            "id": ID,
            "kind": text("What was taken down.", enum=["release", "track"]),
            "subject": text("Its id."),
            "reason": _REASON,
            "taken_at": {**INSTANT, "description": "When."},
        },
        says="Something nobody hears.",
    ),
    "TakedownList": thing(
        {"items": many(ref("Takedown"), "Last first."), "next_cursor": NEXT}, says="What is down now."
    ),
    "NewTakedown": thing({"reason": _REASON}, says="Why something is taken down."),
}
