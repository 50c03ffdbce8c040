"""What is noted of a job while it runs: which request it goes back to, for every line of the log."""

from appliance import traces
from appliance.jobs.models import Job
from appliance.traces import Work


class Watch:
    """The time from a claim to the end of that attempt; a job within a job, as in tests, gives back what was worked on before."""

    def __init__(self, job: Job) -> None:
        self._before = traces.take_up(Work("job", job.kind, request_id=job.request_id, job_id=job.id))

    def end(self) -> None:
        """The attempt is over."""
        traces.take_up(self._before)
