"""What messages about one's account say."""

from appliance.errors import N_
from appliance.mail.wording import NOT_YOU
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

SECURE = N_(
    "If this was not you, somebody else is in your account: recover your password at once, and sign out everywhere."
)

declare(
    Kind(
        "confirm_address",
        N_("Confirm your address at {collective}"),
        (N_("Welcome to {collective}. One step is left: show that this address is yours."),),
        button=N_("Confirm my address"),
        after=(N_("The link works for {days} days."), NOT_YOU),
    )
)
declare(
    Kind(
        "address_known",
        N_("You have an account at {collective} already"),
        (
            N_("Somebody, probably you, wanted to open an account with this address. There is one already."),
            N_("Sign in with its password, or choose a new one if you have forgotten it."),
        ),
        button=N_("Choose a new password"),
        after=(N_("The link works for {hours} hours."), NOT_YOU),
    )
)
declare(
    Kind(
        "recover_password",
        N_("Choose a new password for {collective}"),
        (N_("Somebody, probably you, has forgotten the password of this account."),),
        button=N_("Choose a new password"),
        after=(N_("The link works once, for {hours} hours."), NOT_YOU),
    )
)
declare(
    Kind(
        "password_changed",
        N_("Your password was changed"),
        (
            N_(
                "The password of your account at {collective} was changed, and all other devices were signed out."
            ),
        ),
        after=(SECURE,),
    )
)
declare(
    Kind(
        "confirm_new_address",
        N_("Confirm your new address at {collective}"),
        (N_("Your account at {collective} is to use this address. Show that it is yours."),),
        button=N_("Use this address"),
        after=(N_("The link works for {hours} hours."), NOT_YOU),
    )
)
declare(
    Kind(
        "address_taken",
        N_("This address has an account at {collective} already"),
        (
            N_(
                "Somebody, probably you, wanted to use this address for another account. It has one already, so nothing was changed."
            ),
        ),
        after=(NOT_YOU,),
    )
)
declare(
    Kind(
        "address_changed",
        N_("Your account has a new address"),
        (N_("Your account at {collective} uses {address} from now on, and no longer this address."),),
        after=(N_("If this was not you, somebody else is in your account: ask the collective for help."),),
    )
)
for name, subject, line in (
    (
        "authenticator_added",
        N_("An authenticator app was added"),
        N_("An authenticator app is now the second factor of your account at {collective}."),
    ),
    (
        "authenticator_removed",
        N_("The authenticator app was removed"),
        N_("Your account at {collective} no longer asks for the codes of an authenticator app."),
    ),
    (
        "passkey_added",
        N_("A passkey was added"),
        N_("The passkey “{passkey}” now opens your account at {collective}."),
    ),
    (
        "passkey_removed",
        N_("A passkey was removed"),
        N_("The passkey “{passkey}” no longer opens your account at {collective}."),
    ),
    (
        "recovery_codes_renewed",
        N_("There are new recovery codes"),
        N_("Your account at {collective} has new recovery codes; the ones before work no more."),
    ),
    (
        "second_factor_reset",
        N_("Your second factors were removed"),
        N_("An operator of {collective} removed the second factors of your account. Set one up again."),
    ),
    (
        "recovery_code_used",
        N_("A recovery code was used"),
        N_("Somebody signed in to your account at {collective} with a recovery code. Codes left: {left}."),
    ),
):
    declare(Kind(name, subject, (line,), after=(SECURE,)))
