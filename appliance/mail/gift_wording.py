"""What messages about a gift say."""

from appliance.errors import N_
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

SUBJECT = N_("{by} gives you a membership of {artist}")
WHAT = N_("{by} gives you a membership of {artist} at {collective}: {tier}, {time}.")
HOW = N_("Open the page below, sign in or open an account, and it begins. Nothing is charged, then or later.")
CODE_TOO = N_("Or type the code on the page where codes are redeemed. It holds until {day}.")
WHOSE = N_("The gift is for whoever redeems it first: keep the code to yourself.")

declare(
    Kind("gift", SUBJECT, (WHAT, HOW), button=N_("Redeem the gift"), code="code", after=(CODE_TOO, WHOSE))
)
declare(
    Kind(
        "gift_with_words",
        SUBJECT,
        (WHAT, N_("They write: “{message}”"), HOW),
        button=N_("Redeem the gift"),
        code="code",
        after=(CODE_TOO, WHOSE),
    )
)
declare(
    Kind(
        "gift_bought",
        N_("Your gift: a membership of {artist}"),
        (
            N_("Thank you. You paid {total} to {artist} at {collective}."),
            N_("On the page of the order are the code, your receipt, and what became of the gift."),
            N_("There you can also print it, send it again, or send it to another address."),
        ),
        button=N_("Open the order"),
    )
)
declare(
    Kind(
        "gift_redeemed",
        N_("Your gift was redeemed"),
        (N_("The membership of {artist} that you gave away at {collective} was redeemed: {tier}, {time}."),),
        button=N_("Open the order"),
    )
)
declare(
    Kind(
        "gift_begun",
        N_("You are a member of {artist}"),
        (
            N_("You redeemed what {by} gave you at {collective}: {tier} of {artist}, {time}."),
            N_("It counts from {first} and lasts until {day}. Then it ends by itself."),
        ),
        button=N_("Open your account"),
    )
)
