"""Letters to the admins about a payment that is contested: there is a day to answer by, and after it the money is lost."""

from datetime import datetime

from appliance import currencies
from appliance import mail
from appliance import startup
from appliance.accounts import roles
from appliance.accounts.models import RoleName
from appliance.ledger.models import Dispute
from appliance.payments import DisputeFact
from appliance.payments import DisputeState

MOST_ADMINS = 100


def is_news(fact: DisputeFact, *, provider: str) -> bool:
    """Whether this dispute was never told of before and can still be answered; ask before it is noted."""
    known = (Dispute.provider == provider) & (Dispute.reference == fact.reference)
    return fact.state is DisputeState.OPEN and not Dispute.select().where(known).exists()


def write(fact: DisputeFact, *, provider: str, now: datetime) -> None:
    """Tell every admin, in the transaction that notes the dispute."""
    facts = {
        "collective": startup.appliance().settings.collective_name,
        "amount": f"{currencies.written(fact.amount_minor, fact.currency)} {fact.currency}",
        "provider": provider,
        "until": f"{fact.respond_by:%Y-%m-%d %H:%M} UTC" if fact.respond_by else "–",
    }
    for admin in roles.page(role=RoleName.ADMIN, limit=MOST_ADMINS):
        if admin.active:
            mail.post("dispute_opened", admin.email, facts=facts, locale="en", now=now)
