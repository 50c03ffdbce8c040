"""What Prometheus is told of a node: what its processes counted, and what the database knows. docs/metrics.md tells of each figure."""

from appliance.monitoring import listener
from appliance.monitoring import machine
from appliance.monitoring import sharing
from appliance.settings import Settings

__all__ = ["begin"]


def begin(settings: Settings) -> None:
    """This process works for a node: it counts with the others of its machine, and opens the door for monitors where one is wanted."""
    sharing.share(settings.data)
    machine.sample()
    listener.start(settings)
