"""All figures of a node together, as Prometheus reads them."""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Protocol

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

from appliance import measures
from appliance.monitoring import backup_figures
from appliance.monitoring import sharing
from appliance.monitoring.figures import FIGURES
from appliance.monitoring.machine import Machine
from appliance.monitoring.readings import Readings
from appliance.settings import Settings


class Source(Protocol):
    """Something that has counts of its own, such as what a library of the web server counts."""

    def collect(self) -> Iterable[Metric]:
        """They themselves."""


class Exposition:
    """What one process answers a monitor; *beside* are counts of this process that are not in the table of measures."""

    def __init__(self, settings: Settings, *beside: Source) -> None:
        self._beside = (measures.registry, *beside)
        self._readings = Readings((*FIGURES, *backup_figures.of(settings)))
        self._machine = Machine(settings.data, settings.public_url)

    def collect(self) -> Iterator[Metric]:
        """Every figure; the counts of all processes of the node, where they share them."""
        shared = sharing.collect()
        if shared is not None:
            yield from shared
        else:
            for source in self._beside:
                yield from source.collect()
        yield from self._readings.families()
        yield from self._machine.families()

    def text(self, accepted: str = "") -> tuple[bytes, str]:
        """The answer, and its content type, to a monitor that says in its header ``Accept`` what it reads."""
        encode, content_type = choose_encoder(accepted)
        registry = CollectorRegistry()
        registry.register(self)
        return encode(registry), content_type
