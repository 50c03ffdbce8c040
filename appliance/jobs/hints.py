"""Sending messages, which are hints: that none can be sent stops nobody."""

import logging
import time
from collections.abc import Callable

from appliance.jobs import lanes
from appliance.jobs.lanes import Lane
from appliance.jobs.queue import huey

log = logging.getLogger(__name__)

QUIET_S = 5.0
"""How long no message is sent after one could not be: whoever waits for an answer does not wait for a queue that is away, time after time."""
_quiet_until = 0.0


def hint(lane: Lane, enqueue: Callable[[], object]) -> bool:
    """Whether a message could be sent."""
    global _quiet_until
    if time.monotonic() < _quiet_until and not huey.immediate:
        return False
    with lanes.on(lane):
        try:
            try:
                enqueue()
            except Exception:
                if huey.immediate:
                    raise
                # The server may have been restarted, which only shows at the first try; every engine has errors of its own.
                enqueue()
        except Exception:
            if huey.immediate:
                raise
            _quiet_until = time.monotonic() + QUIET_S
            log.warning("the queue is away", extra={"lane": lane}, exc_info=True)
            return False
    return True
