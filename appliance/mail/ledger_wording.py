"""What messages about shares and about the books say."""

from appliance.errors import N_
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

declare(
    Kind(
        "split_agreed",
        N_("{artist} shares with {payee} at {collective}"),
        (
            N_("{artist} has made an agreement at {collective}: {payee} gets {share} % of “{title}”."),
            N_("You find every cent of it in the statement of {payee}, in the studio under “Money”."),
        ),
        after=(N_("If you know nothing of it, talk to {artist}, or to the collective."),),
    )
)
declare(
    Kind(
        "books_differ",
        N_("The books of {collective} do not add up"),
        (
            N_("The nightly check of the books found what does not fit together. Differences: {count}."),
            N_("The first: {first}"),
            N_("Run “musicconnect ledger check” on the server to see all of them."),
        ),
        after=(N_("This message comes once a day as long as it lasts."),),
    )
)
