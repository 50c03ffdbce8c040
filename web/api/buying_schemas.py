"""Prices, quotes and orders, as JSON Schema."""

from appliance.shop.gift_offers import MONTHS
from appliance.shop.models import Kind
from appliance.shop.models import OrderState
from appliance.shop.prices import MOST_MINOR
from appliance.shop.quotes import LONGEST_MESSAGE
from web.api.shapes import Schema
from web.api.shapes import flag
from web.api.shapes import many
from web.api.shapes import maybe
from web.api.shapes import number
from web.api.shapes import one_of
from web.api.shapes import ref
from web.api.shapes import text
from web.api.shapes import thing

ID = text("Identifier.", pattern="^[0-9A-Z]{26}$")
INSTANT = {"type": "string", "format": "date-time"}
CURRENCY = text("ISO 4217.", pattern="^[A-Z]{3}$")
NEXT = maybe(text("The cursor of the next page; null on the last."))
SELLER = thing({"id": ID, "name": text("Name.")}, says="Whose music it is.")


def amount(says: str) -> Schema:
    """Money in minor units of the currency that stands beside it, such as cents."""
    return number("integer", says, minimum=0)


def asked(says: str) -> Schema:
    """Money as somebody asks for it."""
    return number("integer", says, minimum=0, maximum=MOST_MINOR)


LINE = thing(
    {
        "kind": one_of(Kind, "What it is."),
        "name": text("What it is called."),
        "message": text("A few words with a gift; may be empty."),
        "amount_minor": amount("What is paid for it, tax included."),
        "tax_minor": amount("The tax in it."),
        "tax_name": text("What the tax is called; may be empty."),
        "tax_bps": number("integer", "The rate of the tax in basis points."),
        "release": maybe(text("The id of the release that it opens.")),
        "track": maybe(text("The id of the track that it opens.")),
    },
    says="One line of an order.",
)
LINES = many(LINE, "What it is for.")
WISH: dict[str, Schema] = {
    "kind": one_of(Kind, "What is wanted; a `code` is redeemed instead."),
    "thing": text(
        "The id of the release, the track, the bundle or the tier; for a catalogue and for a tip, of the artist."
    ),
    "amount_minor": maybe(asked("How much to give, where more than the price may be given.")),
    "tip_minor": maybe(asked("A gift on top.")),
    "message": maybe(text("A few words with the gift.", maxLength=LONGEST_MESSAGE)),
    "discount": maybe(text("A discount code.", maxLength=100)),
    "country": maybe(text("The buyer's country (ISO 3166-1), where taxes depend on it.", maxLength=2)),
    "business_number": maybe(text("The VAT number of a business.", maxLength=40)),
    "gift": {
        "description": "For a membership as a gift, of the tier that is the thing.",
        "oneOf": [ref("GiftWish"), {"type": "null"}],
    },
}
_GIFT: dict[str, Schema] = {
    "artist": SELLER,
    "tier": thing({"id": ID, "name": text("Name.")}, says="The tier."),
    "months": number("integer", "For how long."),
    "by": text("From whom; may be empty."),
    "message": text("A few words with it; may be empty."),
}
_MAY_LACK = [name for name in WISH if name not in {"kind", "thing"}]
_ORDER: dict[str, Schema] = {
    "id": ID,
    "state": one_of(OrderState, "How it stands; `paid` also while a part went back."),
    "artist": SELLER,
    "items": LINES,
    "currency": CURRENCY,
    "total_minor": amount("What is paid."),
    "tax_minor": amount("The tax in it."),
    "discount_minor": amount("What was taken off."),
    "country": maybe(text("The buyer's country.")),
    "business_number": maybe(text("The buyer's VAT number.")),
    "provider": maybe(text("By whom it is paid; null for what costs nothing.")),
    "created_at": {**INSTANT, "description": "When it was begun."},
    "paid_at": maybe({**INSTANT, "description": "When it was paid."}),
    "refunded_at": maybe({**INSTANT, "description": "When all of it had gone back."}),
}
PROVIDERS = many(
    thing(
        {"name": text("To be sent as `provider`."), "label": text("What people call it.")},
        says="A way to pay.",
    ),
    "By whom it can be paid.",
)
TAG: Schema = {
    "description": "For how much it can be bought; null for what cannot.",
    "oneOf": [ref("PriceTag"), {"type": "null"}],
}

SCHEMAS: dict[str, Schema] = {
    "PriceTag": thing(
        {
            "price_minor": amount("The price, or the least of it; 0 is given away."),
            "full_minor": amount("What the parts of a catalogue cost one by one; else the price."),
            "currency": CURRENCY,
            "pay_more": flag("Whether one may give more."),
            "preorder": flag("Whether it is sold before its day."),
            "out_at": maybe({**INSTANT, "description": "When what is sold before its day is out."}),
            "buy_url": text("The page where people buy it.", format="uri"),
        },
        says="For how much something can be bought.",
    ),
    "GiftWish": thing(
        {
            "months": number("integer", "For how long.", enum=list(MONTHS)),
            "by": text("From whom.", maxLength=80),
            "message": text("A few words with it.", maxLength=LONGEST_MESSAGE),
            "email": text("To whom a letter brings it; empty for a code to hand on.", maxLength=254),
            "send_at": maybe({**INSTANT, "description": "When the letter goes out; null for at once."}),
        },
        optional=("by", "message", "email", "send_at"),
        says="A membership for somebody else.",
    ),
    "Gift": thing(
        {
            **_GIFT,
            "code": maybe(text("The code, while it opens something.")),
            "email": maybe(text("To whom a letter brings it.")),
            "send_at": maybe({**INSTANT, "description": "From when on the letter goes out."}),
            "sent_at": maybe({**INSTANT, "description": "When it went out."}),
            "redeemed_at": maybe({**INSTANT, "description": "When it was redeemed."}),
        },
        says="A gift for who paid it.",
    ),
    "RedeemedGift": thing(
        {
            **_GIFT,
            "begins_at": maybe({**INSTANT, "description": "When one is a member by it."}),
            "through": maybe({**INSTANT, "description": "Until when."}),
        },
        says="A gift for who redeemed it.",
    ),
    "BundleList": thing(
        {
            "items": many(
                thing(
                    {
                        "id": ID,
                        "title": text("Title."),
                        "about": text("A text about it; may be empty."),
                        "releases": many(
                            thing({"id": ID, "title": text("Title.")}, says="A release."), "What is in it."
                        ),
                        "price": TAG,
                    },
                    says="Releases that are sold together.",
                ),
                "Newest first.",
            )
        },
        says="What an artist sells together.",
    ),
    "Wish": thing(WISH, optional=_MAY_LACK, says="What somebody wants to buy."),
    "Quote": thing(
        {
            "kind": one_of(Kind, "What is wanted."),
            "thing": text("Its id."),
            "name": text("What it is called."),
            "artist": SELLER,
            "lines": LINES,
            "currency": CURRENCY,
            "total_minor": amount("What is to be paid, tax included."),
            "tax_minor": amount("The tax in it."),
            "discount_minor": amount("What is taken off by the code."),
            "country": maybe(text("The country whose tax it is.")),
            "country_needed": flag("Whether an order must say the country."),
            "owned": flag("Whether the caller has bought all of it already."),
            "providers": PROVIDERS,
        },
        says="What something costs now.",
    ),
    "NewOrder": thing(
        {
            **WISH,
            "total_minor": asked("The total of the quote: when it is another one by now, nothing happens."),
            "provider": maybe(text("By whom it is paid, of those in the quote.", maxLength=30)),
        },
        optional=(*_MAY_LACK, "provider"),
        says="A wish, and what it may cost.",
    ),
    "Order": thing(
        {
            **_ORDER,
            "receipt": {
                "description": "The receipt of what was paid.",
                "oneOf": [ref("Receipt"), {"type": "null"}],
            },
            "pay_url": maybe(
                text("Where the buyer pays, in a browser, while that is to be done.", format="uri")
            ),
            "url": text("The order's page.", format="uri"),
        },
        says="What somebody bought.",
    ),
    "Receipt": thing(
        {
            "number": text("Its number, of its seller."),
            "url": text("Its address here, as PDF.", format="uri"),
        },
        says="A receipt.",
    ),
    "OrderList": thing({"items": many(ref("Order"), "Last first."), "next_cursor": NEXT}, says="One's orders."),
    "Redemption": thing({"code": text("The code, however it is typed.", maxLength=100)}, says="A download code."),
    "Sale": thing(
        {
            **_ORDER,
            "buyer": text("The buyer's e-mail address."),
            "receipt_number": maybe(text("The number of its receipt.")),
        },
        says="What an artist sold.",
    ),
    "SaleList": thing(
        {"items": many(ref("Sale"), "Last first."), "next_cursor": NEXT}, says="What an artist sold."
    ),
}  # fmt: skip
