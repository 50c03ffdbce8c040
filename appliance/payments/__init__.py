"""Paying, in our words: what a payment provider can be asked for, and the facts it tells. No vendor is known here.

A provider's word on an object always is a *fact*: a whole statement of how that object stands, with the provider's reference, the mark that
we gave it, and amounts in minor units. Facts can come in any order, any number of times and late; whoever keeps them ends up with the
same. That is why an event only says *which* objects moved, and why asking for the truth later repairs whatever was missed.

A *mark* is an id of ours, at most 64 characters: a subscription's, an order's, a payout's. Objects without one are somebody else's, and a
provider never touches or reports them.
"""

from appliance.payments.facts import AccountFact
from appliance.payments.facts import Balance
from appliance.payments.facts import CheckoutFact
from appliance.payments.facts import Delivery
from appliance.payments.facts import DisputeFact
from appliance.payments.facts import Fact
from appliance.payments.facts import FailureFact
from appliance.payments.facts import InvoiceFact
from appliance.payments.facts import Notice
from appliance.payments.facts import PaymentFact
from appliance.payments.facts import PayoutFact
from appliance.payments.facts import RefundFact
from appliance.payments.facts import SubscriptionFact
from appliance.payments.provider import PaymentProvider
from appliance.payments.requests import Change
from appliance.payments.requests import Checkout
from appliance.payments.requests import CheckoutRequest
from appliance.payments.requests import LineItem
from appliance.payments.requests import Onboarding
from appliance.payments.requests import PayoutRequest
from appliance.payments.requests import Preview
from appliance.payments.requests import Price
from appliance.payments.requests import RefundRequest
from appliance.payments.states import CheckoutState
from appliance.payments.states import DisputeState
from appliance.payments.states import Feature
from appliance.payments.states import Interval
from appliance.payments.states import PayoutState
from appliance.payments.states import SubscriptionState
from appliance.payments.taxes import TaxableSale
from appliance.payments.taxes import TaxRate

__all__ = [
    "AccountFact",
    "Balance",
    "Change",
    "Checkout",
    "CheckoutFact",
    "CheckoutRequest",
    "CheckoutState",
    "Delivery",
    "DisputeFact",
    "DisputeState",
    "Fact",
    "FailureFact",
    "Feature",
    "Interval",
    "InvoiceFact",
    "LineItem",
    "Notice",
    "Onboarding",
    "PaymentFact",
    "PaymentProvider",
    "PayoutFact",
    "PayoutRequest",
    "PayoutState",
    "Preview",
    "Price",
    "RefundFact",
    "RefundRequest",
    "SubscriptionFact",
    "SubscriptionState",
    "TaxRate",
    "TaxableSale",
]
