"""The operations on what is bought once."""

from appliance.accounts.models import Scope
from web.api.operations.words import AUTH
from web.api.operations.words import JSON
from web.api.operations.words import ONCE
from web.api.operations.words import PAGE
from web.api.operations.words import Answer
from web.api.operations.words import Operation

SEES, CHANGES = (Scope.MONEY_READ,), (Scope.MONEY_WRITE,)
_MADE = {201: Answer("The order.", "Order", headers={"Location": "The order's address."})}

OPERATIONS = (
    Operation(
        "Buying",
        "POST",
        "/api/v1/quotes",
        "What something costs: lines, what is taken off, tax and total.",
        {200: Answer("The quote.", "Quote")},
        sends={JSON: "Wish"},
        notes="Nothing is kept, so a quote can be asked for as somebody types. It may lack the country, which an order must say where "
        "`country_needed`.",
        problems=(400, 404, 415, 422, 503),
        example=f'curl {AUTH} --json \'{{"kind": "release", "thing": "\'$RELEASE\'"}}\' {{root}}/api/v1/quotes',
    ),
    Operation(
        "Buying",
        "POST",
        "/api/v1/orders",
        "Buy something for the total that was quoted.",
        _MADE,
        signed_in=True,
        scopes=CHANGES,
        headers=(ONCE,),
        sends={JSON: "NewOrder"},
        notes="Nothing is charged by this: lead the buyer to `pay_url` in a browser, and ask for the order until its `state` is `paid`. What "
        "costs nothing is paid at once. 409 when the total is another one by now, or they have it already.",
        problems=(404, 409, 415, 422, 503),
    ),
    Operation(
        "Buying",
        "GET",
        "/api/v1/orders",
        "What you bought.",
        {200: Answer("A page, last first.", "OrderList")},
        signed_in=True,
        scopes=SEES,
        query=PAGE,
        notes="What was never paid is not in it. What was bought without an account, with an address that is yours by now, is.",
        problems=(422, 503),
        example=f"curl {AUTH} {{root}}/api/v1/orders",
    ),
    Operation(
        "Buying",
        "GET",
        "/api/v1/orders/{order_id}",
        "One of your orders.",
        {200: Answer("The order.", "Order")},
        signed_in=True,
        scopes=SEES,
        problems=(404, 422),
    ),
    Operation(
        "Buying",
        "GET",
        "/api/v1/orders/{order_id}/receipt.pdf",
        "The receipt of an order that was paid.",
        {200: Answer("The receipt.", type="application/pdf")},
        signed_in=True,
        scopes=SEES,
        problems=(404, 422),
    ),
    Operation(
        "Buying",
        "POST",
        "/api/v1/redemptions",
        "Take what a download code opens.",
        _MADE,
        signed_in=True,
        scopes=CHANGES,
        headers=((*ONCE[:2], False),),
        sends={JSON: "Redemption"},
        notes="409 for a code that was redeemed, is over or was stopped, and where you have the release already.",
        problems=(404, 409, 415, 422, 503),
    ),
    Operation(
        "Buying",
        "GET",
        "/api/v1/artists/{slug}/bundles",
        "What an artist sells together.",
        {200: Answer("The bundles.", "BundleList")},
        notes="Buy one with `kind` `bundle`.",
        problems=(404, 422),
        example="curl {root}/api/v1/artists/$ARTIST/bundles",
    ),
    Operation(
        "Buying",
        "GET",
        "/api/v1/orders/{order_id}/gift",
        "The gift of one of your orders, with its code.",
        {200: Answer("The gift.", "Gift")},
        signed_in=True,
        scopes=SEES,
        problems=(404, 422),
    ),
    Operation(
        "Buying",
        "POST",
        "/api/v1/gift-redemptions",
        "Become a member by the code of a gift.",
        {201: Answer("What it gave.", "RedeemedGift")},
        signed_in=True,
        scopes=CHANGES,
        sends={JSON: "Redemption"},
        notes="409 for a code that was redeemed, is over, or whose money went back.",
        problems=(404, 409, 415, 422, 503),
    ),
)
