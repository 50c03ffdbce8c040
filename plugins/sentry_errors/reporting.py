"""Making reports and sending them, with Sentry's own library; it is imported for the first report."""

import logging
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING
from typing import Any

from appliance import __version__
from appliance.observed import ErrorFacts
from plugins.sentry_errors import scrubbing

if TYPE_CHECKING:
    from sentry_sdk.client import Client

log = logging.getLogger(__name__)

MINUTE_S = 60.0
SEND_WITHIN_S = 2.0
"""Reports are made in a thread where nobody waits, so this holds up the next report and nothing else."""


class Reporter:
    """Sends reports to one server, so many in a minute and no more."""

    def __init__(self, dsn: str, environment: str, *, per_minute: int) -> None:
        self._dsn, self._environment = dsn, environment
        self._per_minute = per_minute
        self._sent_at: deque[float] = deque()
        self._left_out = 0
        self._client: Client | None = None

    def report(self, error: BaseException, facts: ErrorFacts) -> None:
        """Send a report of *error*, or count it where there were many in the last minute."""
        now = monotonic()
        while self._sent_at and now - self._sent_at[0] >= MINUTE_S:
            self._sent_at.popleft()
        if len(self._sent_at) >= self._per_minute:
            self._left_out += 1
            return
        self._sent_at.append(now)
        from sentry_sdk.scope import Scope
        from sentry_sdk.utils import event_from_exception

        if self._client is None:
            self._client = self._connect()
        event, hint = event_from_exception(error, client_options=self._client.options)
        made: dict[str, Any] = {**event, "transaction": facts.name, "tags": self._tags(facts)}
        self._client.capture_event(made, hint, scope=Scope())  # type: ignore[arg-type]
        self._left_out = 0
        self._client.flush(timeout=SEND_WITHIN_S)

    def _tags(self, facts: ErrorFacts) -> dict[str, str]:
        told = {
            "kind": facts.kind,
            "request_id": facts.request_id,
            "trace_id": facts.trace_id,
            "method": facts.method,
            "attempt": str(facts.attempt or ""),
            "left_out": str(self._left_out or ""),
        }
        return {name: value for name, value in told.items() if value}

    def _connect(self) -> "Client":
        # Nothing of it is global: no integration, no scope, no hook into logging or the interpreter.
        from sentry_sdk.client import Client

        return Client(
            dsn=self._dsn,
            environment=self._environment,
            release=f"musicconnect@{__version__}",
            server_name="",
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            send_client_reports=False,
            propagate_traces=False,
            enable_backpressure_handling=False,
            enable_logs=False,
            enable_metrics=False,
            debug=False,
            spotlight=False,
            before_send=_before_send,
            shutdown_timeout=SEND_WITHIN_S,
        )


def _before_send(event: Any, hint: dict[str, Any]) -> Any:
    return scrubbing.event(event)
