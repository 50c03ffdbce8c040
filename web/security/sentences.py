"""What Flask-Security says to people: its sentences that they meet, and ours in the place of those that would not be understood."""

from appliance.errors import N_

SPOKEN = (
    N_("Email not provided"),
    N_("Invalid email address"),
    N_("Password not provided"),
    N_("Password must be at least %(length)s characters"),
    N_("Passwords do not match"),
    N_("Invalid password"),
    N_("Specified user does not exist"),
    N_("Account is disabled."),
    N_("Email requires confirmation."),
    N_("%(email)s is already associated with an account."),
    N_("Value entered is not valid for the field"),
    N_("You must sign in to view this resource."),
    N_("You do not have permission to view this resource."),
    N_("Please log in to access this page."),
    N_("You can only access this endpoint when not logged in."),
)
"""Its own, as they are."""

LOST = N_("This link does not work any more. Ask for a new one.")

OURS = {
    "GENERIC_AUTHN_FAILED": (
        N_("This e-mail address and this password do not belong together."),
        "error",
    ),
    "CONFIRM_REGISTRATION": (N_("Almost done: a letter is on its way to %(email)s."), "success"),
    "CONFIRMATION_REQUEST": (
        N_("If there is an account to be confirmed, a letter is on its way to %(email)s."),
        "info",
    ),
    "EMAIL_CONFIRMED": (N_("Thank you, your address is confirmed."), "success"),
    "ALREADY_CONFIRMED": (N_("Your address is confirmed already."), "info"),
    "INVALID_CONFIRMATION_TOKEN": (LOST, "error"),
    "CONFIRMATION_EXPIRED": (LOST, "error"),
    "PASSWORD_RESET_REQUEST": (
        N_("If there is an account for it, a letter is on its way to %(email)s."),
        "info",
    ),
    "PASSWORD_RESET_EXPIRED": (LOST, "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (LOST, "error"),
    "PASSWORD_RESET_NO_LOGIN": (
        N_("Your new password is set, and all devices are signed out. Sign in with it."),
        "success",
    ),
    "PASSWORD_CHANGE": (N_("Your new password is set, and all other devices are signed out."), "success"),
    "PASSWORD_IS_THE_SAME": (N_("This is the password you have already."), "error"),
    "CHANGE_EMAIL_SENT": (
        N_("A letter is on its way to %(email)s. Your address changes once you open the link in it."),
        "success",
    ),
    "CHANGE_EMAIL_EXPIRED": (LOST, "error"),
    "CHANGE_EMAIL_CONFIRMED": (N_("Your new address is confirmed; sign in with it from now on."), "success"),
    "API_ERROR": (LOST, "error"),
}
"""Ours, by what it calls its messages."""
