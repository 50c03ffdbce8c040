"""What messages about disputes and payouts say."""

from appliance.errors import N_
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

declare(
    Kind(
        "dispute_opened",
        N_("A payment at {collective} is contested"),
        (
            N_("Somebody says to their bank that they did not make a payment of {amount} by {provider}."),
            N_("It is answered at the provider, until {until}. Until it is decided, the money is held back."),
        ),
        after=(N_("Every dispute stands in the pages of the admins, under “Payments”."),),
    )
)
declare(
    Kind(
        "payout_failed",
        N_("{artist} could not be paid"),
        (
            N_("A payout of {amount} from {collective} to {artist} did not arrive: {problem}"),
            N_("The money is back in the balance. Look at the account in the studio, under “Payouts”."),
        ),
    )
)
