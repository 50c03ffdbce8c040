"""The cards and banks of the demo, chosen by name: no number is ever typed."""

from dataclasses import dataclass
from enum import StrEnum

from appliance.errors import N_
from appliance.errors import Conflict


@dataclass(frozen=True, slots=True)
class Card:
    """How a card behaves: whether it pays at the till, and later on; *country* is where it is from."""

    label: str
    at_till: bool = True
    later: bool = True
    country: str = "DE"


class Bank(StrEnum):
    """How the bank of a payee behaves."""

    GOOD = "good"
    REFUSES = "refuses"
    ASKS = "asks"


CARDS = {
    "good": Card(N_("A card that works")),
    "abroad": Card(N_("A card from France that works"), country="FR"),
    "declined": Card(N_("A card that is declined"), at_till=False, later=False),
    "runs_out": Card(N_("A card that works once and is declined later"), later=False),
}
BANKS = {
    Bank.GOOD: N_("A bank account that works"),
    Bank.REFUSES: N_("A bank account that sends payouts back"),
    Bank.ASKS: N_("A bank that wants to know more first"),
}


class Declined(Conflict):
    """The card does not pay."""

    def __init__(self) -> None:
        super().__init__("The card was declined. Choose another one; nothing was charged.")
