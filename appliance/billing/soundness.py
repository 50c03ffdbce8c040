"""What a fact must be like before it may reach the books: a plugin may be wrong, and the books cannot be mended by hand."""

import re

from appliance.currencies import DIGITS
from appliance.errors import Invalid
from appliance.payments import DisputeFact
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import InvoiceFact
from appliance.payments import PaymentFact
from appliance.payments import RefundFact

MOST_MINOR = 10**12
"""No single payment is larger."""
LONGEST_REFERENCE, LONGEST_MARK, LONGEST_EMAIL, LONGEST_WORDS, LONGEST_URL = 120, 64, 254, 60, 2000


def require(fact: Fact) -> None:
    """``Invalid`` for an amount, a currency or a reference that cannot be."""
    if isinstance(fact, PaymentFact | RefundFact | DisputeFact | FailureFact | InvoiceFact):
        if fact.currency not in DIGITS:
            raise Invalid("The currency '{currency}' is not known here.", currency=fact.currency[:10])
        _amount(fact.amount_minor)
        if not 0 < len(fact.reference) <= LONGEST_REFERENCE:
            raise Invalid("A reference has 1 to {most} characters.", most=LONGEST_REFERENCE)
    if isinstance(fact, PaymentFact):
        _amount(fact.fee_minor or 0)
        _amount(fact.tax_minor or 0)
        if (fact.tax_minor or 0) > fact.amount_minor:
            raise Invalid("The tax is more than the amount it is part of.")
        if len(fact.mark) > LONGEST_MARK or len(fact.email) > LONGEST_EMAIL or len(fact.country) > 2:
            raise Invalid("What is told beside a payment is longer than it can be.")
    if isinstance(fact, RefundFact | DisputeFact) and not 0 < len(fact.payment) <= LONGEST_REFERENCE:
        raise Invalid("A reference has 1 to {most} characters.", most=LONGEST_REFERENCE)
    if isinstance(fact, DisputeFact):
        _amount(fact.fee_minor)
    if isinstance(fact, InvoiceFact):
        if not 0 < len(fact.words) <= LONGEST_WORDS:
            raise Invalid("A reference has 1 to {most} characters.", most=LONGEST_WORDS)
        # It becomes the link of a letter.
        if not re.fullmatch(r"(https?:/)?/\S+", fact.url) or len(fact.url) > LONGEST_URL:
            raise Invalid("Where one reads how to pay is an address, or a path of this server.")


def _amount(minor: int) -> None:
    if isinstance(minor, bool) or not isinstance(minor, int) or not 0 <= minor <= MOST_MINOR:
        raise Invalid("An amount is a whole number of minor units, from 0 to {most}.", most=MOST_MINOR)
