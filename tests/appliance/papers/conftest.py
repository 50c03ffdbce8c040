"""A till in memory, an artist whose tiers can be paid for, and short words for what is told of them."""

from __future__ import annotations

import pytest

from appliance import processors
from appliance.catalog.models import Artist
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_artist
from tests.tills import Till


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def till(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Till:
    """The only payment provider there is."""
    made = Till(NOW)
    monkeypatch.setattr(processors, "every", lambda: (made,))
    return made


@pytest.fixture
def artist(till: Till) -> Artist:
    return make_artist()
