"""A simulated provider, and something to sell, for every test of billing."""

from collections.abc import Iterator

import pytest

from appliance import processors
from appliance.startup import Appliance
from tests.servers import simulated_sales
from tests.servers.simulated_provider import SimulatedProvider


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def provider(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedProvider]:
    """The only provider there is."""
    made = SimulatedProvider()
    monkeypatch.setattr(processors, "every", lambda: (made,))
    with simulated_sales.open_for_business():
        yield made
