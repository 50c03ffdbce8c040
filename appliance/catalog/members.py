"""The people of an artist: listed, given another role, taken off, and the artist handed over.

One owner, always: the row of an artist names its owner, and the member with that role says the same.
"""

from collections.abc import Sequence
from datetime import datetime

from appliance import revocations
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts.audit import Action
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog.member_models import INVITABLE
from appliance.catalog.member_models import ArtistMember
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.prepared import Prepared

MOST_MEMBERS = 100
_role = Prepared(
    lambda user_id, *artist_ids: ArtistMember.select(ArtistMember.artist, ArtistMember.role).where(
        ArtistMember.user == user_id, ArtistMember.artist.in_(artist_ids)
    )
)


def roles_of(user: User, artist_ids: Sequence[str]) -> dict[str, str]:
    """The role this person has with each of these artists, by the artist's id; without those they have nothing to do with."""
    if not artist_ids:
        return {}
    return {row.artist_id: row.role for row in _role(user.id, *artist_ids)}


def of_artist(artist: Artist) -> list[ArtistMember]:
    """Everyone who works on the artist, their account joined: the owner first, then by how long they are there."""
    rows = list(ArtistMember.select(ArtistMember, User).join(User).where(ArtistMember.artist == artist.id))
    ranks = list(MemberRole)
    return sorted(rows, key=lambda row: (-ranks.index(MemberRole(row.role)), row.since, row.id))


def find(artist: Artist, user_id: str) -> ArtistMember:
    """This person as a member of the artist, or ``NotFound``."""
    query = ArtistMember.select(ArtistMember, User).join(User)
    member: ArtistMember | None = query.where(
        ArtistMember.artist == artist.id, ArtistMember.user == user_id
    ).first()
    if member is None:
        raise NotFound("This person is not one of the artist's people.")
    return member


def join(artist: Artist, user: User, role: MemberRole, *, now: datetime) -> None:
    """Make *user* a member; whoever is one already keeps the higher role. For callers within a transaction that hold the artist."""
    known = ArtistMember.get_or_none(ArtistMember.artist == artist.id, ArtistMember.user == user.id)
    ranks = list(MemberRole)
    if known is None:
        if ArtistMember.select().where(ArtistMember.artist == artist.id).count() >= MOST_MEMBERS:
            raise Conflict("An artist has at most {most} people.", most=MOST_MEMBERS)
        ArtistMember.create(artist=artist.id, user=user.id, role=role, since=now)
    elif ranks.index(MemberRole(known.role)) < ranks.index(role):
        ArtistMember.update(role=role).where(ArtistMember.id == known.id).execute()
    people.give_role(user.id, RoleName.ARTIST)


def change_role(artist: Artist, user_id: str, role: str, *, actor: User, now: datetime) -> ArtistMember:
    """Make a member a contributor or a manager; ``Conflict`` for the owner, who hands the artist over instead."""
    wanted = invitable(role)
    with transaction():
        hold(artist)
        member = _not_owner(artist, user_id)
        if member.role != wanted:
            ArtistMember.update(role=wanted).where(ArtistMember.id == member.id).execute()
            revocations.revoke(f"member:{user_id}:{artist.id}", now=now)
            audit.record(
                Action.MEMBER_CHANGED,
                actor=actor.id,
                subject=f"artist:{artist.id}",
                now=now,
                detail={"person": user_id, "before": member.role, "after": wanted},
            )
    return find(artist, user_id)


def remove(artist: Artist, user_id: str, *, actor: User, now: datetime) -> None:
    """Take a member off, who may be *actor* leaving; ``Conflict`` for the owner: an artist is never without one."""
    with transaction():
        hold(artist)
        member = _not_owner(artist, user_id)
        ArtistMember.delete().where(ArtistMember.id == member.id).execute()
        revocations.revoke(f"member:{user_id}:{artist.id}", now=now)
        audit.record(
            Action.MEMBER_REMOVED,
            actor=actor.id,
            subject=f"artist:{artist.id}",
            now=now,
            detail={"person": user_id, "role": member.role, "left": actor.id == user_id},
        )


def transfer(artist: Artist, user_id: str, *, actor: User, now: datetime) -> None:
    """Make another member the owner; the owner until now stays as a manager."""
    with transaction():
        owner_id = hold(artist)
        member = find(artist, user_id)
        if member.role == MemberRole.OWNER:
            raise Conflict("This person owns the artist already.")
        # Whoever asked may have handed it over a moment ago, in another window.
        if actor.id == artist.owner_id and actor.id != owner_id:
            raise Conflict("You do not own this artist any more.")
        # In this order: the database admits one owner at a time.
        ArtistMember.update(role=MemberRole.MANAGER).where(
            ArtistMember.artist == artist.id, ArtistMember.role == MemberRole.OWNER
        ).execute()
        ArtistMember.update(role=MemberRole.OWNER).where(ArtistMember.id == member.id).execute()
        Artist.update(owner=user_id).where(Artist.id == artist.id).execute()
        revocations.revoke(f"member:{owner_id}:{artist.id}", f"member:{user_id}:{artist.id}", now=now)
        audit.record(
            Action.ARTIST_HANDED_OVER,
            actor=actor.id,
            subject=f"artist:{artist.id}",
            now=now,
            detail={"before": owner_id, "after": user_id},
        )


def invitable(role: str) -> MemberRole:
    """*role* as one that can be given; ``Invalid`` for any other."""
    if role not in INVITABLE:
        raise Invalid("Choose what they may do: contributor or manager.", field="role")
    return MemberRole(role)


def hold(artist: Artist) -> str:
    """Make others who would change the people of the artist wait for this transaction; the id of its owner now."""
    # An update that changes nothing takes the lock of the row on PostgreSQL; on SQLite the transaction holds all of it already.
    if not Artist.update(version=Artist.version).where(Artist.id == artist.id).execute():
        raise NotFound("There is no such artist.")
    owner_id: str = Artist.select(Artist.owner).where(Artist.id == artist.id).get().owner_id
    return owner_id


def _not_owner(artist: Artist, user_id: str) -> ArtistMember:
    member = find(artist, user_id)
    if member.role == MemberRole.OWNER:
        raise Conflict("An artist has an owner: hand it over to another person first.")
    return member
