"""What the numbers of papers look like to people."""

from appliance.shop.models import CreditNote


def of_note(row: CreditNote) -> str:
    """Pure: the number of a credit note as people write it; the C keeps it apart from those of receipts."""
    return f"C{row.issued_at.year}-{row.number:06}"
