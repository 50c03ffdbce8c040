"""The operations on what an artist sells."""

from collections.abc import Mapping

from web.api.operations.buying import CHANGES
from web.api.operations.buying import SEES
from web.api.operations.words import AUTH
from web.api.operations.words import IF_MATCH
from web.api.operations.words import JSON
from web.api.operations.words import ONCE
from web.api.operations.words import PAGE
from web.api.operations.words import Answer
from web.api.operations.words import Operation

RUNNERS = "For owners and managers of the artist."
_OF = "/api/v1/artists/{slug}"
_PRICES = {200: Answer("The prices as they are now.", "ReleasePrices")}
_SELLER = {200: Answer("The seller.", "Seller")}


def sees(
    path: str,
    summary: str,
    answers: Mapping[int, Answer],
    notes: str = "",
    *,
    scopes: tuple[str, ...] = SEES,
    **more: object,
) -> Operation:
    """Something that an artist's people look at."""
    return Operation(
        "Selling",
        "GET",
        path,
        summary,
        answers,
        signed_in=True,
        scopes=scopes,
        notes=f"{RUNNERS} {notes}".strip(),
        problems=(404, 422),
        **more,  # type: ignore[arg-type]
    )


def changes(
    method: str,
    path: str,
    summary: str,
    answers: Mapping[int, Answer],
    sends: str = "",
    notes: str = "",
    **more: object,
) -> Operation:
    """Something that an artist's people do."""
    return Operation(
        "Selling",
        method,
        path,
        summary,
        answers,
        signed_in=True,
        scopes=CHANGES,
        sends={JSON: sends} if sends else {},
        notes=f"{RUNNERS} {notes}".strip(),
        problems=(404, 409, 412, 415, 422, 503) if sends else (404, 409, 422, 503),
        **more,  # type: ignore[arg-type]
    )


OPERATIONS = (
    sees(
        f"{_OF}/prices",
        "All prices of an artist.",
        {200: Answer("The prices.", "PriceList")},
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/prices",
    ),
    changes(
        "PUT",
        f"{_OF}/prices/catalogue",
        "Sell everything at once with so much off, or no more.",
        {200: Answer("All prices.", "PriceList")},
        "CatalogueOffer",
        example=f"curl -X PUT {AUTH} --json '{{\"percent_off\": 10}}' {{root}}/api/v1/artists/$ARTIST/prices/catalogue",
    ),
    sees("/api/v1/releases/{release_id}/prices", "What a release and each of its tracks cost.", _PRICES),
    changes(
        "PATCH",
        "/api/v1/releases/{release_id}/prices",
        "Change prices of a release and its tracks, all or none.",
        _PRICES,
        "ReleasePricesChange",
        "In the currency of the artist's tiers. `pay_more` holds for the tracks that are sent, too.",
        headers=(IF_MATCH,),
        example=f"curl -X PATCH {AUTH} --json '{{\"price_minor\": 700}}' {{root}}/api/v1/releases/$RELEASE/prices",
    ),
    sees(f"{_OF}/seller", "Who stands on an artist's receipts.", _SELLER),
    changes(
        "PUT",
        f"{_OF}/seller",
        "Say who stands on an artist's receipts from now on.",
        _SELLER,
        "Seller",
    ),
    sees(
        f"{_OF}/orders",
        "What an artist sold.",
        {200: Answer("A page, last first.", "SaleList")},
        "What was never paid is not in it.",
        query=PAGE,
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/orders",
    ),
    sees(
        f"{_OF}/orders.csv",
        "All that an artist sold, as a table.",
        {200: Answer("A row for each order.", type="text/csv")},
        "Cells that a table program would take for a formula begin with an apostrophe.",
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/orders.csv",
    ),
    sees(f"{_OF}/orders/{{order_id}}", "One order of an artist.", {200: Answer("The order.", "Sale")}),
    sees(
        f"{_OF}/discounts", "The discount codes of an artist.", {200: Answer("All of them.", "DiscountList")}
    ),
    changes(
        "POST",
        f"{_OF}/discounts",
        "Make a code that takes something off.",
        {201: Answer("The discount.", "Discount")},
        "NewDiscount",
        example=f'curl {AUTH} --json \'{{"code": "SPRING", "percent": 20}}\' {{root}}/api/v1/artists/$ARTIST/discounts',
    ),
    changes(
        "POST",
        f"{_OF}/discounts/{{discount_id}}/stop",
        "Let a code take nothing off any more.",
        {204: Answer("It is stopped.")},
    ),
    sees(
        f"{_OF}/codes",
        "The download codes of an artist.",
        {200: Answer("A page of batches, newest first.", "CodeBatchList")},
        query=PAGE,
    ),
    changes(
        "POST",
        f"{_OF}/codes",
        "Make download codes for a release.",
        {201: Answer("The batch.", "CodeBatch")},
        "NewCodeBatch",
        headers=((*ONCE[:2], False),),
        example=f'curl {AUTH} --json \'{{"release": "\'$RELEASE\'", "number": 10}}\' {{root}}/api/v1/artists/$ARTIST/codes',
    ),
    sees(
        f"{_OF}/codes/{{batch_id}}.csv",
        "The codes of a batch, each with its address.",
        {200: Answer("A row for each code.", type="text/csv")},
        "Who has a code has the music, so to read them is more than to read what was sold.",
        scopes=CHANGES,
    ),
    changes(
        "POST",
        f"{_OF}/codes/{{batch_id}}/stop",
        "Let the codes that nobody redeemed open nothing any more.",
        {204: Answer("They are stopped.")},
    ),
)
