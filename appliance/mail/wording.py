"""What each kind of message says: literal sentences with named facts, from which the text and the HTML are made alike.

These sentences are translated in a catalogue of their own, ``translations/<language>/LC_MESSAGES/mail.po``; ``make texts`` gathers them.
"""

from dataclasses import dataclass

from appliance.errors import N_


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message; every sentence may name facts, such as ``{artist}``.

    *button* leads to the fact ``link``, which must then be given; *code* names the fact that is shown large, to be typed elsewhere.
    *after* stands small below. The fact ``collective`` is in every message.
    """

    name: str
    subject: str
    lines: tuple[str, ...]
    button: str = ""
    code: str = ""
    after: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {}
"""Every kind there is, by its name."""


def declare(kind: Kind) -> Kind:
    """Make *kind* known; a plugin declares its own when it starts."""
    KINDS[kind.name] = kind
    return kind


ENDING = N_("Sent by {collective}, because somebody used this address there. Nobody reads answers to it.")
"""Stands below every message."""
NOT_YOU = N_("If this was not you, you need not do anything.")

declare(
    Kind(
        "test",
        N_("A test from {collective}"),
        (N_("This server can send mail. You asked for this message, and it came."),),
    )
)
declare(
    Kind(
        "identity_linked",
        N_("Another account opens yours at {collective}"),
        (N_("An account at {label} can sign in to your account at {collective} from now on."),),
        after=(
            N_(
                "If this was not you, sign in, unlink it on the page of your account, and choose another password."
            ),
        ),
    )
)
declare(
    Kind(
        "identity_unlinked",
        N_("An account elsewhere opens yours at {collective} no more"),
        (N_("The account at {label} can sign in to your account at {collective} no more."),),
        after=(N_("If this was not you, choose another password."),),
    )
)
declare(
    Kind(
        "artist_invitation",
        N_("{by} invites you to work on {artist}"),
        (
            N_("{by} invites you to work on {artist} at {collective}."),
            N_("Open the page below to accept or to decline. The invitation ends on {until}."),
        ),
        button=N_("Look at the invitation"),
        after=(N_("The link is for you alone. Who does not know {by} need not do anything."),),
    )
)
declare(
    Kind(
        "payout_account_changed",
        N_("{artist} is paid to another account"),
        (N_("From now on {artist} is paid to the account {account}."),),
        after=(
            N_(
                "If this was none of you, somebody else is in an account: change your password, and tell the collective at once."
            ),
        ),
    )
)
