"""Payment events for monitoring: how many are in which state, for how long the oldest waits, how many disputes are open.

Read from the database when the monitor asks, so that every process tells the same, and none needs to have seen them.
"""

from collections.abc import Iterator

import peewee
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from appliance import clock
from appliance.billing import inbox
from appliance.billing import listing


class PaymentEvents(Collector):
    """The figures as they are now; none while the database is away."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Their names, without asking the database: the application is made before it may be there."""
        return list(self._families())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures themselves."""
        events, lag, disputes = self._families()
        try:
            for (provider, state), number in inbox.counts().items():
                events.add_metric([provider, state], number)
            lag.add_metric([], inbox.lag(now=clock.now()).total_seconds())
            disputes.add_metric([], listing.open_disputes())
        except peewee.PeeweeException:
            return
        yield from (events, lag, disputes)

    @staticmethod
    def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily(
                "musicconnect_payment_events",
                "Events of payment providers of the last 90 days: received (and not processed yet), processed, ignored, failed.",
                labels=["provider", "state"],
            ),
            GaugeMetricFamily(
                "musicconnect_payment_event_lag_seconds",
                "For how long the oldest event has been here that is not processed.",
                labels=[],
            ),
            GaugeMetricFamily("musicconnect_open_disputes", "Disputes that are not decided.", labels=[]),
        )


def register(registry: CollectorRegistry) -> None:
    """Tell these figures with all others of *registry*."""
    registry.register(PaymentEvents())
