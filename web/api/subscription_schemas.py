"""Memberships that are paid for, as JSON Schema."""

from appliance.memberships.subscription_invoicing import LONGEST_ADDRESS
from appliance.memberships.subscription_invoicing import LONGEST_NAME
from appliance.memberships.subscription_states import ASKED
from appliance.memberships.subscription_states import Stage
from appliance.payments import Interval
from web.api.buying_schemas import CURRENCY
from web.api.buying_schemas import ID
from web.api.buying_schemas import INSTANT
from web.api.buying_schemas import PROVIDERS
from web.api.buying_schemas import amount
from web.api.shapes import Schema
from web.api.shapes import flag
from web.api.shapes import many
from web.api.shapes import maybe
from web.api.shapes import one_of
from web.api.shapes import ref
from web.api.shapes import text
from web.api.shapes import thing

TIER = thing({"id": ID, "name": text("Name.")}, says="A tier.")
INTERVAL = one_of(Interval, "How often it is paid.")
_MOVES = [str(move) for move in ASKED]

SCHEMAS: dict[str, Schema] = {
    "TierPaymentList": thing(
        {
            "items": many(
                thing(
                    {
                        "interval": INTERVAL,
                        "price_minor": amount("What is paid each time."),
                        "currency": CURRENCY,
                        "saving_minor": amount("What a year costs less than twelve months."),
                        "providers": PROVIDERS,
                    },
                    says="A way to pay for a tier.",
                ),
                "By the month first; empty for what cannot be paid for.",
            )
        },
        says="How a tier can be paid for.",
    ),
    "Subscription": thing(
        {
            "id": ID,
            "artist": thing({"slug": text("Slug."), "name": text("Name.")}, says="Of whom."),
            "tier": TIER,
            "interval": INTERVAL,
            "price_minor": amount("What is paid each time."),
            "currency": CURRENCY,
            "provider": text("By whom it is paid."),
            "stage": one_of(Stage, "Where it is."),
            "member": flag("Whether one is a member by it."),
            "paid_through": maybe({**INSTANT, "description": "Until when one is a member by what was paid."}),
            "trial_end": maybe({**INSTANT, "description": "Until when it is tried."}),
            "cancel_at": maybe({**INSTANT, "description": "When it ends, once it is cancelled."}),
            "past_due_since": maybe({**INSTANT, "description": "Since when a payment is due."}),
            "next_payment": {
                "description": "What is charged next and when; null where nothing is.",
                "oneOf": [ref("NextPayment"), {"type": "null"}],
            },
            "pending": {
                "description": "What holds from the next period on.",
                "oneOf": [ref("PendingTier"), {"type": "null"}],
            },
            "moves": many({"type": "string", "enum": _MOVES}, "What can be asked for now."),
            "pay_url": maybe(text("Where it, or its next period, is paid in a browser, while that is to be done.", format="uri")),
            "created_at": {**INSTANT, "description": "When it was begun."},
        },
        says="A membership that the caller pays for.",
    ),
    "NextPayment": thing(
        {
            "at": {**INSTANT, "description": "When."},
            "amount_minor": amount("How much."),
            "currency": CURRENCY,
        },
        says="The next payment.",
    ),
    "PendingTier": thing(
        {"tier": TIER, "interval": INTERVAL, "price_minor": amount("What is paid each time from then on.")},
        says="The tier of the next period.",
    ),
    "SubscriptionList": thing(
        {"items": many(ref("Subscription"), "By the artist's name.")}, says="What the caller pays for."
    ),
    "NewSubscription": thing(
        {
            "tier": ID,
            "interval": INTERVAL,
            "provider": text("By whom it is paid.", maxLength=30),
            "country": text("The country of who pays (ISO 3166-1), where taxes depend on it.", maxLength=2),
            "business_number": text("The VAT number of a business.", maxLength=40),
            "name": text("The name on the receipts.", maxLength=LONGEST_NAME),
            "address": text("The address on the receipts.", maxLength=LONGEST_ADDRESS),
        },
        optional=("country", "business_number", "name", "address"),
        says="What makes a membership that is paid for.",
    ),
    "ChangeList": thing(
        {
            "items": many(
                thing(
                    {
                        "tier": TIER,
                        "interval": INTERVAL,
                        "price_minor": amount("What is paid each time."),
                        "currency": CURRENCY,
                        "at_once": flag("Whether it holds at once, or from the next period on."),
                    },
                    says="A change.",
                ),
                "What it could be changed to.",
            )
        },
        says="The changes that can be made.",
    ),
    "WantedChange": thing({"tier": ID, "interval": INTERVAL}, says="What it is to be changed to."),
    "Figures": thing(
        {
            "id": text("To be sent back to agree."),
            "tier": TIER,
            "interval": INTERVAL,
            "price_minor": amount("What is paid each time from then on."),
            "currency": CURRENCY,
            "at_once": flag("Whether it holds at once, or from the next period on."),
            "due_now_minor": amount("What is charged now."),
            "next_minor": amount("What is charged next."),
            "next_at": maybe({**INSTANT, "description": "When that is."}),
            "hold_until": {**INSTANT, "description": "Until when these figures can be agreed to."},
        },
        says="What a change costs now and next, and when.",
    ),
    "AgreedChange": thing({"figures": text("The id of the figures.", maxLength=26)}, says="What is agreed to."),
    "Cancellation": thing(
        {"when": text("At the end of what is paid, or now.", enum=["period_end", "now"])},
        says="When it is to end.",
    ),
    "CardPage": thing(
        {"url": text("The provider's page, for the browser of who pays.", format="uri")},
        says="Where a card is changed.",
    ),
}  # fmt: skip
