"""Prices as people write them."""

import pytest

from appliance import currencies
from appliance.errors import Invalid


@pytest.mark.parametrize(
    ("text", "code", "amount"),
    [("5", "EUR", 500), ("5,5", "EUR", 550), ("0.07", "EUR", 7), ("500", "JPY", 500), ("1.005", "KWD", 1005)],
)
def test_a_price_is_read_as_one_writes_it(text: str, code: str, amount: int) -> None:
    assert currencies.minor(text, code) == amount
    assert currencies.minor(currencies.written(amount, code), code) == amount


@pytest.mark.parametrize("text", ["", "five", "-1", "5.001", "1e3", "5.", "٥", "1.2.3"])
def test_what_is_no_price_is_told_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match=r"5\.00"):
        currencies.minor(text, "EUR")


def test_what_is_too_large_is_told_so_and_not_to_be_written_otherwise() -> None:
    assert currencies.minor("999999999", "EUR") == 99_999_999_900
    for text in ("1000000000", "1000000000000", "9" * 1_000_000, "1000000000000,50"):
        with pytest.raises(Invalid, match="too large"):
            currencies.minor(text, "EUR")
