"""One line of the log for each request, and the id by which its lines, its jobs and people who ask about it find each other."""

import logging
import time

from flask import Flask
from flask import Response
from flask import g
from flask import request
from flask.globals import request_ctx
from werkzeug.datastructures import Headers

from appliance import observers
from appliance import traces
from appliance.observed import ErrorFacts
from appliance.settings import Settings
from appliance.traces import Work

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
NOWHERE = "(nowhere)"
"""In place of a pattern, for addresses that have none: what is asked for there is a stranger's word."""
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
INVENTED = "_OTHER"
"""In place of any other method, which is a stranger's word: each would be one name more."""
SELDOM_OF_INTEREST = frozenset(
    {"frame.static_file", "health.health", "health.ready", "prometheus_metrics", "static"}
)
"""Monitors, and the files of a page: told at the level of debugging."""


def register(app: Flask, settings: Settings) -> None:
    """Note every request of *app*; call it first, so that this begins before all else and ends after it."""
    hops = settings.trusted_proxies

    @app.before_request
    def begin() -> None:
        g.began_s, g.began_at_ns = time.perf_counter(), time.time_ns()
        proxied, headers = by_proxy(hops), request.headers
        g.step_before = step_before = traces.place_of(headers.get("traceparent", "")) if proxied else None
        request_id = (given_id(headers) if proxied else "") or traces.new_request_id()
        place = None if request.endpoint in SELDOM_OF_INTEREST else observers.step(step_before)
        traces.take_up(Work("request", route(), request_id=request_id, place=place))

    app.after_request(finish)

    @app.teardown_request
    def forget(error: BaseException | None) -> None:
        traces.take_up(None)


def given_id(headers: Headers) -> str:
    """The id that the proxy in front gave this request; empty where it gave none."""
    told = headers.get(HEADER, "")
    return told if traces.is_request_id(told) else ""


def by_proxy(hops: int) -> bool:
    """Whether this request came through as many proxies as the operator trusts: a stranger's word is not taken for theirs."""
    if not hops:
        return False
    asked = request_ctx.request
    return hops <= len(asked.access_route if asked.headers.get("X-Forwarded-For") else ())


def route() -> str:
    """The pattern of the address, such as ``/@<artist>/<slug>``: the address itself may hold a token, a name or a search."""
    found = request.url_rule
    return found.rule if found is not None else NOWHERE


def method() -> str:
    """The method that is asked by, one of a few."""
    told = request.method
    return told if told in METHODS else INVENTED


def reference() -> str:
    """What people can tell us of this request."""
    return traces.reference(traces.request_id())


def failed(error: Exception) -> None:
    """Tell those who look on of an error that nobody expected."""
    g.error = type(error).__name__
    work = traces.current()
    trace_id = work.place.trace_id if work and work.place and work.place.sampled else ""
    observers.error(
        error,
        ErrorFacts("request", route(), request_id=traces.request_id(), trace_id=trace_id, method=method()),
    )


def finish(answer: Response) -> Response:
    """Tell the request's id with *answer*, and write its line."""
    answer.headers[HEADER] = traces.request_id()
    took_s = time.perf_counter() - g.began_s
    facts = {"method": method(), "route": route(), "status": answer.status_code}
    seldom = request.endpoint in SELDOM_OF_INTEREST
    log.log(
        logging.DEBUG if seldom else logging.INFO,
        "request",
        extra={**facts, "ms": round(took_s * 1000, 1)},
    )
    work = traces.current()
    if work is not None and work.place is not None:
        began_at_ns = g.began_at_ns
        observers.span(
            "request",
            f"{facts['method']} {facts['route']}",
            work.place,
            before=g.step_before,
            started_at_ns=began_at_ns,
            ended_at_ns=began_at_ns + int(took_s * 1_000_000_000),
            error=g.get("error", "") or (str(answer.status_code) if answer.status_code >= 500 else ""),
            **facts,
        )
    return answer
