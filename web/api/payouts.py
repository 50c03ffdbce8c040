"""Paying artists: what was sent, to which account, and asking for what is owed. Accounts are changed by people on their page alone."""

from typing import Any

from flask import Response
from flask import jsonify

from appliance import clock
from appliance import jobs
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.billing import listing
from appliance.catalog.models import Artist
from appliance.errors import NotFound
from appliance.payouts import accounts
from appliance.payouts import iban
from appliance.payouts import requesting
from appliance.payouts.models import BANK
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from web import rates
from web.api import fields
from web.api import money
from web.api.once import once
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_id
from web.api.routing import limit
from web.request_cycle import appliance


@blueprint.get("/artists/<slug>/payouts")
def list_payouts(slug: str) -> Response:
    """What an artist was sent, the last first."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    wanted = limit()
    rows = requesting.of_payee(artist.id, limit=wanted + 1, before=cursor_id() or None)
    following = cursor_for(rows[wanted - 1].id) if len(rows) > wanted else None
    return jsonify(items=[_told(row) for row in rows[:wanted]], next_cursor=following)


@blueprint.post("/artists/<slug>/payouts")
@rates.limited("grants")
def request_payout(slug: str) -> tuple[Response, int]:
    """Send all that is owed in a currency on its way, to the account that was set."""
    artist, who = money.decider(slug)
    sent = body(required=("currency",))
    fields.only(sent, ("currency",))
    made = once(who, sent, lambda: _request(artist, who, fields.text(sent, "currency")))
    row = Payout.get_or_none(Payout.id == made, Payout.payee == artist.id)
    if row is None:
        raise NotFound("There is no such payout.")
    return jsonify(_told(row)), 201


@blueprint.get("/artists/<slug>/payout-accounts")
def list_payout_accounts(slug: str) -> Response:
    """Where an artist is paid to; of a bank's account only as much as one needs to know one's own."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    chosen = accounts.chosen(artist.id)
    rows = [row for row in accounts.of_payee(artist.id) if row.account]
    return jsonify(items=[_account(row, chosen) for row in rows])


@blueprint.get("/payouts")
def list_all_payouts() -> Response:
    """What was sent to anybody, the last first."""
    money.admin(Scope.MONEY_READ)
    wanted = limit()
    rows = requesting.newest(limit=wanted + 1, before=cursor_id() or None)
    following = cursor_for(rows[wanted - 1].id) if len(rows) > wanted else None
    names = listing.artists(row.payee for row in rows)
    return jsonify(
        items=[
            {**_told(row), "artist": {"id": row.payee, "name": names.get(row.payee, "")}}
            for row in rows[:wanted]
        ],
        next_cursor=following,
    )


def _request(artist: Artist, who: User, currency: str) -> str:
    made, queued = requesting.request(
        artist,
        currency=currency,
        minimum=appliance().settings.payout_minimum,
        actor=who,
        now=clock.now(),
    )
    for job_id in queued:
        jobs.send(job_id)
    return str(made.id)


def _told(row: Payout) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "provider": row.provider,
        "account": iban.masked(row.account) if row.provider == BANK else None,
        "monthly": row.run is not None,
        "problem": row.problem or None,
        "created_at": row.created_at.isoformat(),
    }


def _account(row: PayoutAccount, chosen: PayoutAccount | None) -> dict[str, Any]:
    bank = row.provider == BANK
    return {
        "id": row.id,
        "provider": row.provider,
        "account": iban.masked(row.account) if bank else None,
        "holder": row.holder or None,
        "payable": row.payable,
        "chosen": chosen is not None and chosen.id == row.id,
        "monthly": row.monthly,
        "wants": row.wants or None,
    }
