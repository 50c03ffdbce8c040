"""Stripe, as the contract of every provider has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.provider_contract import ProviderContract
from tests.plugins.stripe_stand import StripeStand
from tests.plugins.stripe_stand import standing
from tests.servers import stripe


@pytest.fixture(scope="module")
def fake() -> Iterator[stripe.FakeStripe]:
    with stripe.serving() as running:
        yield running


@pytest.fixture
def stand(fake: stripe.FakeStripe, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStand]:
    with standing(fake, monkeypatch) as stand:
        yield stand


class TestStripePayments(ProviderContract):
    """The suite, as the plugin answers it in front of the fake."""
