"""What messages say that a receipt of a membership, or a credit note, goes with."""

from appliance.errors import N_
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

SEE = N_("See all your papers")

declare(
    Kind(
        "membership_receipt",
        N_("Your receipt {number} from {artist}"),
        (
            N_("Thank you. You paid {total} for {tier} of {artist} at {collective}."),
            N_("The receipt goes with this letter, and lies on the page of your membership."),
        ),
        button=SEE,
    )
)
declare(
    Kind(
        "credit_note",
        N_("Credit note {number} for your receipt {receipt}"),
        (
            N_("Of what you paid to {artist} at {collective}, {total} went back."),
            N_("The credit note that goes with this letter corrects your receipt {receipt}; keep both."),
        ),
        button=SEE,
        after=(N_("How soon the money is there is up to your bank."),),
    )
)
declare(
    Kind(
        "credit_note_taken_back",
        N_("Your receipt {receipt} holds again"),
        (
            N_(
                "{total} of what you paid to {artist} at {collective} were to go back, but did not: the refund failed, or your bank decided so."
            ),
            N_(
                "The paper that goes with this letter, {number}, takes that credit note back; keep all of them."
            ),
        ),
        button=SEE,
    )
)
