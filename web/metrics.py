"""Figures for Prometheus: every request is counted by its view, and ``/metrics`` tells them with all others of this node."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask
from flask import Request
from flask import Response
from flask import request
from prometheus_client import CollectorRegistry
from prometheus_flask_exporter import PrometheusMetrics

from appliance import monitoring
from appliance.monitoring import readers
from appliance.monitoring.exposition import Exposition
from appliance.monitoring.readers import FORWARDED
from appliance.monitoring.readers import Readers
from appliance.settings import Settings
from web import request_log

VIEW = "prometheus_metrics"
"""The name of the view, which the exporter gives it."""
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
FORWARDED_MARK = "musicconnect.forwarded"
"""In the environment of a request: a proxy passed it on, though the server has taken the proxy's headers away."""


class Requests(PrometheusMetrics):  # type: ignore[misc]
    """Counts and times requests; told together with all else."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        # A registry of its own: a test makes many applications in one process.
        counted = CollectorRegistry()
        self._exposition = Exposition(settings, counted)
        app.before_request(_leave_out_invented_methods)
        super().__init__(
            app,
            path="/metrics",
            group_by=endpoint,
            buckets=BUCKETS,
            registry=counted,
            excluded_paths=["^/health$"],
            metrics_decorator=_fence(settings),
        )

    def info(self, *arguments: Any, **labels: Any) -> None:
        """Nothing: which exporter counts is nobody's concern, and each process would say it for itself."""

    def generate_metrics(self, accept_header: str | None = None, names: Any = None) -> tuple[str, str]:
        """All figures of this node, those of other processes too."""
        body, content_type = self._exposition.text(accept_header or "")
        return body.decode(), content_type


def endpoint(asked: Request) -> str:
    """By what requests are told apart: the name of the view, of which there are so many as were written."""
    return asked.endpoint or "none"


def register(app: Flask, settings: Settings) -> None:
    """Count the requests of *app*, from their very beginning: before all else that is hung onto it."""
    Requests(app, settings)


def begin(settings: Settings) -> None:
    """This process serves a node with these settings: share its counts, and open the door for monitors where one is wanted."""
    monitoring.begin(settings)


def _leave_out_invented_methods() -> None:
    # Anybody can invent methods, and each would be a time series of its own.
    if request_log.method() == request_log.INVENTED:
        request.prom_do_not_track = True  # type: ignore[attr-defined]


def from_monitor(allowed: Readers, settings: Settings) -> bool:
    """Whether one of the monitors asks, of those that are *allowed*."""
    # Only behind as many proxies as are trusted the address is the one that these say.
    unknown_proxy = not request_log.by_proxy(settings.trusted_proxies) and (
        FORWARDED_MARK in request.environ or any(name in request.headers for name in FORWARDED)
    )
    return allowed.may_read(
        request.remote_addr or "",
        authorization=request.headers.get("Authorization", ""),
        forwarded=unknown_proxy,
    )


def _fence(settings: Settings) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    allowed = readers.of(settings)

    def fenced(view: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(view)
        def answer() -> Any:
            if from_monitor(allowed, settings):
                return view()
            return Response("This is for the monitors of this node.\n", 403, mimetype="text/plain")

        return answer

    return fenced
