"""Is the process alive, and can it work? For load balancers, supervisors and people."""

import logging

from flask import Blueprint
from flask import Response
from flask import jsonify

from appliance import database
from appliance import jobs
from appliance.errors import Unavailable
from appliance.monitoring import readers
from web.metrics import from_monitor
from web.request_cycle import appliance

log = logging.getLogger(__name__)

STRANGERS_HEAR = "does not answer"

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """The process lives; asks nothing else."""
    return jsonify(status="ok")


@blueprint.get("/ready")
def ready() -> tuple[Response, int]:
    """Database and storage answer; 503 with the reasons when one does not.

    The queue is told of and is no reason: work goes on without it, and a balancer must not take every node out because of it.
    Reasons name machines and folders, so strangers hear only which part it is; who may read ``/metrics`` hears them, and so does the log.
    """
    checks = {"database": database.check, "queue": jobs.check, "storage": appliance().store.check}
    reasons: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except Unavailable as error:
            log.warning("not ready", extra={"part": name, "why": str(error)})
            reasons[name] = str(error)
    if reasons and not from_monitor(readers.of(appliance().settings), appliance().settings):
        reasons = dict.fromkeys(reasons, STRANGERS_HEAR)
    answer = {name: reasons.get(name, "ok") for name in checks}
    ready = not set(reasons) - {"queue"}
    return jsonify(status="ready" if ready else "not ready", **answer), 200 if ready else 503
