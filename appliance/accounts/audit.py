"""The audit trail: who did what to whom and when, appended, never edited, and chained so that an edit shows (see ``audit_chain``).

An entry is written in the transaction of the act it tells of, so there is no act without it and no entry without the act. It
names people and things by their ids: a name may be erased, the trail stays.
"""

import json
import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from enum import StrEnum

import peewee

from appliance import startup
from appliance.accounts import audit_chain
from appliance.accounts.models import AuditEntry
from appliance.accounts.models import User
from appliance.database import transaction

MOST_DETAIL_CHARACTERS = 4000
_WORDS = re.compile(r"[a-z_]{1,30}(\.[a-z_]{1,30}){0,2}")
_SECRET = re.compile(r"password|passwort|secret|token|cookie|api_?key", re.IGNORECASE)


class Action(StrEnum):
    """What can be done that somebody may ask about later, as dotted words: the thing, then what became of it."""

    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in.failed"
    STEP_UP_FAILED = "step_up.failed"
    SESSION_REVOKED = "session.revoked"
    PERSON_REGISTERED = "person.registered"
    ADDRESS_CONFIRMED = "address.confirmed"
    ADDRESS_CHANGED = "address.changed"
    CREDENTIAL_CHANGED = "credential.changed"
    CREDENTIAL_RECOVERED = "credential.recovered"
    TOTP_ADDED = "authenticator.added"
    TOTP_REMOVED = "authenticator.removed"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    RECOVERY_CODES_RENEWED = "recovery_codes.renewed"
    RECOVERY_CODE_USED = "recovery_code.used"
    SECOND_FACTOR_RESET = "second_factor.reset"
    DEVICE_TRUSTED = "device.trusted"
    DEVICE_FORGOTTEN = "device.forgotten"
    SETUP_FINISHED = "setup.finished"
    SETTINGS_CHANGED = "settings.changed"
    PLUGIN_CHANGED = "plugin.changed"
    ROLE_GRANTED = "role.granted"
    ROLE_REVOKED = "role.revoked"
    PERSON_CREATED = "person.created"
    PERSON_DEACTIVATED = "person.deactivated"
    PERSON_ACTIVATED = "person.activated"
    TOKEN_MINTED = "token.minted"  # noqa: S105 - a word of the trail
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - a word of the trail
    SIGNED_OUT_EVERYWHERE = "person.signed_out_everywhere"
    ARTIST_CREATED = "artist.created"
    ARTIST_CHANGED = "artist.changed"
    ARTIST_HANDED_OVER = "artist.handed_over"
    ARTIST_REMOVED = "artist.removed"
    MEMBER_INVITED = "artist.member_invited"
    MEMBER_JOINED = "artist.member_joined"
    MEMBER_CHANGED = "artist.member_changed"
    MEMBER_REMOVED = "artist.member_removed"
    INVITATION_DECLINED = "artist.invitation_declined"
    INVITATION_REVOKED = "artist.invitation_revoked"
    RELEASE_SCHEDULED = "release.scheduled"
    RELEASE_PUBLISHED = "release.published"
    RELEASE_WITHDRAWN = "release.withdrawn"
    RELEASE_REMOVED = "release.removed"
    TIER_ADDED = "tier.added"
    TIER_CHANGED = "tier.changed"
    TIER_ARCHIVED = "tier.archived"
    TIER_RESTORED = "tier.restored"
    MEMBERSHIP_GRANTED = "membership.granted"
    MEMBERSHIP_CHANGED = "membership.changed"
    MEMBERSHIP_ENDED = "membership.ended"
    GIFT_REDEEMED = "gift.redeemed"
    PRICE_CHANGED = "price.changed"
    SELLER_CHANGED = "seller.changed"
    BUNDLE_MADE = "bundle.made"
    BUNDLE_CHANGED = "bundle.changed"
    BUNDLE_STOPPED = "bundle.stopped"
    DISCOUNT_MADE = "discount.made"
    DISCOUNT_STOPPED = "discount.stopped"
    CODES_MADE = "codes.made"
    CODES_STOPPED = "codes.stopped"
    ARTICLE_CHANGED = "merchandise.changed"
    SHIPPING_CHANGED = "shipping.changed"
    PARCEL_SENT = "parcel.sent"
    PARCEL_STOCK_CHANGED = "parcel.stock_changed"
    SUBSCRIPTION_BEGUN = "subscription.begun"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_CANCELLED = "subscription.cancelled"
    SUBSCRIPTION_RESUMED = "subscription.resumed"
    SUBSCRIPTION_PAUSED = "subscription.paused"
    TAKEN_DOWN = "takedown.made"
    TAKEDOWN_LIFTED = "takedown.lifted"
    PAYOUT_ACCOUNT_CHANGED = "payout_account.changed"
    PAYOUT_ACCOUNT_REMOVED = "payout_account.removed"
    PAYOUT_REQUESTED = "payout.requested"
    PAYOUT_SETTLED = "payout.settled"
    BANK_FILE_MADE = "bank_file.made"
    FEATURED_ADDED = "featured.added"
    FEATURED_CHANGED = "featured.changed"
    FEATURED_REMOVED = "featured.removed"
    SPLIT_AGREED = "split.agreed"
    SPLIT_TAKEN_BACK = "split.taken_back"
    JOB_RETRIED = "job.retried"
    MAIL_READ = "mail.read"
    TRAIL_SEALED = "audit.sealed"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_EVENT_REPLAYED = "payment.event_replayed"
    PAYMENTS_RECONCILED = "payment.reconciled"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted, from a *first* to a *last* day in UTC; what is empty does not narrow them."""

    action: str = ""
    actor: str = ""
    subject: str = ""
    first: date | None = None
    last: date | None = None


def record(
    action: Action | str,
    *,
    actor: str | None,
    subject: str,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> int:
    """Append an entry and return its number; call it inside the transaction of the act, as late as can be: entries come one by one.

    *actor* is a person's id, or ``None`` for the node itself and its command line. *subject* is a kind and an id, such as
    ``release:01J…``. *detail* is a few facts without secrets; ``ValueError`` for what must not stand here is a mistake of the caller.
    """
    if not _WORDS.fullmatch(action):
        raise ValueError(f"an action is dotted words, not {action!r}")
    text, secret = canonical(detail or {}), startup.appliance().secret
    with transaction():
        entry = audit_chain.append(
            str(action), actor=actor, subject=subject[:200], detail=text, now=now, secret=secret
        )
    return int(entry.id)


def canonical(detail: Mapping[str, object]) -> str:
    """Pure: *detail* as the one text that stands for it, keys sorted and no blanks, so that it can be compared and signed."""
    for key in detail:
        if _SECRET.search(key):
            raise ValueError(f"the audit trail keeps no secrets, so no {key!r}")
    text = json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if len(text) > MOST_DETAIL_CHARACTERS:
        raise ValueError("the detail of an audit entry is a few facts")
    return text


def entries(*, before: int | None = None, limit: int = 50, wanted: Filter | None = None) -> list[AuditEntry]:
    """Entries, newest first, from the one before *before*."""
    query = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    for condition in _conditions(wanted or Filter()):
        query = query.where(condition)
    return list(query)


def every(*, wanted: Filter | None = None, at_once: int = 1000) -> Iterator[AuditEntry]:
    """All entries that are *wanted*, newest first, read in pages: a trail of years fits into no memory."""
    before: int | None = None
    while True:
        rows = entries(before=before, limit=at_once, wanted=wanted)
        yield from rows
        if len(rows) < at_once:
            return
        before = rows[-1].id


def facts(entry: AuditEntry) -> dict[str, object]:
    """The detail of an entry."""
    return dict(json.loads(entry.detail))


def names_of(rows: list[AuditEntry]) -> dict[str, str]:
    """The present addresses of those who acted, by id, by one query; who is gone is missing."""
    ids = {row.actor for row in rows if row.actor}
    people = User.select(User.id, User.email).where(User.id.in_(ids)) if ids else ()
    return {person.id: person.email for person in people}


def _conditions(wanted: Filter) -> Iterator[peewee.Expression]:
    if wanted.action:
        yield AuditEntry.action == wanted.action
    if wanted.actor:
        yield AuditEntry.actor == wanted.actor
    if wanted.subject:
        yield AuditEntry.subject == wanted.subject
    if wanted.first:
        yield AuditEntry.at >= datetime.combine(wanted.first, time(), tzinfo=UTC)
    if wanted.last:
        # The day itself belongs to it; the last one there is has no day after.
        yield AuditEntry.at <= datetime.combine(wanted.last, time.max, tzinfo=UTC)
