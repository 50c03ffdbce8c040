"""What payment providers sent and what the last check of the books found, for those who look after all payments."""

from typing import Any

from flask import Response
from flask import jsonify
from flask import request

from appliance import clock
from appliance.accounts.models import Scope
from appliance.billing import inbox
from appliance.billing import masking
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.ledger import alarms
from web.api import money
from web.api.routing import blueprint
from web.api.routing import cursor_for
from web.api.routing import cursor_id
from web.api.routing import limit


@blueprint.get("/payment-events")
def list_payment_events() -> Response:
    """Events, the last first, without what was sent."""
    money.admin(Scope.MONEY_READ)
    state, wanted = request.args.get("state", ""), limit()
    if state and state not in set(EventState):
        raise Invalid("A state is one of {states}.", states=", ".join(EventState), field="state")
    rows = inbox.page(
        state=state,
        provider=request.args.get("provider", "")[:30],
        limit=wanted + 1,
        before=cursor_id() or None,
    )
    following = cursor_for(rows[wanted - 1].id) if len(rows) > wanted else None
    return jsonify(items=[_told(row) for row in rows[:wanted]], next_cursor=following)


@blueprint.get("/payment-events/<event_id>")
def show_payment_event(event_id: str) -> Response:
    """One event, with a mask over whom it is about."""
    money.admin(Scope.MONEY_READ)
    row = inbox.find(event_id)
    return jsonify(**_told(row), body=masking.masked(row.body))


@blueprint.post("/payment-events/<event_id>/replay")
def replay_payment_event(event_id: str) -> tuple[Response, int]:
    """Process an event once more; what is known already changes nothing."""
    who = money.admin()
    inbox.replay(event_id, actor=who.id, now=clock.now())
    return jsonify(_told(inbox.find(event_id))), 202


@blueprint.get("/ledger-check")
def show_ledger_check() -> Response:
    """What the last check of the books found."""
    money.admin(Scope.MONEY_READ)
    found = alarms.latest()
    if found is None:
        raise NotFound("The books were not checked yet.")
    return jsonify(
        began_at=found.began_at.isoformat(),
        ended_at=found.ended_at.isoformat(),
        differences=found.differences,
        items=[{"check": one.check, "row": one.row, "sentence": one.sentence} for one in alarms.told(found)],
    )


def _told(row: ProviderEvent) -> dict[str, Any]:
    return {
        "id": row.id,
        "provider": row.provider,
        "event": row.event,
        "kind": row.kind,
        "state": row.state,
        "attempts": row.attempts,
        "problem": row.problem or None,
        "marks": row.marks.split(),
        "happened_at": row.happened_at.isoformat(),
        "received_at": row.received_at.isoformat(),
        "due_at": row.due_at.isoformat() if row.state == EventState.RECEIVED else None,
        "processed_at": row.processed_at.isoformat() if row.processed_at else None,
    }
