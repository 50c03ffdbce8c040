"""Is the process alive, and can it work? For load balancers, supervisors and people."""

import logging

from flask import Blueprint
from flask import Response
from flask import jsonify

from appliance import database
from appliance import jobs
from appliance.errors import Unavailable
from web.request_cycle import appliance

log = logging.getLogger(__name__)

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """The process lives; asks nothing else."""
    return jsonify(status="ok")


@blueprint.get("/ready")
def ready() -> tuple[Response, int]:
    """Database and storage answer; 503 with the reasons when one does not.

    The queue is told of and is no reason: work goes on without it, and a balancer must not take every node out because of it.
    """
    checks = {"database": database.check, "queue": jobs.check, "storage": appliance().store.check}
    reasons: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except Unavailable as error:
            log.warning("not ready", extra={"part": name, "why": str(error)})
            reasons[name] = str(error)
    answer = {name: reasons.get(name, "ok") for name in checks}
    ready = not set(reasons) - {"queue"}
    return jsonify(status="ready" if ready else "not ready", **answer), 200 if ready else 503
