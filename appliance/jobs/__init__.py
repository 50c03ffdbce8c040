"""Durable work: Huey carries the message, a row in the database holds the truth.

Huey pops a message before it runs it, so a worker that is killed loses it. Therefore every job that matters is a row with a lease:
the worker renews it, and ``sweep`` gives what nobody holds to the next worker. Every job can run twice.
"""

from appliance.jobs.lanes import Lane
from appliance.jobs.lanes import kind
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.jobs.queue import check
from appliance.jobs.queue import configure
from appliance.jobs.queue import huey
from appliance.jobs.records import add
from appliance.jobs.records import latest
from appliance.jobs.records import page
from appliance.jobs.records import retry
from appliance.jobs.running import Interrupted
from appliance.jobs.running import Running
from appliance.jobs.running import handles
from appliance.jobs.running import interrupt_all
from appliance.jobs.running import send
from appliance.jobs.running import send_when_committed
from appliance.jobs.sweeping import sweep

__all__ = [
    "Interrupted",
    "Job",
    "JobState",
    "Lane",
    "Running",
    "add",
    "check",
    "configure",
    "handles",
    "huey",
    "interrupt_all",
    "kind",
    "latest",
    "page",
    "retry",
    "send",
    "send_when_committed",
    "sweep",
]
