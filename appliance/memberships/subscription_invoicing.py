"""Whom the receipts of a membership are for, and where they are, which decides the tax in it."""

from dataclasses import dataclass
from datetime import datetime

from appliance import taxation
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.database import transaction
from appliance.memberships.subscription_models import Subscription

LONGEST_NAME, LONGEST_ADDRESS = 200, 500


@dataclass(frozen=True, slots=True)
class Invoiced:
    """What stands on receipts beside the address of the account: the country, a business's number, and a name and an address if they like."""

    country: str = ""
    business_number: str = ""
    name: str = ""
    address: str = ""

    def checked(self) -> "Invoiced":
        """The same as it is kept; ``Invalid`` for what cannot be taken, such as no country where the tax depends on it."""
        code = taxation.country(self.country)
        if taxation.are_asked():
            taxation.require_country(code)
        return Invoiced(
            code,
            taxation.business_number(self.business_number),
            clean_line(self.name, field="buyer_name", longest=LONGEST_NAME, required=False),
            clean_text(self.address, field="buyer_address", longest=LONGEST_ADDRESS),
        )

    def columns(self) -> dict[str, str]:
        """As the row of a subscription has them."""
        return {
            "country": self.country,
            "business_number": self.business_number,
            "buyer_name": self.name,
            "buyer_address": self.address,
        }


NOBODY = Invoiced()


def change(row: Subscription, invoiced: Invoiced, *, now: datetime) -> None:
    """Let this stand on the receipts of payments to come; what was shown of a change of tier meanwhile still holds."""
    columns = invoiced.checked().columns()
    with transaction():
        Subscription.update(updated_at=now, **columns).where(Subscription.id == row.id).execute()
