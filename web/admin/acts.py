"""What the audit trail keeps as dotted words, as people say it."""

from flask_babel import lazy_gettext as _

from appliance.accounts.audit import Action

TOLD = {
    Action.SIGN_IN: _("Signed in"),
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
    Action.TIER_ADDED: _("Added a tier"),
    Action.TIER_CHANGED: _("Changed a tier"),
    Action.TIER_ARCHIVED: _("Archived a tier"),
    Action.TIER_RESTORED: _("Took a tier out of the archive"),
    Action.MEMBERSHIP_GRANTED: _("Gave a membership"),
    Action.MEMBERSHIP_CHANGED: _("Changed a membership"),
    Action.MEMBERSHIP_ENDED: _("Ended a membership"),
    Action.TAKEN_DOWN: _("Took something down"),
    Action.TAKEDOWN_LIFTED: _("Gave back what was taken down"),
    Action.FEATURED_ADDED: _("Featured a release"),
    Action.FEATURED_CHANGED: _("Changed what is featured"),
    Action.FEATURED_REMOVED: _("Featured a release no more"),
    Action.JOB_RETRIED: _("Tried a job again"),
}


def told(action: str) -> str:
    """The act in words; one of a plugin, or of a version to come, as it is kept."""
    return str(TOLD[Action(action)]) if action in set(Action) else action
