"""What payment providers sent, what became of it, and asking them for the truth."""

from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance import clock
from appliance import jobs
from appliance import processors
from appliance.accounts.permissions import Permission
from appliance.billing import inbox
from appliance.billing import masking
from appliance.billing import reconciling
from appliance.billing.models import EventState
from appliance.billing.models import RunState
from appliance.errors import Conflict
from appliance.errors import NotFound
from web.admin import entrance
from web.admin.payments import tabs

STATES = {
    "": lazy_gettext("All"),
    EventState.RECEIVED: lazy_gettext("Waiting"),
    EventState.PROCESSED: lazy_gettext("Processed"),
    EventState.IGNORED: lazy_gettext("Not about us"),
    EventState.FAILED: lazy_gettext("Failed"),
}
RUNS = {
    RunState.RUNNING: lazy_gettext("Running"),
    RunState.COMPLETE: lazy_gettext("Complete"),
    RunState.FAILED: lazy_gettext("Failed"),
}


@entrance.get("/payments/events", Permission.PAYMENTS_MANAGE)
def payment_events() -> str:
    """Events, newest first."""
    state, provider = request.args.get("state", ""), request.args.get("provider", "")[:30]
    state = state if state in STATES else ""
    found = inbox.page(state=state, provider=provider, limit=entrance.ON_A_PAGE + 1, before=entrance.cursor())
    rows, older = entrance.sliced(found, "admin.payment_events", state=state, provider=provider)
    counts = inbox.counts()
    return entrance.page(
        "payment_events",
        "payments",
        pages=tabs(),
        state=state,
        states=[
            (
                str(name),
                f"{text} ({sum(n for (_name, of), n in counts.items() if of == name)})"
                if name
                else str(text),
                url_for("admin.payment_events", state=name or None, provider=provider or None),
            )
            for name, text in STATES.items()
        ],
        provider=provider,
        providers=[("", _("All")), *((name, name) for name in sorted({name for name, _state in counts}))],
        told_states=STATES,
        rows=rows,
        older=older,
    )


@entrance.get("/payments/events/<event_id>", Permission.PAYMENTS_MANAGE)
def payment_event(event_id: str) -> str:
    """One event, with a mask over whom it is about."""
    event = inbox.find(event_id)
    return entrance.page(
        "payment_event",
        "payments",
        event=event,
        body=masking.masked(event.body),
        marks=event.marks.split(),
        told_states=STATES,
        waits=event.state == EventState.RECEIVED,
    )


@entrance.post("/payments/events/<event_id>/replay", Permission.PAYMENTS_MANAGE)
def replay_event(event_id: str) -> ResponseReturnValue:
    """Process an event once more."""
    try:
        inbox.replay(event_id, actor=entrance.actor().id, now=clock.now())
    except Conflict as error:
        return entrance.refused(error, "admin.payment_event", event_id=event_id)
    return entrance.done(
        _("It is being processed. Look again in a moment."), "admin.payment_event", event_id=event_id
    )


@entrance.get("/payments/reconciliation", Permission.PAYMENTS_MANAGE)
def reconciliations() -> str:
    """How our books were compared with the providers', last first, and what was repaired."""
    found = reconciling.runs(limit=entrance.ON_A_PAGE + 1, before=entrance.cursor())
    rows, older = entrance.sliced(found, "admin.reconciliations")
    return entrance.page(
        "reconciliations",
        "payments",
        pages=tabs(),
        rows=rows,
        repairs=reconciling.repairs_of(rows),
        older=older,
        told_states=RUNS,
        providers=[(provider.name, provider.label) for provider in processors.every()],
    )


@entrance.post("/payments/reconciliation", Permission.PAYMENTS_MANAGE)
def reconcile_payments() -> ResponseReturnValue:
    """Ask a provider for the truth now instead of within six hours."""
    try:
        job_id = reconciling.ask(entrance.sent("provider"), actor=entrance.actor().id, now=clock.now())
    except NotFound as error:
        return entrance.refused(error, "admin.reconciliations")
    jobs.send(job_id)
    return entrance.done(_("The provider is being asked. Look again in a moment."), "admin.reconciliations")
