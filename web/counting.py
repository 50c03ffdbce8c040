"""Counting each request before its view sees it, by the rules of ``rates``, and telling with the answer how much is left.

All counts of a request are one question, to memory or to Redis; the first that is over ends it.
"""

import math
import time
from collections.abc import Callable

from flask import Flask
from flask import Response
from flask import g
from flask import request
from werkzeug.exceptions import TooManyRequests

from appliance.settings import Settings
from web import known_devices
from web import rates
from web.counts import Count
from web.counts import Counting
from web.counts import Counts
from web.counts import Limit
from web.request_cycle import SAFE_METHODS
from web.shared_counts import SharedCounts

UNCOUNTED = frozenset({"media", "health", "gate"})
UNCOUNTED_VIEWS = frozenset({None, "static", "prometheus_metrics"})
"""Also what has no view, since nothing is done for it."""
PROVIDERS = "webhooks"
"""The family whose requests are counted only when they are refused."""
MOST_SUSPECTS = 10_000


def register(app: Flask, settings: Settings) -> None:
    """Count the requests of *app*; call it when all views are there."""
    share = settings.rate_limits / 100
    if not share:
        return
    counting = SharedCounts(settings.rate_limit_url) if settings.rate_limit_url else Counts()
    kinds = rates.kinds(app.view_functions)

    @app.before_request
    def count() -> None:
        endpoint, family = request.endpoint, request.blueprint
        if endpoint in UNCOUNTED_VIEWS or family in UNCOUNTED or family == PROVIDERS:
            return
        limits = [rates.general(share)]
        if endpoint in kinds and request.method not in SAFE_METHODS:
            limits += rates.limits(kinds[endpoint], share)
        g.counts = counting.count(limits)
        if g.counts[-1].is_over:
            raise TooManyRequests

    app.after_request(tell)
    _count_refused(app, counting, lambda: rates.limits(PROVIDERS, share))
    known_devices.register(app)


def tell(answer: Response) -> Response:
    """*answer* with how much is left, of the count that is nearest to its end, and when it begins anew."""
    counts: list[Count] = g.get("counts", [])
    if counts:
        nearest = min(counts, key=lambda count: (not count.is_over, count.left / count.limit.most))
        left_s = math.ceil(nearest.ends_at_s - time.time())
        reset_s = str(min(max(1, left_s), nearest.limit.window_s))
        answer.headers["RateLimit-Limit"] = str(nearest.limit.most)
        answer.headers["RateLimit-Remaining"] = str(nearest.left)
        answer.headers["RateLimit-Reset"] = reset_s
        if answer.status_code == 429:
            # Whoever refused it for a reason of their own said so themselves.
            answer.headers.setdefault("Retry-After", reset_s)
    return answer


def _count_refused(app: Flask, counting: Counting, limits: Callable[[], list[Limit]]) -> None:
    """Count what is refused of providers, by where it comes from; from the first on, and until nothing was refused there for a while.

    In a flood of events, to count what is never refused would cost a fifth of taking them.
    """
    suspected_until: dict[str, float] = {}

    def look() -> None:
        if suspected_until.get(rates.address(), 0.0) <= time.monotonic():
            return
        g.refusals = limits()
        g.counts = counting.count(g.refusals, amount=0)
        if not g.counts[-1].left:
            raise TooManyRequests

    def suspect(answer: Response) -> Response:
        if 400 <= answer.status_code < 500:
            if "refusals" in g:
                counting.count(g.refusals)
            if len(suspected_until) >= MOST_SUSPECTS:
                suspected_until.clear()
            suspected_until[rates.address()] = time.monotonic() + 60 * rates.RULES[PROVIDERS].minutes
        return answer

    app.before_request_funcs.setdefault(PROVIDERS, []).append(look)
    app.after_request_funcs.setdefault(PROVIDERS, []).append(suspect)
