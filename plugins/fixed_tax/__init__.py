"""Taxes that are part of a price, at fixed rates by country; see README.md beside this file."""

from typing import Any

from appliance import hookimpl
from appliance.payments import TaxableSale
from appliance.payments import TaxRate
from appliance.setting import Setting
from plugins.fixed_tax import rates
from plugins.fixed_tax.rates import Table

_table = Table()


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """The rates and what the tax is called."""
    return (
        Setting(
            "rates",
            tuple,
            (),
            "Percent by country, such as DE=19, AT=20, FR=5.5; '*' stands for every other country. Empty: no taxes.",
        ),
        Setting("tax_name", str, "VAT", "What the tax is called on receipts."),
        Setting(
            "tip_rates",
            tuple,
            (),
            "The same for gifts to an artist; empty: they are not taxed.",
        ),
        Setting(
            "home_country",
            str,
            "",
            "Where the collective is: businesses with a VAT number from elsewhere pay the tax themselves. Empty: everybody is taxed.",
            pattern=r"([A-Z]{2})?",
            form="two letters, such as DE",
        ),
    )


@hookimpl
def plugin_start(values: dict[str, Any]) -> bool | None:
    """Read the rates; without any there is nothing to do."""
    global _table
    _table = Table(
        name=str(values["tax_name"]),
        sales=rates.read(values["rates"], field="rates"),
        tips=rates.read(values["tip_rates"], field="tip_rates"),
        home=str(values["home_country"]),
    )
    return None if _table.sales or _table.tips else False


@hookimpl
def tax_rate(sale: TaxableSale) -> TaxRate | None:
    """The rate of the buyer's country, if it has one."""
    return _table.rate_for(sale)
