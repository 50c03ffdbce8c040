"""What messages about memberships that are paid for say."""

from appliance.errors import N_
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

SEE = N_("See your membership")
MEND = N_("Mend the payment")
HOW = N_("How to pay")
PAID_ALREADY = N_(
    "If you have paid already, you need not do anything: it counts as soon as somebody has seen it."
)
NO_CARD = N_("Your card is changed on the page of the payment provider; we never see it.")

declare(
    Kind(
        "membership_welcome",
        N_("You are a member of {artist}"),
        (
            N_("Thank you: you are a member of {artist} at {collective} now, in the tier {tier}."),
            N_("The next payment, {price}, is on {day}."),
        ),
        button=SEE,
        after=(N_("There you can change or cancel it at any time."),),
    )
)
declare(
    Kind(
        "membership_late",
        N_("Your payment for {artist} arrived after all"),
        (
            N_(
                "You had begun to join {artist} at {collective}, and when nothing was paid in time, that was given up."
            ),
            N_("Now your payment has arrived. Thank you: you are a member in the tier {tier}."),
            N_("The next payment, {price}, is on {day}."),
        ),
        button=SEE,
        after=(N_("If you no longer want it, cancel it there."),),
    )
)
declare(
    Kind(
        "membership_twice",
        N_("Your second payment for {artist} goes back"),
        (
            N_(
                "A payment for a membership of {artist} at {collective} arrived that had been given up, since nothing was paid in time."
            ),
            N_(
                "You are a member by another payment already. So this one is ended within the hour, and its money goes back."
            ),
        ),
        button=SEE,
        after=(N_("How soon the money is there is up to your bank."),),
    )
)
declare(
    Kind(
        "membership_changed",
        N_("Your membership of {artist} has changed"),
        (
            N_("As you agreed, you are in the tier {tier} of {artist} now."),
            N_("Charged for it: {paid}. The next payment, {price}, is on {day}."),
        ),
        button=SEE,
    )
)
declare(
    Kind(
        "membership_will_change",
        N_("Your membership of {artist} will change"),
        (
            N_("As you agreed, you are in the tier {tier} of {artist} from {day} on, for {price}."),
            N_("Until then all stays as it is, and nothing is charged."),
        ),
        button=SEE,
    )
)
declare(
    Kind(
        "membership_cancelled",
        N_("Your membership of {artist} is cancelled"),
        (N_("You stay a member of {artist} until {day}. Nothing more is charged."),),
        button=SEE,
        after=(N_("Until then you can think again, on the same page."),),
    )
)
declare(
    Kind(
        "membership_ended",
        N_("Your membership of {artist} is over"),
        (
            N_("You are no longer a member of {artist}, and nothing more is charged."),
            N_("You go on hearing what everybody hears, and you can join again whenever you like."),
        ),
        button=SEE,
    )
)
declare(
    Kind(
        "membership_asked",
        N_("The next payment for {artist}: until {day}"),
        (
            N_(
                "Your membership of {artist} at {collective}, in the tier {tier}, goes on when you pay {price} until {day}."
            ),
            N_("Give this reference with it: it is how your payment is found."),
        ),
        button=HOW,
        code="reference",
        after=(
            N_("If you no longer want it, cancel it on the page of your membership, and nothing is asked."),
        ),
    )
)
declare(
    Kind(
        "membership_unpaid_first",
        N_("A payment for {artist} did not arrive"),
        (
            N_("The payment of {price} for your membership of {artist} did not arrive."),
            N_("You stay a member until {day}. Please pay by then, with this reference."),
        ),
        button=HOW,
        code="reference",
        after=(PAID_ALREADY,),
    )
)
declare(
    Kind(
        "membership_unpaid_second",
        N_("The payment for {artist} is still due"),
        (
            N_("The payment of {price} for your membership of {artist} has still not arrived."),
            N_("If you do not pay by {day}, you hear what everybody hears from then on."),
        ),
        button=HOW,
        code="reference",
        after=(PAID_ALREADY,),
    )
)
declare(
    Kind(
        "membership_unpaid_last",
        N_("Your membership of {artist} rests"),
        (
            N_("The payment of {price} for your membership of {artist} has not arrived in a week."),
            N_(
                "From now on you hear what everybody hears. As soon as your payment is here, you are a member again."
            ),
        ),
        button=HOW,
        code="reference",
        after=(PAID_ALREADY,),
    )
)
declare(
    Kind(
        "membership_due_first",
        N_("A payment for {artist} did not arrive"),
        (
            N_("The payment of {price} for your membership of {artist} did not arrive."),
            N_("You stay a member until {day}. Please look whether your card still holds."),
        ),
        button=MEND,
        after=(NO_CARD,),
    )
)
declare(
    Kind(
        "membership_due_second",
        N_("The payment for {artist} is still due"),
        (
            N_("The payment of {price} for your membership of {artist} has still not arrived."),
            N_("If it is not mended by {day}, you hear what everybody hears from then on."),
        ),
        button=MEND,
        after=(NO_CARD,),
    )
)
declare(
    Kind(
        "membership_due_last",
        N_("Your membership of {artist} rests"),
        (
            N_("The payment of {price} for your membership of {artist} has not arrived in a week."),
            N_(
                "From now on you hear what everybody hears. Mend the payment, and you are a member again at once."
            ),
        ),
        button=MEND,
        after=(NO_CARD,),
    )
)
