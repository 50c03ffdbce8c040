"""A till in memory, and somebody who pays there."""

import pytest

from appliance import processors
from appliance.startup import Appliance
from tests.makers import NOW
from tests.tills import Till


@pytest.fixture
def till(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Till:
    """The only payment provider there is."""
    made = Till(NOW)
    monkeypatch.setattr(processors, "every", lambda: (made,))
    return made
