"""The operations on what artists are owed and were paid, and on the events of payment providers."""

from dataclasses import replace

from appliance.accounts.models import Scope
from appliance.billing.models import EventState
from web.api.operations.selling import changes
from web.api.operations.selling import sees
from web.api.operations.words import AUTH
from web.api.operations.words import ONCE
from web.api.operations.words import PAGE
from web.api.operations.words import Answer
from web.api.operations.words import Operation

ADMINS = "For admins."
BOTH = "For who bought, and for owners and managers of who sold."
_OF = "/api/v1/artists/{slug}"
_DAY = {"type": "string", "format": "date"}
_PERIOD = (
    ("currency", "The currency; without it the first that the artist earned in.", {"type": "string"}),
    ("first", "The first day (UTC); without it the first of this month.", _DAY),
    ("last", "The last day; without it the last of this month.", _DAY),
)
_ABOUT = (
    ("release", "The id of a release, for the agreements on it alone.", {"type": "string"}),
    ("track", "The id of a track, for the agreements on it alone.", {"type": "string"}),
)
_EVENTS = (
    ("state", "Only those in this state.", {"type": "string", "enum": [str(state) for state in EventState]}),
    ("provider", "Only those of this provider.", {"type": "string"}),
)

_BOOKS = (
    sees(
        f"{_OF}/balance",
        "What an artist is owed, in each currency.",
        {200: Answer("The balances.", "Balance")},
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/balance",
    ),
    sees(
        f"{_OF}/statement",
        "Every cent of a period.",
        {200: Answer("A page, in the order it was written.", "Statement")},
        "To follow the books, ask for a long period and keep the last `next_cursor`.",
        query=(*_PERIOD, *PAGE),
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/statement",
    ),
    sees(
        f"{_OF}/statement.csv",
        "Every cent of a period, as a table.",
        {200: Answer("A row for each line, between the balances before and after.", type="text/csv")},
        query=_PERIOD,
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/statement.csv",
    ),
    sees(
        f"{_OF}/receipts",
        "The receipts that an artist wrote, with their credit notes.",
        {200: Answer("A page, the highest number first.", "ReceiptList")},
        query=PAGE,
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/receipts",
    ),
    sees(
        f"{_OF}/splits",
        "Who shares what an artist, a release or a track earns, and who did.",
        {200: Answer("All agreements.", "AgreementList")},
        query=_ABOUT,
        example=f"curl {AUTH} {{root}}/api/v1/artists/$ARTIST/splits",
    ),
    changes(
        "POST",
        f"{_OF}/splits",
        "Agree on shares, from an instant on.",
        {201: Answer("The agreement.", "Agreement")},
        "NewAgreement",
        "An agreement is never changed: a later one takes its place. `after` lets nobody agree over what they have not seen.",
    ),
    changes(
        "DELETE",
        f"{_OF}/splits/{{agreement_id}}",
        "Take an agreement back that has not begun.",
        {204: Answer("It is gone.")},
    ),
    sees(
        f"{_OF}/payouts",
        "What an artist was sent.",
        {200: Answer("A page, last first.", "PayoutList")},
        query=PAGE,
    ),
    replace(
        changes(
            "POST",
            f"{_OF}/payouts",
            "Send all that is owed in a currency on its way.",
            {201: Answer("The payout.", "Payout")},
            "NewPayout",
            headers=(ONCE,),
        ),
        scopes=(Scope.MONEY_PAYOUT,),
        notes="For the owner of the artist, to the account that was set. No token changes that account: people do, on its page.",
    ),
    sees(
        f"{_OF}/payout-accounts",
        "Where an artist is paid to.",
        {200: Answer("The accounts.", "PayoutAccountList")},
    ),
)


def _admin(row: Operation, notes: str = "") -> Operation:
    return replace(row, noun="Payments", scopes=(Scope.ADMIN, *row.scopes), notes=f"{ADMINS} {notes}".strip())


_PAPERS = (
    replace(
        sees(
            "/api/v1/receipts",
            "The receipts that were written for you, with their credit notes.",
            {200: Answer("A page, last first.", "ReceiptList")},
            query=PAGE,
            example=f"curl {AUTH} {{root}}/api/v1/receipts",
        ),
        notes="Of orders and of payments for memberships.",
    ),
    *(
        replace(sees(path, summary, {200: Answer("The paper.", type="application/pdf")}), notes=BOTH)
        for path, summary in (
            ("/api/v1/receipts/{receipt_id}.pdf", "A receipt on paper."),
            ("/api/v1/credit-notes/{note_id}.pdf", "A credit note on paper."),
        )
    ),
)

OPERATIONS = (
    *(replace(row, noun="Money") for row in _BOOKS),
    *(replace(row, noun="Buying") for row in _PAPERS),
    _admin(
        sees(
            "/api/v1/payouts",
            "What was sent to any artist.",
            {200: Answer("A page, last first.", "ArtistPayoutList")},
            query=PAGE,
        )
    ),
    _admin(
        sees(
            "/api/v1/payment-events",
            "What payment providers sent.",
            {200: Answer("A page, last first.", "PaymentEventList")},
            query=(*_EVENTS, *PAGE),
        )
    ),
    _admin(
        sees(
            "/api/v1/payment-events/{event_id}",
            "One event, with a mask over whom it is about.",
            {200: Answer("The event.", "WholePaymentEvent")},
        )
    ),
    _admin(
        changes(
            "POST",
            "/api/v1/payment-events/{event_id}/replay",
            "Process an event once more.",
            {202: Answer("It is about to be processed.", "PaymentEvent")},
        ),
        "What is known already changes nothing. 409 when it is about to be processed anyway.",
    ),
    _admin(
        sees(
            "/api/v1/ledger-check",
            "What the last check of the books found.",
            {200: Answer("The check.", "LedgerCheck")},
        ),
        "The books are checked every night.",
    ),
)
