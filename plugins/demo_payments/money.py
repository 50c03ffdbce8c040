"""Money that goes the other way at the demo's till: refunds, disputes, payouts; and what the till holds."""

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

import peewee

from appliance.currencies import DIGITS
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import Balance
from appliance.payments import DisputeState
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState
from appliance.payments import RefundRequest
from plugins.demo_payments import models
from plugins.demo_payments import reckoning
from plugins.demo_payments import telling
from plugins.demo_payments import tills
from plugins.demo_payments.cards import BANKS
from plugins.demo_payments.cards import Bank
from plugins.demo_payments.models import Account
from plugins.demo_payments.models import Dispute
from plugins.demo_payments.models import Payment
from plugins.demo_payments.models import Payout
from plugins.demo_payments.models import Refund

TRANSIT = timedelta(days=1)
TIME_TO_RESPOND = timedelta(days=7)


def refund(request: RefundRequest, *, now: datetime) -> Refund:
    """Give money back, at most what is left of the payment."""
    asked = tills.digest(request)
    found: Refund | None = Refund.get_or_none(Refund.key == request.key)
    if found is not None:
        if found.digest != asked:
            raise Conflict("This was asked for before, and otherwise.")
        return found
    payment = find(request.reference, request.mark)
    if request.currency != payment.currency:
        raise Invalid("A refund is in the currency of its payment, {currency}.", currency=payment.currency)
    if not 0 < request.amount_minor <= left(payment):
        raise Invalid("This is more than what is left of the payment, or nothing.")
    row: Refund = Refund.create(
        id=models.new("re"),
        mark=payment.mark,
        changed_at=now,
        key=request.key,
        digest=asked,
        payment=payment.id,
        amount_minor=request.amount_minor,
        currency=payment.currency,
        refunded_at=now,
    )
    telling.note("refund.made", row.id, now=now)
    return row


def left(payment: Payment) -> int:
    """What is left of a payment in minor units, what is contested or lost not counted."""
    refunded = Refund.select(peewee.fn.SUM(Refund.amount_minor)).where(Refund.payment == payment.id).scalar()
    contested = (
        Dispute.select(peewee.fn.SUM(Dispute.amount_minor))
        .where(Dispute.payment == payment.id, Dispute.state != DisputeState.WON)
        .scalar()
    )
    return int(payment.amount_minor - (refunded or 0) - (contested or 0))


def find(reference: str, mark: str) -> Payment:
    """The payment of this reference, if it is for this mark; ``NotFound`` else."""
    row: Payment | None = Payment.get_or_none(Payment.id == reference, Payment.mark == mark)
    if row is None or not mark:
        raise NotFound("There is no such payment at the demo's till.")
    return row


def contest(reference: str, *, now: datetime) -> Dispute:
    """Somebody says that they did not pay what is left of this payment."""
    payment: Payment | None = Payment.get_or_none(Payment.id == reference)
    if payment is None:
        raise NotFound("There is no such payment at the demo's till.")
    if left(payment) <= 0:
        raise Conflict("Nothing is left of this payment.")
    row: Dispute = Dispute.create(
        id=models.new("dp"),
        mark=payment.mark,
        changed_at=now,
        payment=payment.id,
        amount_minor=left(payment),
        currency=payment.currency,
        fee_minor=reckoning.DISPUTE_FEE[DIGITS[payment.currency]],
        state=DisputeState.OPEN,
        opened_at=now,
        respond_by=now + TIME_TO_RESPOND,
    )
    telling.note("dispute.opened", row.id, now=now)
    return row


def decide(reference: str, *, won: bool, now: datetime) -> Dispute:
    """End a dispute."""
    row: Dispute | None = Dispute.get_or_none(Dispute.id == reference)
    if row is None:
        raise NotFound("There is no such dispute at the demo's till.")
    if row.state != DisputeState.OPEN:
        raise Conflict("This dispute is decided.")
    models.change(row, now=now, state=DisputeState.WON if won else DisputeState.LOST)
    telling.note("dispute.decided", row.id, now=row.changed_at)
    return row


def account_of(payee: str, *, account: str, email: str, return_to: str, now: datetime) -> Account:
    """The account of *payee*, made when there is none."""
    known: Account | None = Account.get_or_none(Account.id == account, Account.mark == payee)
    known = known or Account.get_or_none(Account.mark == payee)
    if known is not None:
        models.change(known, now=now, return_to=return_to)
        return known
    made: Account = Account.create(
        id=models.new("acct"), mark=payee, changed_at=now, email=email, return_to=return_to
    )
    telling.note("account.opened", made.id, now=now)
    return made


def choose_bank(reference: str, bank: str, *, now: datetime) -> Account:
    """A payee says whom to pay."""
    row: Account | None = Account.get_or_none(Account.id == reference)
    if row is None:
        raise NotFound("There is no such account at the demo's till.")
    if bank not in BANKS:
        raise Invalid("Choose a bank.", field="bank")
    models.change(row, now=now, bank=bank)
    telling.note("account.changed", row.id, now=row.changed_at)
    return row


def pay_out(request: PayoutRequest, *, now: datetime) -> Payout:
    """Send a payee their money, out of what the till holds."""
    asked = tills.digest(request)
    found: Payout | None = Payout.get_or_none(Payout.mark == request.mark)
    if found is not None:
        if found.digest != asked:
            raise Conflict("This was asked for before, and otherwise.")
        return found
    account: Account | None = Account.get_or_none(Account.id == request.account)
    if account is None or account.bank not in {Bank.GOOD, Bank.REFUSES}:
        raise Conflict("This account cannot be paid yet.")
    if request.amount_minor <= 0 or request.currency not in DIGITS:
        raise Invalid("This cannot be paid out.")
    if request.amount_minor > {one.currency: one.amount_minor for one in balances()}.get(request.currency, 0):
        raise Conflict("The demo's till does not hold that much.")
    row: Payout = Payout.create(
        id=models.new("po"),
        mark=request.mark,
        changed_at=now,
        digest=asked,
        account=account.id,
        amount_minor=request.amount_minor,
        currency=request.currency,
        state=PayoutState.IN_TRANSIT,
        arrives_at=now + TRANSIT,
    )
    telling.note("payout.sent", row.id, now=now)
    return row


def balances() -> Sequence[Balance]:
    """What the till holds, by currency."""
    held: dict[str, int] = {}
    lines = (
        (Payment, Payment.amount_minor - Payment.fee_minor, True, 1),
        (Refund, Refund.amount_minor, True, -1),
        (Dispute, Dispute.amount_minor, Dispute.state != DisputeState.WON, -1),
        (Dispute, Dispute.fee_minor, True, -1),
        (Payout, Payout.amount_minor, Payout.state != PayoutState.FAILED, -1),
    )
    for kind, amount, counts, sign in lines:
        rows = (
            kind.select(kind.currency, peewee.fn.SUM(amount)).where(counts).group_by(kind.currency).tuples()
        )
        for currency, total in rows:
            held[currency] = held.get(currency, 0) + sign * total
    return [Balance(currency, held[currency]) for currency in sorted(held)]
