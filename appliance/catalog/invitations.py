"""Invitations: somebody is asked by e-mail address to work on an artist, gets a link, and answers once signed in with that address.

The link proves nothing by itself: only the address it was meant for may answer. Nor does an account that was made after the
invitation and whose address nobody confirmed: it needs the link, else whoever guesses an address could register it and walk in.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta

import peewee

from appliance import mail
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog.member_models import ArtistMember
from appliance.catalog.member_models import Invitation
from appliance.catalog.member_models import MemberRole
from appliance.catalog.member_models import Outcome
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotAllowed
from appliance.errors import NotFound

LIFE = timedelta(days=14)
MOST_OPEN = 50


def invite(artist: Artist, email: str, role: str, *, actor: User, now: datetime) -> tuple[Invitation, str]:
    """Ask the person with this address to join; the invitation and the token of its link, which nobody sees again.

    A second invitation of the same person takes the place of the first, whose link ends. ``Invalid`` for an address or role that
    cannot be, ``Conflict`` for somebody who is there already.
    """
    email, wanted = people.address(email), members.invitable(role)
    token = secrets.token_urlsafe(32)
    with transaction():
        members.hold(artist)
        there = ArtistMember.select().join(User).where(ArtistMember.artist == artist.id, User.email == email)
        if there.exists():
            raise Conflict("{email} is one of the artist's people already.", email=email)
        _close(Invitation.artist == artist.id, Invitation.email == email, outcome=Outcome.REVOKED, now=now)
        if _open(now).where(Invitation.artist == artist.id).count() >= MOST_OPEN:
            raise Conflict("At most {most} invitations wait at once.", most=MOST_OPEN)
        made = Invitation.create(
            artist=artist.id,
            email=email,
            role=wanted,
            digest=_digest(token),
            invited_by=actor.id,
            created_at=now,
            expires_at=now + LIFE,
        )
        _note(Action.MEMBER_INVITED, made, actor=actor, now=now)
    return made, token


def invite_by_mail(
    artist: Artist,
    email: str,
    role: str,
    *,
    actor: User,
    link: Callable[[str], str],
    facts: Mapping[str, str],
    locale: str,
    now: datetime,
) -> tuple[Invitation, str, str]:
    """``invite``, and write to them: the invitation, its whole link, and the job of the message, to be sent after the commit.

    *link* makes an address of a token; *facts* say for the message who invites (``by``), until when and the collective's name.
    """
    with transaction():
        made, token = invite(artist, email, role, actor=actor, now=now)
        told = {**facts, "artist": artist.name, "link": link(token)}
        job_id = mail.send("artist_invitation", made.email, facts=told, locale=locale, now=now)
    return made, told["link"], job_id


def find(token: str) -> Invitation:
    """The invitation this link is for, whatever became of it, its artist and who sent it joined; ``NotFound`` for a token that is none."""
    return _one(Invitation.digest == _digest(token))


def by_id(invitation_id: str) -> Invitation:
    """The invitation with this id, as ``find``."""
    return _one(Invitation.id == invitation_id)


def waiting(invitation: Invitation, now: datetime) -> bool:
    """Pure: whether it can still be answered."""
    return invitation.closed_at is None and invitation.expires_at > now


def of_artist(artist: Artist, now: datetime) -> list[Invitation]:
    """Invitations that wait for an answer, the oldest first."""
    return list(
        _open(now).where(Invitation.artist == artist.id).order_by(Invitation.created_at, Invitation.id)
    )


def for_person(user: User, now: datetime) -> list[Invitation]:
    """What waits for the person with this address, its artist joined, the oldest first."""
    query = _open(now).select(Invitation, Artist).join(Artist).where(Invitation.email == user.email)
    return list(query.order_by(Invitation.created_at, Invitation.id))


def is_known(user: User, invitation: Invitation) -> bool:
    """Pure: whether this account stands for its address well enough to answer without the link."""
    return user.confirmed_at is not None or user.created_at <= invitation.created_at


def accept(invitation: Invitation, user: User, *, link_shown: bool, now: datetime) -> Artist:
    """Make *user* one of the artist's people; ``NotAllowed`` for another person, ``Conflict`` when it is too late."""
    with transaction():
        row = _answerable(invitation, user, link_shown=link_shown, now=now)
        members.join(row.artist, user, MemberRole(row.role), now=now)
        _close(Invitation.id == row.id, outcome=Outcome.ACCEPTED, now=now)
        _note(Action.MEMBER_JOINED, row, actor=user, now=now)
    artist: Artist = row.artist
    return artist


def decline(invitation: Invitation, user: User, *, link_shown: bool, now: datetime) -> None:
    """Say no; whoever invited may ask again."""
    with transaction():
        row = _answerable(invitation, user, link_shown=link_shown, now=now)
        _close(Invitation.id == row.id, outcome=Outcome.DECLINED, now=now)
        _note(Action.INVITATION_DECLINED, row, actor=user, now=now)


def revoke(artist: Artist, invitation_id: str, *, actor: User, now: datetime) -> None:
    """Take an invitation back: its link ends. ``NotFound`` when it is not this artist's, or was answered."""
    with transaction():
        members.hold(artist)
        row = by_id(invitation_id)
        mine = (Invitation.id == row.id, Invitation.artist == artist.id)
        if not _close(*mine, outcome=Outcome.REVOKED, now=now):
            raise NotFound("There is no such invitation.")
        _note(Action.INVITATION_REVOKED, row, actor=actor, now=now)


def _answerable(invitation: Invitation, user: User, *, link_shown: bool, now: datetime) -> Invitation:
    """The invitation as it is now, held until the end of the transaction."""
    members.hold(invitation.artist)
    row = by_id(invitation.id)
    if row.email != user.email:
        raise NotAllowed("This invitation is for somebody else.")
    if not link_shown and not is_known(user, row):
        raise NotAllowed("Open the link you were given; it proves that the invitation is for you.")
    if not waiting(row, now):
        raise Conflict("This invitation is over. Ask for a new one.")
    return row


def _one(condition: object) -> Invitation:
    query = Invitation.select(Invitation, Artist).join(Artist).where(condition)
    row: Invitation | None = query.first()
    if row is None:
        raise NotFound("There is no such invitation.")
    return row


def _open(now: datetime) -> peewee.ModelSelect[Invitation]:
    return Invitation.select().where(Invitation.closed_at.is_null(), Invitation.expires_at > now)


def _close(*conditions: object, outcome: Outcome, now: datetime) -> int:
    ended = Invitation.update(closed_at=now, outcome=outcome)
    return int(ended.where(Invitation.closed_at.is_null(), *conditions).execute())


def _note(action: Action, row: Invitation, *, actor: User, now: datetime) -> None:
    # By ids: the trail outlives a name or an address that must be forgotten.
    audit.record(
        action,
        actor=actor.id,
        subject=f"artist:{row.artist_id}",
        now=now,
        detail={"invitation": row.id, "role": row.role},
    )


def _digest(token: str) -> str:
    # 256 random bits need no slow hash: they cannot be guessed, only found.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
