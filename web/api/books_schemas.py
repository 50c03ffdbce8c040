"""Balances, statements, shares, payouts and events of providers, as JSON Schema."""

from appliance.billing.models import EventState
from appliance.ledger.agreements import MOST_PARTS
from appliance.ledger.models import TransactionKind
from appliance.payouts.models import PayoutStanding
from web.api.buying_schemas import CURRENCY
from web.api.buying_schemas import ID
from web.api.buying_schemas import INSTANT
from web.api.buying_schemas import NEXT
from web.api.buying_schemas import SELLER
from web.api.buying_schemas import amount
from web.api.shapes import Schema
from web.api.shapes import flag
from web.api.shapes import many
from web.api.shapes import maybe
from web.api.shapes import number
from web.api.shapes import one_of
from web.api.shapes import ref
from web.api.shapes import text
from web.api.shapes import thing

_KIND = one_of(TransactionKind, "What it was.")
_DAY = text("A day of UTC (ISO 8601).", format="date")


def _signed(says: str) -> Schema:
    return number("integer", says)


_PAYOUT: dict[str, Schema] = {
    "id": ID,
    "state": one_of(PayoutStanding, "How it stands; what failed is back in the balance."),
    "amount_minor": amount("How much."),
    "currency": CURRENCY,
    "provider": text("By whom; `bank` is a transfer that people make."),
    "account": maybe(text("The bank's account, masked.")),
    "monthly": flag("Whether it was sent by itself."),
    "problem": maybe(text("Why it failed.")),
    "created_at": {**INSTANT, "description": "When it was asked for."},
}
_EVENT: dict[str, Schema] = {
    "id": ID,
    "provider": text("Who sent it."),
    "event": text("What the provider calls it."),
    "kind": text("What kind of event it is, in the provider's word."),
    "state": one_of(EventState, "What became of it."),
    "attempts": number("integer", "How often it was tried.", minimum=0),
    "problem": maybe(text("What was wrong.")),
    "marks": many({"type": "string"}, "The ids of subscriptions, orders and payouts that it was about."),
    "happened_at": {**INSTANT, "description": "When it happened there."},
    "received_at": {**INSTANT, "description": "When it came."},
    "due_at": maybe({**INSTANT, "description": "When it is tried next."}),
    "processed_at": maybe({**INSTANT, "description": "When it took effect."}),
}

SCHEMAS: dict[str, Schema] = {
    "Balance": thing(
        {
            "items": many(
                thing(
                    {
                        "currency": CURRENCY,
                        "owed_minor": _signed("What was earned and not paid yet; negative when more went back."),
                        "held_minor": _signed("What of it is contested now."),
                        "available_minor": amount("What can be paid out."),
                        "least_payout_minor": amount("From how much on it is paid out."),
                    },
                    says="One currency.",
                ),
                "By currency.",
            )
        },
        says="What an artist is owed.",
    ),
    "Statement": thing(
        {
            "currency": CURRENCY,
            "first": _DAY,
            "last": _DAY,
            "opening_minor": _signed("The balance before."),
            "closing_minor": _signed("The balance after."),
            "sums": many(
                thing({"kind": _KIND, "amount_minor": _signed("How much.")}, says="A sum."),
                "Sums of the whole period by kind.",
            ),
            "items": many(ref("StatementLine"), "In the order they were written."),
            "next_cursor": NEXT,
        },
        says="A page of the statement of a period.",
    ),
    "StatementLine": thing(
        {
            "at": {**INSTANT, "description": "When it was written."},
            "kind": _KIND,
            "names": many({"type": "string"}, "What was sold."),
            "artist": maybe(text("Whose sale it was, where it was another's.")),
            "amount_minor": _signed("What came, or went."),
            "balance_minor": _signed("The balance after it."),
            "reference": text("The id of the payment or payout; may be empty."),
        },
        says="What came or went.",
    ),
    "WrittenReceipt": thing(
        {
            "id": ID,
            "number": text("Its number, of its seller, without gaps."),
            "seller": text("Who stands on it as the seller."),
            "artist": text("The id of the artist."),
            "order": maybe(text("The id of the order that it is for.")),
            "subscription": maybe(text("The id of the subscription that it is for.")),
            "amount_minor": amount("What was paid."),
            "tax_minor": amount("The tax in it."),
            "currency": CURRENCY,
            "credited_minor": amount("What its credit notes come to."),
            "issued_at": {**INSTANT, "description": "When it was written."},
            "url": text("Its address here, as PDF.", format="uri"),
            "credit_notes": many(
                thing(
                    {
                        "id": ID,
                        "number": text("Its number, of a series of its own."),
                        "amount_minor": _signed("What of the receipt holds no longer; below nothing what holds again."),
                        "tax_minor": _signed("The tax in it."),
                        "issued_at": {**INSTANT, "description": "When it was written."},
                        "url": text("Its address here, as PDF.", format="uri"),
                    },
                    says="A credit note.",
                ),
                "In the order they were written.",
            ),
        },
        says="A receipt of an order or of a payment for a membership.",
    ),
    "ReceiptList": thing(
        {"items": many(ref("WrittenReceipt"), "Last first."), "next_cursor": NEXT}, says="A page of receipts."
    ),
    "Agreement": thing(
        {
            "id": ID,
            "starts_at": {**INSTANT, "description": "From when on it holds, for what is paid from then on."},
            "state": text("Whether it holds now.", enum=["coming", "holding", "over"]),
            "release": maybe(text("The id of the release that it is on.")),
            "track": maybe(text("The id of the track that it is on.")),
            "parts": many(
                thing(
                    {
                        "payee": text("The id of an artist."),
                        "name": maybe(text("Their name; null for who is gone.")),
                        "slug": maybe(text("Their slug.")),
                        "share_bps": number("integer", "Their share in basis points."),
                        "recoup_minor": amount("What they get before anybody shares."),
                        "recoup_currency": maybe(text("In this currency.")),
                    },
                    says="A part.",
                ),
                "In their order.",
            ),
        },
        says="Who shares what is earned.",
    ),
    "AgreementList": thing(
        {"items": many(ref("Agreement"), "The one that begins last first.")}, says="All agreements on a thing."
    ),
    "NewAgreement": thing(
        {
            "parts": many(
                thing(
                    {
                        "payee": text("The slug or the id of an artist.", maxLength=100),
                        "share_bps": number("integer", "Their share in basis points.", minimum=0, maximum=10_000),
                        "recoup_minor": number("integer", "What they get first.", minimum=0),
                        "recoup_currency": text("In this currency.", maxLength=3),
                    },
                    optional=("recoup_minor", "recoup_currency"),
                    says="A part.",
                ),
                "Shares that come to 10,000 together.",
                minItems=1,
                maxItems=MOST_PARTS,
            ),
            "starts_at": maybe({**INSTANT, "description": "From when on; null for at once."}),
            "release": text("The id of a release, for an agreement on it alone.", maxLength=26),
            "track": text("The id of a track, for an agreement on it alone.", maxLength=26),
            "after": maybe(
                text("The newest agreement that you know of, null for none: 412 when another was made since.", maxLength=26)
            ),
        },
        optional=("starts_at", "release", "track", "after"),
        says="What makes an agreement.",
    ),
    "Payout": thing(_PAYOUT, says="What was sent to an artist."),
    "PayoutList": thing({"items": many(ref("Payout"), "Last first."), "next_cursor": NEXT}, says="Payouts."),
    "ArtistPayout": thing({**_PAYOUT, "artist": SELLER}, says="What was sent to somebody."),
    "ArtistPayoutList": thing(
        {"items": many(ref("ArtistPayout"), "Last first."), "next_cursor": NEXT}, says="Payouts to anybody."
    ),
    "NewPayout": thing({"currency": CURRENCY}, says="In which currency to be paid."),
    "PayoutAccountList": thing(
        {
            "items": many(
                thing(
                    {
                        "id": ID,
                        "provider": text("With whom; `bank` is an account with a bank."),
                        "account": maybe(text("The bank's account, masked.")),
                        "holder": maybe(text("Whose account it is.")),
                        "payable": flag("Whether it can be paid to."),
                        "chosen": flag("Whether payouts go there."),
                        "monthly": flag("Whether what is owed is sent each month by itself."),
                        "wants": maybe(text("What the provider still wants to know.")),
                    },
                    says="An account.",
                ),
                "Those that can be paid to first.",
            )
        },
        says="Where an artist is paid to.",
    ),
    "PaymentEvent": thing(_EVENT, says="What a payment provider sent."),
    "WholePaymentEvent": thing(
        {**_EVENT, "body": text("What was sent, with a mask over what may be personal or secret.")},
        says="What a payment provider sent.",
    ),
    "PaymentEventList": thing(
        {"items": many(ref("PaymentEvent"), "Last first."), "next_cursor": NEXT}, says="What providers sent."
    ),
    "LedgerCheck": thing(
        {
            "began_at": {**INSTANT, "description": "When it began."},
            "ended_at": {**INSTANT, "description": "When it ended."},
            "differences": number("integer", "How many rows do not fit.", minimum=0),
            "items": many(
                thing(
                    {
                        "check": text("What was checked."),
                        "row": text("The row that does not fit."),
                        "sentence": text("Why."),
                    },
                    says="A difference.",
                ),
                "The first of them.",
            ),
        },
        says="What a check of the books found.",
    ),
}  # fmt: skip
