"""What providers say of payouts and accounts: the later word holds, and the books follow."""

from datetime import datetime

from appliance import currencies
from appliance import database
from appliance import mail
from appliance import startup
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.ledger import payout_entries
from appliance.payments import AccountFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutState
from appliance.payouts.models import MOVES
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.payouts.models import PayoutStanding

_STANDINGS = {
    PayoutState.IN_TRANSIT: PayoutStanding.IN_TRANSIT,
    PayoutState.PAID: PayoutStanding.PAID,
    PayoutState.FAILED: PayoutStanding.FAILED,
}


def owns(mark: str) -> bool:
    """Whether *mark* is a payout's."""
    return bool(Payout.select().where(Payout.id == mark).exists())


def note_payout(fact: PayoutFact, *, provider: str, now: datetime) -> None:
    """Note how a payout stands; an earlier word than the one that is known changes nothing."""
    with transaction():
        here = (Payout.id == fact.mark) & (Payout.provider == provider)
        payout: Payout | None = database.locked(Payout.select().where(here)).first()
        if payout is None:
            return
        known, said = PayoutStanding(payout.state), _STANDINGS[fact.state]
        if said not in MOVES[known] or (fact.as_of < payout.as_of and known is not PayoutStanding.REQUESTED):
            return
        Payout.update(
            state=said,
            reference=fact.reference or payout.reference,
            problem=fact.problem[:300],
            as_of=fact.as_of,
        ).where(here).execute()
        book = {PayoutStanding.PAID: payout_entries.paid, PayoutStanding.FAILED: payout_entries.failed}
        if said in book:
            book[said](
                payout.id,
                payee=payout.payee,
                amount_minor=payout.amount_minor,
                currency=payout.currency,
                provider=provider,
                now=now,
            )
        if said is PayoutStanding.FAILED:
            _tell(payout, fact.problem, now=now)


def _tell(payout: Payout, problem: str, *, now: datetime) -> None:
    """A letter to whoever owns the artist, who alone can name another account."""
    artist = Artist.select(Artist, User).join(User).where(Artist.id == payout.payee).first()
    if artist is None:
        return
    facts = {
        "collective": startup.appliance().settings.collective_name,
        "artist": artist.name,
        "amount": f"{currencies.written(payout.amount_minor, payout.currency)} {payout.currency}",
        "problem": problem or "–",
    }
    mail.post("payout_failed", artist.owner.email, facts=facts, locale="en", now=now)


def note_account(fact: AccountFact, *, provider: str, now: datetime) -> None:
    """Note whether a payee's account can be paid."""
    here = (PayoutAccount.payee == fact.mark) & (PayoutAccount.provider == provider)
    changed = {
        "account": fact.account,
        "payable": fact.payable,
        "wants": fact.wants[:300],
        "as_of": fact.as_of,
    }
    with transaction():
        PayoutAccount.update(**changed).where(here & (PayoutAccount.as_of <= fact.as_of)).execute()
