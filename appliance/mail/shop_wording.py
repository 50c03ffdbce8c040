"""What messages about an order say."""

from appliance.errors import N_
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

ACCOUNT = N_("Without an account? Open one with this address, and everything you bought with it is there.")
CREDIT_NOTE = N_("The credit note that goes with this letter corrects your receipt {receipt}; keep both.")

declare(
    Kind(
        "order_paid",
        N_("Your order from {artist}"),
        (
            N_("Thank you. You paid {total} to {artist} at {collective}."),
            N_("Your music and your receipt are on the page of the order."),
        ),
        button=N_("Open the order"),
        after=(ACCOUNT,),
    )
)
declare(
    Kind(
        "order_paid_late",
        N_("Your payment to {artist} arrived after all"),
        (
            N_("Your order from {artist} at {collective} had not been paid in time, so it was given up."),
            N_("Now your payment of {total} has arrived. Thank you: the order stands again, and is paid."),
            N_("What you bought and your receipt are on the page of the order."),
        ),
        button=N_("Open the order"),
        after=(ACCOUNT,),
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
            CREDIT_NOTE,
        ),
        button=N_("Open the order"),
        after=(N_("How soon the money is there is up to your bank."),),
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
declare(
    Kind(
        "goods_paid",
        N_("Your order from {artist}"),
        (
            N_("Thank you. You paid {total} to {artist} at {collective}."),
            N_("You get another message when it is on its way. Your receipt is on the page of the order."),
        ),
        button=N_("Open the order"),
    )
)
declare(
    Kind(
        "goods_ordered",
        N_("Your order from {artist}"),
        (
            N_("Thank you. You ordered from {artist} at {collective}; there is nothing to pay."),
            N_("You get another message when it is on its way. Until then you can change where it goes."),
        ),
        button=N_("Open the order"),
    )
)
declare(
    Kind(
        "goods_refunded",
        N_("Your order from {artist} was refunded"),
        (
            N_("Your order of {total} from {artist} at {collective} was refunded."),
            CREDIT_NOTE,
        ),
        button=N_("Open the order"),
        after=(N_("How soon the money is there is up to your bank."),),
    )
)
declare(
    Kind(
        "goods_gone",
        N_("Your order from {artist} is sold out"),
        (
            N_(
                "Your payment of {total} to {artist} at {collective} came after your order had been given up, and what you ordered is sold out meanwhile. We are sorry."
            ),
            N_("You get all of your money back; nothing is sent."),
        ),
        button=N_("Open the order"),
    )
)
declare(
    Kind(
        "goods_without_address",
        N_("Where shall your order from {artist} go?"),
        (
            N_(
                "Your payment of {total} to {artist} at {collective} came after your order had been given up, so its address was erased. What you ordered is kept for you."
            ),
            N_("Write the address on the page of the order, and it is sent."),
        ),
        button=N_("Open the order"),
    )
)
declare(
    Kind(
        "goods_sent",
        N_("Your order from {artist} is on its way"),
        (N_("{artist} at {collective} has sent your order."), N_("Tracking: {tracking}")),
        button=N_("Open the order"),
    )
)
declare(
    Kind(
        "goods_sent_untracked",
        N_("Your order from {artist} is on its way"),
        (N_("{artist} at {collective} has sent your order."),),
        button=N_("Open the order"),
    )
)
