"""The operations on memberships that are paid for."""

from web.api.operations.buying import CHANGES
from web.api.operations.buying import SEES
from web.api.operations.words import AUTH
from web.api.operations.words import JSON
from web.api.operations.words import Answer
from web.api.operations.words import Operation

_ONE = {200: Answer("The subscription as it is now.", "Subscription")}
_AT = "/api/v1/subscriptions/{subscription_id}"


def _act(path: str, summary: str, sends: str = "", notes: str = "") -> Operation:
    return Operation(
        "Subscriptions",
        "POST",
        f"{_AT}/{path}",
        summary,
        _ONE,
        signed_in=True,
        scopes=CHANGES,
        sends={JSON: sends} if sends else {},
        notes=notes,
        problems=(404, 409, 415, 422, 503) if sends else (404, 409, 422, 503),
    )


OPERATIONS = (
    Operation(
        "Subscriptions",
        "GET",
        "/api/v1/artists/{slug}/tiers/{tier_id}/offers",
        "How a tier can be paid for, and by whom.",
        {200: Answer("By the month and by the year.", "TierPaymentList")},
        problems=(404, 422),
        example="curl {root}/api/v1/artists/$ARTIST/tiers/$TIER/offers",
    ),
    Operation(
        "Subscriptions",
        "GET",
        "/api/v1/subscriptions",
        "What you pay for, or began to.",
        {200: Answer("By the artist's name.", "SubscriptionList")},
        signed_in=True,
        scopes=SEES,
        example=f"curl {AUTH} {{root}}/api/v1/subscriptions",
    ),
    Operation(
        "Subscriptions",
        "POST",
        "/api/v1/subscriptions",
        "Begin to join.",
        {201: Answer("The subscription.", "Subscription", headers={"Location": "Its address."})},
        signed_in=True,
        scopes=CHANGES,
        sends={JSON: "NewSubscription"},
        notes="Lead who joins to `pay_url` in a browser, and ask for it until `member` is true. Begun twice, it is one; 409 for who is a "
        "member already.",
        problems=(404, 409, 415, 422, 503),
    ),
    Operation(
        "Subscriptions",
        "GET",
        _AT,
        "How one of them stands, what is paid next and when.",
        {200: Answer("The subscription.", "Subscription")},
        signed_in=True,
        scopes=SEES,
        problems=(404, 422),
    ),
    Operation(
        "Subscriptions",
        "GET",
        f"{_AT}/changes",
        "What it could be changed to.",
        {200: Answer("The changes.", "ChangeList")},
        signed_in=True,
        scopes=SEES,
        problems=(404, 409, 422),
    ),
    Operation(
        "Subscriptions",
        "POST",
        f"{_AT}/figures",
        "What a change costs now and next, and when.",
        {201: Answer("The figures, as the provider reckons them.", "Figures")},
        signed_in=True,
        scopes=CHANGES,
        sends={JSON: "WantedChange"},
        notes="Nothing is changed by asking. Show them to who pays before you agree in their name.",
        problems=(404, 409, 415, 422, 503),
    ),
    _act(
        "change",
        "Change for the figures that were shown.",
        "AgreedChange",
        "Charges what was shown, or nothing: 409 when it is another figure by now. Agreed to twice, it is done once.",
    ),
    _act("cancel", "End it with what is paid, or now.", "Cancellation", "No money goes back by that."),
    _act("pause", "Pay nothing until it is taken up again.", notes="409 where the provider cannot do that."),
    _act("resume", "Take a cancellation or a pause back."),
    Operation(
        "Subscriptions",
        "POST",
        f"{_AT}/card",
        "The provider's page where the card is changed and invoices lie.",
        {200: Answer("Its address, which works for a while.", "CardPage")},
        signed_in=True,
        scopes=CHANGES,
        problems=(404, 409, 422, 503),
    ),
)
