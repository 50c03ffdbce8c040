"""What the audit trail keeps as dotted words, as people say it."""

from flask_babel import lazy_gettext as _

from appliance.accounts.audit import Action

TOLD = {
    Action.SIGN_IN: _("Signed in"),
    Action.SIGN_IN_FAILED: _("Could not sign in"),
    Action.STEP_UP_FAILED: _("Could not show again who they are"),
    Action.SESSION_REVOKED: _("Signed a device out"),
    Action.PERSON_REGISTERED: _("Joined"),
    Action.ADDRESS_CONFIRMED: _("Confirmed an e-mail address"),
    Action.ADDRESS_CHANGED: _("Changed the e-mail address"),
    Action.CREDENTIAL_CHANGED: _("Changed the password"),
    Action.CREDENTIAL_RECOVERED: _("Recovered the password"),
    Action.TOTP_ADDED: _("Added an authenticator app"),
    Action.TOTP_REMOVED: _("Removed the authenticator app"),
    Action.PASSKEY_ADDED: _("Added a passkey"),
    Action.PASSKEY_REMOVED: _("Removed a passkey"),
    Action.RECOVERY_CODES_RENEWED: _("Made new recovery codes"),
    Action.RECOVERY_CODE_USED: _("Used a recovery code"),
    Action.SECOND_FACTOR_RESET: _("Took away somebody's second factors"),
    Action.DEVICE_TRUSTED: _("Trusted a device"),
    Action.DEVICE_FORGOTTEN: _("Trusted a device no more"),
    Action.SETUP_FINISHED: _("Set the collective up"),
    Action.SETTINGS_CHANGED: _("Changed the collective"),
    Action.PLUGIN_CHANGED: _("Changed a plugin"),
    Action.ROLE_GRANTED: _("Gave a role"),
    Action.ROLE_REVOKED: _("Took a role"),
    Action.PERSON_CREATED: _("Made an account"),
    Action.PERSON_DEACTIVATED: _("Closed an account"),
    Action.PERSON_ACTIVATED: _("Opened an account again"),
    Action.TOKEN_MINTED: _("Made a token"),
    Action.TOKEN_REVOKED: _("Took a token back"),
    Action.SIGNED_OUT_EVERYWHERE: _("Signed out everywhere"),
    Action.ARTIST_CREATED: _("Made an artist"),
    Action.ARTIST_CHANGED: _("Changed an artist"),
    Action.ARTIST_HANDED_OVER: _("Handed an artist over"),
    Action.ARTIST_REMOVED: _("Removed an artist"),
    Action.MEMBER_INVITED: _("Invited somebody"),
    Action.MEMBER_JOINED: _("Joined an artist"),
    Action.MEMBER_CHANGED: _("Changed a role at an artist"),
    Action.MEMBER_REMOVED: _("Removed somebody from an artist"),
    Action.INVITATION_DECLINED: _("Declined an invitation"),
    Action.INVITATION_REVOKED: _("Took an invitation back"),
    Action.RELEASE_SCHEDULED: _("Scheduled a release"),
    Action.RELEASE_PUBLISHED: _("Published a release"),
    Action.RELEASE_WITHDRAWN: _("Withdrew a release"),
    Action.RELEASE_REMOVED: _("Removed a release"),
    Action.FEATURED_ADDED: _("Featured a release"),
    Action.FEATURED_CHANGED: _("Changed what is featured"),
    Action.FEATURED_REMOVED: _("Featured a release no more"),
    Action.JOB_RETRIED: _("Tried a job again"),
    Action.MAIL_READ: _("Read a message in the outbox"),
    Action.TRAIL_SEALED: _("Sealed the audit trail"),
    Action.IDENTITY_LINKED: _("Linked an account elsewhere"),
    Action.IDENTITY_UNLINKED: _("Unlinked an account elsewhere"),
}


def told(action: str) -> str:
    """The act in words; one of a plugin, or of a version to come, as it is kept."""
    return str(TOLD[Action(action)]) if action in set(Action) else action
