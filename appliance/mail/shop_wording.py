"""What messages about an order say."""

from appliance.errors import N_
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

declare(
    Kind(
        "order_paid",
        N_("Your order from {artist}"),
        (
            N_("Thank you. You paid {total} to {artist} at {collective}."),
            N_("Your music and your receipt are on the page of the order."),
        ),
        button=N_("Open the order"),
        after=(
            N_("Without an account? Open one with this address, and everything you bought with it is there."),
        ),
    )
)
declare(
    Kind(
        "order_refunded",
        N_("Your order from {artist} was refunded"),
        (
            N_(
                "Your order of {total} from {artist} at {collective} was refunded, so what it opened is shut."
            ),
            N_("How soon the money is there is up to your bank."),
        ),
        button=N_("Open the order"),
    )
)
declare(
    Kind(
        "code_redeemed",
        N_("Your music from {artist}"),
        (N_("Your code was redeemed at {collective}: {release} by {artist} is yours."),),
        button=N_("Open the order"),
        after=(
            N_(
                "Without an account? Open one with this address, and everything you redeemed with it is there."
            ),
        ),
    )
)
