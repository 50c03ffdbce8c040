"""The job that asks a provider to pay: the payout's id is the key, so asking again pays nobody twice."""

from appliance import clock
from appliance import jobs
from appliance import processors
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState
from appliance.payouts import settling
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutStanding
from appliance.payouts.requesting import JOB


@jobs.handles(JOB)
def send(running: jobs.Running) -> None:
    """Pay out what was requested; what the provider refuses for good comes back to the balance."""
    payout = Payout.get_or_none(Payout.id == running.subject)
    if payout is None or payout.state != PayoutStanding.REQUESTED:
        return
    provider = processors.find(payout.provider)
    wanted = PayoutRequest(payout.id, payout.account, payout.amount_minor, payout.currency)
    try:
        fact = processors.ask(provider.pay_out, provider.label, wanted)
    except (Invalid, Conflict, NotFound) as error:
        # Also an account that is not there any more: asking again would find it no better.
        fact = PayoutFact("", payout.id, PayoutState.FAILED, clock.now(), problem=str(error))
    with transaction():
        settling.note_payout(fact, provider=payout.provider, now=clock.now())
