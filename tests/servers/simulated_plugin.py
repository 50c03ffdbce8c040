"""The simulated provider as a plugin of a real node: it tells what the bodies of its events hold, so it needs no memory.

``installed`` makes a folder that, in ``PYTHONPATH``, makes it an installed plugin.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from appliance import hookimpl
from tests.servers.simulated_provider import SimulatedProvider

ROOT = Path(__file__).parents[2]


@hookimpl
def payment_providers() -> Sequence[SimulatedProvider]:
    """The provider itself, under the name it has in tests."""
    return [SimulatedProvider()]


def installed(folder: Path) -> str:
    """What ``PYTHONPATH`` must be for a node to have this plugin."""
    described = folder / "simulated_payments-0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: simulated_payments\nVersion: 0\n")
    (described / "entry_points.txt").write_text(
        "[musicconnect]\nsimulated_payments = tests.servers.simulated_plugin\n"
    )
    return f"{ROOT}:{folder}"
