"""Payment providers as plugins bring them: one that fails takes nothing else along."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest

from appliance import hooks
from appliance import processors
from appliance.payments import Feature
from appliance.shop import prices
from tests.makers import NOW
from tests.tills import Till


class Broken(Till):
    """A provider that raises where it is asked what it is, or what it takes."""

    def __init__(self, now: datetime, *fails: str) -> None:
        super().__init__(now, name="broken")
        self.fails = fails

    def minimum_minor(self, currency: str) -> int | None:
        if "minimum_minor" in self.fails:
            raise RuntimeError("No configuration.")
        return super().minimum_minor(currency)

    def __getattribute__(self, name: str) -> object:
        said = super().__getattribute__
        if name in {"name", "label", "features"} and name in said("__dict__").get("fails", ()):
            raise RuntimeError("No configuration.")
        return said(name)


@pytest.mark.parametrize("failing", ["minimum_minor", "name", "label", "features"])
def test_a_provider_that_fails_keeps_no_other_from_being_offered(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def announce(hook: str) -> list[tuple[Till, ...]]:
        return [(Broken(NOW, failing), Till(NOW))]

    monkeypatch.setattr(hooks, "announce", announce)
    ways = processors.offering(Feature.ONE_OFF, currency="EUR", amount_minor=1000)
    assert [way.name for way in ways] == ["till"]
    assert prices.least_minor("EUR") == 50


def test_a_page_does_not_wait_for_a_provider_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    class Hanging(Till):
        def minimum_minor(self, currency: str) -> int | None:
            over.wait()
            return 1

    monkeypatch.setattr(hooks, "announce", lambda hook: [(Hanging(NOW, name="hanging"), Till(NOW))])
    monkeypatch.setattr(processors, "GLANCE_S", 0.5)
    try:
        assert [
            way.name for way in processors.offering(Feature.ONE_OFF, currency="EUR", amount_minor=9)
        ] == []
        assert prices.least_minor("EUR") == 50
    finally:
        over.set()
