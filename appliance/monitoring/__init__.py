"""What Prometheus is told of a node: what its processes counted, and what the database knows. docs/metrics.md tells of each figure."""

from appliance.monitoring import listener
from appliance.monitoring import machine
from appliance.monitoring import sharing
from appliance.settings import Settings

__all__ = ["begin", "begin_forked", "begin_master"]

_settings: Settings | None = None


def begin(settings: Settings) -> None:
    """This process works for a node: it counts with the others of its machine, and opens the door for monitors where one is wanted."""
    sharing.share(settings.data)
    machine.sample()
    listener.start(settings)


def begin_master(settings: Settings) -> None:
    """This process will fork those that work, and has no thread before that."""
    global _settings
    _settings = settings
    sharing.share(settings.data)


def begin_forked() -> None:
    """This process was forked from such a one, to work."""
    if _settings is not None:
        sharing.begin_process()
        machine.sample()
        listener.start(_settings)
