"""Taxes at fixed rates by country."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.errors import Invalid
from appliance.payments import TaxableSale
from plugins import fixed_tax

NOTHING = {"rates": (), "tip_rates": (), "tax_name": "VAT", "home_country": ""}


@pytest.fixture(autouse=True)
def rests() -> Iterator[None]:
    yield
    fixed_tax.plugin_start(values=NOTHING)


def rate(country: str, kind: str = "digital", number: str = "") -> int:
    found = fixed_tax.tax_rate(sale=TaxableSale(kind, country, 1000, "EUR", number))
    return found.rate_bps if found else 0


def test_it_rests_without_rates() -> None:
    assert fixed_tax.plugin_start(values=NOTHING) is False
    assert rate("DE") == 0


def test_each_country_has_its_rate() -> None:
    values = {**NOTHING, "rates": ("DE=19", "fr = 5.5", "CH=8.1", "XK=0"), "tip_rates": ("DE=7",)}
    assert fixed_tax.plugin_start(values=values) is None
    assert [rate(country) for country in ("DE", "FR", "CH", "XK", "US", "")] == [1900, 550, 810, 0, 0, 0]
    assert (rate("DE", "tip"), rate("FR", "tip"), rate("DE", "goods")) == (700, 0, 1900)


def test_a_star_stands_for_every_other_country() -> None:
    fixed_tax.plugin_start(values={**NOTHING, "rates": ("DE=19", "*=10")})
    assert (rate("DE"), rate("US"), rate("")) == (1900, 1000, 1000)


def test_a_business_from_elsewhere_pays_its_tax_itself() -> None:
    fixed_tax.plugin_start(values={**NOTHING, "rates": ("DE=19", "FR=20"), "home_country": "DE"})
    assert (rate("FR", number="FR12"), rate("DE", number="DE12"), rate("FR")) == (0, 1900, 2000)
    assert [rate("FR", number=wrong) for wrong in ("ABC", "DE123456789", "FR", "FRAUD")] == [2000] * 4
    assert (rate("FR", number="FR 12-3"), rate("GR", number="EL123"), rate("GR")) == (0, 0, 0)


@pytest.mark.parametrize("wrong", ["DE", "Germany=19", "DE=-1", "DE=101", "DE=1.234", "DE=19%", ""])
def test_a_rate_that_is_none_is_refused_with_what_it_says(wrong: str) -> None:
    with pytest.raises(Invalid, match="is no rate"):
        fixed_tax.plugin_start(values={**NOTHING, "rates": (wrong,)})


def test_a_country_that_is_named_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="names DE twice"):
        fixed_tax.plugin_start(values={**NOTHING, "rates": ("DE=19", "de=7")})
