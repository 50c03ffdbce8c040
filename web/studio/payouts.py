"""Being paid: what an artist is owed, where it goes, and what was sent; managers look, and the owner decides, who answers for the money."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance import clock
from appliance import jobs
from appliance import processors
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.ledger import balances
from appliance.ledger.balances import Owed
from appliance.memberships.access import Standing
from appliance.payments import Feature
from appliance.payouts import accounts
from appliance.payouts import iban
from appliance.payouts import requesting
from appliance.payouts.models import BANK
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.payouts.models import PayoutStanding
from web import addresses
from web import leaving
from web import presentation
from web import rates
from web.people.routing import artist_for
from web.people.routing import artist_with_money
from web.presentation import providers
from web.presentation.wording import amount
from web.presentation.wording import price
from web.request_cycle import appliance
from web.security import step_up
from web.security.mailing import letters
from web.sentences import told
from web.studio.routing import blueprint

ON_A_PAGE = 30
STANDINGS = {
    PayoutStanding.REQUESTED: lazy_gettext("Asked for"),
    PayoutStanding.IN_TRANSIT: lazy_gettext("On its way"),
    PayoutStanding.PAID: lazy_gettext("Paid"),
    PayoutStanding.FAILED: lazy_gettext("Failed; it is back in the balance"),
}


@dataclass(frozen=True, slots=True)
class OwedView:
    """What can be paid out in one currency; *payable* when it reaches the smallest payout, *held* empty when nothing is contested."""

    currency: str
    amount: str
    held: str
    least: str
    payable: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its owner sees it."""

    id: str
    provider: str
    label: str
    account: str
    holder: str
    payable: bool
    wants: str
    monthly: bool


@dataclass(frozen=True, slots=True)
class PayoutView:
    """A payout as lists show it."""

    id: str
    amount: str
    state: str
    standing: str
    to: str
    at: datetime
    problem: str


@blueprint.get("/artists/<slug>/payouts")
def payouts(slug: str) -> str:
    """What is owed, the accounts, and the payouts, newest first."""
    artist, who = artist_with_money(slug)
    return _page(artist, decides=artist.owner_id == who.id)


@blueprint.post("/artists/<slug>/payouts")
@rates.limited("grants")
def request_payout(slug: str) -> ResponseReturnValue:
    """Send what is owed on its way."""
    artist, who = _owner(slug)
    step_up.require()
    settings = appliance().settings
    try:
        made, sent = requesting.request(
            artist,
            currency=request.form.get("currency", ""),
            minimum=settings.payout_minimum,
            actor=who,
            now=clock.now(),
        )
    except (Conflict, Invalid) as error:
        return _page(artist, problem=error), 422
    for job_id in sent:
        jobs.send(job_id)
    paid = amount(made.amount_minor, made.currency)
    flash(_("%(amount)s is on its way out of your balance.", amount=paid))
    return redirect(url_for("studio.payouts", slug=slug), 303)


@blueprint.post("/artists/<slug>/payouts/bank")
def set_bank_account(slug: str) -> ResponseReturnValue:
    """Be paid to a bank account."""
    artist, who = _owner(slug)
    step_up.require()
    try:
        accounts.set_bank(
            artist,
            holder=request.form.get("holder", ""),
            iban=request.form.get("iban", ""),
            bic=request.form.get("bic", ""),
            monthly="monthly" in request.form,
            actor=who,
            letters=letters(),
            now=clock.now(),
        )
    except Invalid as error:
        return _page(artist, problem=error), 422
    flash(_("Saved. You are paid to this account from now on."))
    return redirect(url_for("studio.payouts", slug=slug), 303)


@blueprint.post("/artists/<slug>/payouts/accounts/<account_id>/remove")
def remove_payout_account(slug: str, account_id: str) -> ResponseReturnValue:
    """Be paid no more to this account."""
    artist, who = _owner(slug)
    step_up.require()
    accounts.remove(artist, account_id, actor=who, now=clock.now())
    flash(_("The account is removed."))
    return redirect(url_for("studio.payouts", slug=slug), 303)


@blueprint.post("/artists/<slug>/payouts/accounts/<account_id>/monthly")
def pay_monthly(slug: str, account_id: str) -> ResponseReturnValue:
    """Each month by itself, or when asked for."""
    artist, _who = _owner(slug)
    accounts.set_monthly(artist, account_id, "monthly" in request.form)
    flash(_("Saved."))
    return redirect(url_for("studio.payouts", slug=slug), 303)


@blueprint.post("/artists/<slug>/payouts/connect/<provider>")
def connect_provider(slug: str, provider: str) -> ResponseReturnValue:
    """Go and tell a payment provider whom to pay."""
    artist, who = _owner(slug)
    step_up.require()
    back = addresses.root() + url_for("studio.payouts", slug=slug)
    try:
        way = accounts.onboard(
            artist, provider, actor=who, return_to=back, letters=letters(), now=clock.now()
        )
    except MusicConnectError as error:
        flash(told(error), "problem")
        return redirect(url_for("studio.payouts", slug=slug), 303)
    return leaving.page(way, _("On to where you are paid"))


def _owner(slug: str) -> tuple[Artist, User]:
    artist, who = artist_with_money(slug)
    artist_for(slug, Standing.OWNER)
    return artist, who


def _page(artist: Artist, *, decides: bool = True, problem: Exception | None = None) -> str:
    rows = requesting.of_payee(artist.id, limit=ON_A_PAGE + 1, before=request.args.get("before"))
    older = (
        url_for("studio.payouts", slug=artist.slug, before=rows[ON_A_PAGE - 1].id)
        if len(rows) > ON_A_PAGE
        else ""
    )
    mine = accounts.of_payee(artist.id)
    known = {row.provider for row in mine if row.payable}
    return render_template(
        "studio/payouts.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        owed=[_owed(artist, row) for row in balances.of_payee(artist.id)],
        accounts=[_account(row) for row in mine if row.account],
        connectable=[
            (provider.name, providers.label(provider))
            for provider in processors.offering(Feature.ONBOARDING)
            if provider.name not in known
        ],
        payouts=[_payout(row) for row in rows[:ON_A_PAGE]],
        older=older,
        decides=decides,
        sent=request.form,
        problem=problem,
    )


def _owed(artist: Artist, row: Owed) -> OwedView:
    least = requesting.least_minor(row.currency, appliance().settings.payout_minimum)
    return OwedView(
        row.currency,
        amount(row.available_minor, row.currency),
        amount(row.held_minor, row.currency) if row.held_minor else "",
        price(least, row.currency),
        row.available_minor >= max(1, least) and accounts.chosen(artist.id) is not None,
    )


def _account(row: PayoutAccount) -> AccountView:
    bank = row.provider == BANK
    return AccountView(
        row.id,
        row.provider,
        _("Bank account") if bank else providers.label_of(row.provider),
        iban.masked(row.account) if bank else "",
        row.holder,
        row.payable,
        row.wants,
        row.monthly,
    )


def _payout(row: Payout) -> PayoutView:
    to = iban.masked(row.account) if row.provider == BANK else providers.label_of(row.provider)
    paid = amount(row.amount_minor, row.currency)
    standing = str(STANDINGS[PayoutStanding(row.state)])
    return PayoutView(row.id, paid, row.state, standing, to, row.created_at, row.problem)
