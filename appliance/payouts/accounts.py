"""The accounts of payees: a bank's, which they type, and a provider's, which they open there."""

from datetime import datetime

from appliance import processors
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.letters import Letters
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.wording import clean_line
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import Feature
from appliance.payouts import iban as ibans
from appliance.payouts.models import BANK
from appliance.payouts.models import PayoutAccount

LONGEST_HOLDER = 70
"""As many characters as a bank takes (ISO 20022, Max70Text)."""


def of_payee(payee: str) -> list[PayoutAccount]:
    """The accounts of this payee, those that can be paid first."""
    rows = PayoutAccount.select().where(PayoutAccount.payee == payee)
    return list(rows.order_by(PayoutAccount.payable.desc(), PayoutAccount.id.desc()))


def chosen(payee: str, provider: str = "", *, monthly: bool = False) -> PayoutAccount | None:
    """The account a payout goes to: that at *provider*, else the newest that can be paid; *monthly*: that is paid by itself."""
    rows = [row for row in of_payee(payee) if row.payable and (row.monthly or not monthly)]
    return next((row for row in rows if not provider or row.provider == provider), None)


def set_bank(
    artist: Artist,
    *,
    holder: object,
    iban: str,
    bic: str = "",
    monthly: bool,
    actor: User,
    letters: Letters,
    now: datetime,
) -> PayoutAccount:
    """Pay this artist to a bank account; who owns the artist is told by a letter, in case it was somebody else who did this."""
    name = clean_line(holder, field="holder", longest=LONGEST_HOLDER)
    if not ibans.plain(name):
        raise Invalid(
            "A bank reads letters only: write the name as it stands on the account.", field="holder"
        )
    number, code = ibans.read(iban), ibans.read_bic(bic)
    with transaction():
        row = _row(artist.id, BANK, now=now)
        changed = row.account != number or row.holder != name
        PayoutAccount.update(
            account=number, holder=name, bic=code, payable=True, monthly=monthly, wants="", as_of=now
        ).where(PayoutAccount.id == row.id).execute()
        if changed:
            _tell(artist, BANK, ibans.masked(number), actor=actor, letters=letters, now=now)
    return PayoutAccount.get_by_id(row.id)


def remove(artist: Artist, account_id: str, *, actor: User, now: datetime) -> None:
    """Pay no more to this account; what is on its way goes on."""
    with transaction():
        here = (PayoutAccount.id == account_id) & (PayoutAccount.payee == artist.id)
        if not PayoutAccount.delete().where(here).execute():
            raise NotFound("There is no such account.")
        audit.record(Action.PAYOUT_ACCOUNT_REMOVED, actor=actor.id, subject=f"artist:{artist.id}", now=now)


def set_monthly(artist: Artist, account_id: str, monthly: bool) -> None:
    """Whether this account is paid each month by itself."""
    here = (PayoutAccount.id == account_id) & (PayoutAccount.payee == artist.id)
    if not PayoutAccount.update(monthly=monthly).where(here).execute():
        raise NotFound("There is no such account.")


def onboard(
    artist: Artist, provider_name: str, *, actor: User, return_to: str, letters: Letters, now: datetime
) -> str:
    """Where the people of this artist tell the provider whom to pay; what comes of it is told by the provider alone.

    Who owns the artist is told by a letter of an account that is new.
    """
    provider = processors.find(provider_name)
    if Feature.ONBOARDING not in provider.features:
        raise NotFound("There is no payment provider '{name}'.", name=provider_name[:40])
    with transaction():
        row = _row(artist.id, provider.name, now=now)
    way = processors.ask(
        provider.onboard,
        provider.label,
        artist.id,
        account=row.account,
        email=actor.email,
        return_to=return_to,
    )
    with transaction():
        if way.account != row.account:
            PayoutAccount.update(account=way.account).where(PayoutAccount.id == row.id).execute()
            _tell(artist, provider.name, provider.label, actor=actor, letters=letters, now=now)
    return way.url


def _row(payee: str, provider: str, *, now: datetime) -> PayoutAccount:
    PayoutAccount.insert(
        payee=payee, provider=provider, as_of=now, created_at=now
    ).on_conflict_ignore().execute()
    found: PayoutAccount = PayoutAccount.get(PayoutAccount.payee == payee, PayoutAccount.provider == provider)
    return found


def _tell(
    artist: Artist, provider: str, number: str, *, actor: User, letters: Letters, now: datetime
) -> None:
    audit.record(
        Action.PAYOUT_ACCOUNT_CHANGED,
        actor=actor.id,
        subject=f"artist:{artist.id}",
        now=now,
        detail={"provider": provider, "account": number},
    )
    owner = User.get_by_id(artist.owner_id)
    letters.write("payout_account_changed", owner.email, now=now, artist=artist.name, account=number)
