"""What a process sees of the machine it runs on: its version, the room on its disk, and until when the certificate of the public address holds."""

import logging
import shutil
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from prometheus_client.core import GaugeMetricFamily

import appliance
from appliance import database
from appliance import measures

log = logging.getLogger(__name__)

LOOKED_EVERY_S = 3600.0
PATIENCE_S = 5.0
SAMPLED_EVERY_S = 5.0


class Machine:
    """The figures of this machine, as a node with these settings sees them."""

    def __init__(self, data: Path, public_url: str) -> None:
        self._data = data
        public = urlsplit(public_url)
        self._host = public.hostname if public.scheme == "https" else None
        self._port = public.port or 443
        self._ends_at: float | None = None
        self._looked_at = -LOOKED_EVERY_S

    def families(self) -> Iterator[GaugeMetricFamily]:
        """The figures as they are now; the certificate as it was within the hour."""
        build = GaugeMetricFamily(
            "musicconnect_build_info", "The version that runs; always 1.", labels=["version"]
        )
        build.add_metric([appliance.__version__], 1)
        yield build
        disk = shutil.disk_usage(self._data)
        for name, told, value in (
            ("free", "Room left on the disk of the data folder.", disk.free),
            ("size", "Size of the disk of the data folder.", disk.total),
        ):
            yield GaugeMetricFamily(f"musicconnect_data_disk_{name}_bytes", told, value=value)
        self._look()
        if self._ends_at is not None:
            yield GaugeMetricFamily(
                "musicconnect_certificate_ends_timestamp_seconds",
                "When the certificate ends that is shown at the public address.",
                value=self._ends_at,
            )

    def _look(self) -> None:
        if self._host is None or time.monotonic() - self._looked_at < LOOKED_EVERY_S:
            return
        self._looked_at = time.monotonic()
        # Nobody waits for it: the next who asks is told.
        threading.Thread(target=self._read_certificate, name="certificate", daemon=True).start()

    def _read_certificate(self) -> None:
        try:
            shown = ssl.get_server_certificate((str(self._host), self._port), timeout=PATIENCE_S)
            self._ends_at = x509.load_pem_x509_certificate(shown.encode()).not_valid_after_utc.timestamp()
        except (OSError, ValueError) as error:
            # What was seen before still ends when it ends.
            log.warning("the certificate of the public address cannot be seen", extra={"why": str(error)})


def sample() -> None:
    """Count the connections of this process, again and again, in a thread of its own."""

    def count() -> None:
        while True:
            for state, number in database.connections().items():
                measures.DATABASE_CONNECTIONS.labels(state).set(number)
            time.sleep(SAMPLED_EVERY_S)

    threading.Thread(target=count, name="connections", daemon=True).start()
