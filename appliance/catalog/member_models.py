"""Who stands behind an artist: members, invitations, and the addresses the artist had before."""

from enum import StrEnum

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class MemberRole(StrEnum):
    """What a person may do for an artist, least first.

    A contributor edits drafts, uploads and hears; a manager also publishes and cares for the page; the owner also decides about people.
    """

    CONTRIBUTOR = "contributor"
    MANAGER = "manager"
    OWNER = "owner"


INVITABLE = (MemberRole.CONTRIBUTOR, MemberRole.MANAGER)
"""Roles one can be invited as: an artist has exactly one owner, and becomes another's by transfer alone."""


class Outcome(StrEnum):
    """How an invitation ended; an empty text while it waits."""

    OPEN = ""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"


class ArtistMember(Base):
    """A person works on an artist; the row of the owner says the same as ``artist.owner``, so that one query finds all."""

    id: int
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", index=False, backref="members")
    artist_id: str
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", backref="memberships")
    user_id: str
    role = peewee.CharField(max_length=12)
    since = UtcDateTimeField()

    class Meta:
        indexes = ((("artist", "user"), True),)


class Invitation(Identified):
    """Somebody is asked by e-mail address to join an artist; the link's token is kept as its SHA-256 alone."""

    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", index=False)
    artist_id: str
    email = peewee.CharField(max_length=254)
    role = peewee.CharField(max_length=12)
    digest = peewee.CharField(max_length=64, unique=True)
    invited_by = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL")
    created_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    closed_at = UtcDateTimeField(null=True)
    outcome = peewee.CharField(max_length=10, default=Outcome.OPEN)

    class Meta:
        indexes = ((("artist", "closed_at"), False), (("email", "closed_at"), False))


class ArtistAddress(Base):
    """An address an artist had before: it leads to the present one, and nobody else gets it."""

    slug = peewee.CharField(max_length=60, primary_key=True)
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", backref="addresses")
    artist_id: str
    left_at = UtcDateTimeField()


# The database itself refuses a second owner, and a second open invitation of the same person.
ArtistMember.add_index(
    ArtistMember.index(
        ArtistMember.artist,
        unique=True,
        where=(ArtistMember.role == MemberRole.OWNER),
        name="artist_member_owner",
    )
)
Invitation.add_index(
    Invitation.index(
        Invitation.artist,
        Invitation.email,
        unique=True,
        where=Invitation.closed_at.is_null(),
        name="invitation_open",
    )
)
