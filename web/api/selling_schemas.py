"""Prices as artists set them, discounts and download codes, as JSON Schema."""

from appliance.shop import receipts
from appliance.shop.codes import MOST_AT_ONCE
from appliance.shop.discounts import MOST_USES
from appliance.shop.prices import MOST_PERCENT
from web.api.buying_schemas import CURRENCY
from web.api.buying_schemas import ID
from web.api.buying_schemas import INSTANT
from web.api.buying_schemas import NEXT
from web.api.buying_schemas import amount
from web.api.buying_schemas import asked
from web.api.shapes import Schema
from web.api.shapes import change
from web.api.shapes import flag
from web.api.shapes import many
from web.api.shapes import maybe
from web.api.shapes import number
from web.api.shapes import ref
from web.api.shapes import text
from web.api.shapes import thing

_PRICE = maybe(asked("The price, or the least of it; 0 is given away, null is not for sale."))
_MORE = flag("Whether fans may give more.")
_AHEAD = flag("Whether it is sold before its day.")
_LEAST = amount("The smallest price above nothing that can be paid here.")
_OFF = maybe(
    number(
        "integer",
        "What is taken off in percent for everything at once; null while that is not offered.",
        minimum=0,
        maximum=MOST_PERCENT,
    )
)
_PERCENT = maybe(number("integer", "What is taken off in percent.", minimum=1, maximum=100))
_AMOUNT = maybe(number("integer", "What is taken off as an amount.", minimum=1))
_FROM = maybe({**INSTANT, "description": "From when on it holds."})
_UNTIL = maybe({**INSTANT, "description": "When it ends; null for good."})
_MOST = maybe(
    number("integer", "How often it can be used; null for any number.", minimum=1, maximum=MOST_USES)
)
_STOPPED = maybe({**INSTANT, "description": "When it was stopped."})
_MADE = {**INSTANT, "description": "When it was made."}
_CODE = text("Letters from A to Z, digits and hyphens.", minLength=3, maxLength=30)
_NUMBER = number("integer", "How many.", minimum=1, maximum=MOST_AT_ONCE)
_NAME = text("What they are for; may be empty.", maxLength=100)

SCHEMAS: dict[str, Schema] = {
    "ReleasePrices": thing(
        {
            "release": ID,
            "currency": CURRENCY,
            "least_minor": _LEAST,
            "price_minor": _PRICE,
            "pay_more": _MORE,
            "preorder": _AHEAD,
            "tracks": many(
                thing(
                    {"id": ID, "title": text("Title."), "price_minor": _PRICE}, says="A track with its price."
                ),
                "The tracks in their order.",
            ),
            "version": number("integer", "Grows with every change of the release's price.", minimum=0),
        },
        says="What a release and each of its tracks cost.",
    ),
    "ReleasePricesChange": change(
        {
            "price_minor": _PRICE,
            "pay_more": _MORE,
            "preorder": _AHEAD,
            "tracks": {
                "type": "object",
                "description": "A price, or null, for each id of a track that changes.",
                "additionalProperties": _PRICE,
            },
        },
        says="Fields to change; what is left out stays.",
    ),
    "PriceList": thing(
        {
            "currency": CURRENCY,
            "least_minor": _LEAST,
            "percent_off": _OFF,
            "items": many(
                thing(
                    {
                        "kind": text("What it is.", enum=["release", "track"]),
                        "thing": ID,
                        "price_minor": amount("The price, or the least of it."),
                        "pay_more": _MORE,
                        "preorder": _AHEAD,
                    },
                    says="A price.",
                ),
                "What has a price.",
            ),
        },
        says="All prices of an artist.",
    ),
    "CatalogueOffer": thing({"percent_off": _OFF}, says="What is taken off for everything at once."),
    "Seller": thing(
        {
            "name": text("Name; the artist's own where it is empty.", maxLength=receipts.LONGEST_NAME),
            "address": text("Address; may be empty.", maxLength=receipts.LONGEST_ADDRESS),
            "business_number": text("VAT number; may be empty.", maxLength=40),
        },
        says="Who stands on the artist's receipts from now on.",
    ),
    "Discount": thing(
        {
            "id": ID,
            "code": _CODE,
            "percent": _PERCENT,
            "amount_minor": _AMOUNT,
            "currency": maybe(text("The currency of the amount.")),
            "starts_at": _FROM,
            "ends_at": _UNTIL,
            "most_uses": _MOST,
            "used": number("integer", "How many orders use it.", minimum=0),
            "stopped_at": _STOPPED,
            "created_at": _MADE,
        },
        says="A code that takes something off.",
    ),
    "DiscountList": thing({"items": many(ref("Discount"), "Newest first.")}, says="An artist's discounts."),
    "NewDiscount": thing(
        {
            "code": _CODE,
            "percent": _PERCENT,
            "amount_minor": _AMOUNT,
            "starts_at": _FROM,
            "ends_at": _UNTIL,
            "most_uses": _MOST,
        },
        optional=("percent", "amount_minor", "starts_at", "ends_at", "most_uses"),
        says="What makes a discount: a percentage or an amount.",
    ),
    "CodeBatch": thing(
        {
            "id": ID,
            "name": _NAME,
            "release": thing({"id": ID, "title": text("Title.")}, says="What they open."),
            "number": _NUMBER,
            "redeemed": number("integer", "How many were redeemed.", minimum=0),
            "expires_at": _UNTIL,
            "stopped_at": _STOPPED,
            "created_at": _MADE,
            "table_url": text("The codes themselves, as CSV.", format="uri"),
        },
        says="Download codes that were made at once.",
    ),
    "CodeBatchList": thing(
        {"items": many(ref("CodeBatch"), "Newest first."), "next_cursor": NEXT},
        says="An artist's download codes.",
    ),
    "NewCodeBatch": thing(
        {"release": ID, "number": _NUMBER, "name": _NAME, "expires_at": _UNTIL},
        optional=("name", "expires_at"),
        says="What makes download codes.",
    ),
}
