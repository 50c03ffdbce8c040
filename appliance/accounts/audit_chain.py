"""The chain of the audit trail: each entry carries the SHA-256 of itself and of the entry before, and a sealed head says where it ends.

The canonical form of an entry is a JSON array in UTF-8 without blanks: ``[number, at, action, actor, subject, detail, previous]``; *at* is
ISO 8601 in UTC with microseconds and ``Z``, *actor* may be null, *detail* is the stored text, *previous* the digest of the entry before in
hexadecimal, sixty-four zeros for the first. Its SHA-256 is the entry's digest, so whoever has an export can check it without a key.

The head holds how many entries there are, the number and digest of the newest, and a seal: an HMAC-SHA256 of the three by a key made of the
secret of the node. So who can write to the database, and does not know the secret, cannot make the trail anew, nor cut its end off. Only an
old state that was put back whole, the head with it, looks right; an *anchor*, noted elsewhere, shows that too.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime

from appliance import database
from appliance import revocations
from appliance.accounts.models import AuditEntry
from appliance.accounts.models import AuditHead
from appliance.errors import Invalid

FIRST = "0" * 64
AT_ONCE = 1000
MOST_PROBLEMS = 100
_ONLY = 1


@dataclass(slots=True)
class Verification:
    """What a walk along the chain found; *anchor* stands for the whole trail as it is now."""

    entries: int = 0
    anchor: str = ""
    problems: list[str] = field(default_factory=list)

    def tell(self, sentence: str) -> None:
        """Note a problem; after a hundred nobody reads on."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(sentence)


def digest_of(entry: AuditEntry, previous: str) -> str:
    """Pure: the digest of *entry* when it follows the one with the digest *previous*."""
    at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    form = [entry.id, at, entry.action, entry.actor, entry.subject, entry.detail, previous]
    return hashlib.sha256(json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def append(
    action: str, *, actor: str | None, subject: str, detail: str, now: datetime, secret: str
) -> AuditEntry:
    """Put one entry at the end of the chain, in the transaction of its act; of several at once one comes after the other."""
    # The turn is that of revocations: an act that takes both in either order cannot wait for one that holds the other.
    database.in_turn(revocations.TURN)
    head = _head()
    entry = AuditEntry(id=head.last + 1, at=now, action=action, actor=actor, subject=subject, detail=detail)
    entry.digest = digest_of(entry, head.digest)
    entry.save(force_insert=True)
    # A head that was not sealed by us stays unsealed, else the next entry would hide what was done to it.
    whole = _is_sealed(head, secret) or (head.count == 0 and head.last == 0)
    head.count, head.last, head.digest = head.count + 1, entry.id, entry.digest
    _write(head, seal=_seal(head, secret) if whole else "")
    return entry


def seal(*, secret: str) -> None:
    """Seal the head as it is: after an upgrade that chained older entries, or with another secret; look at the trail before."""
    with database.transaction():
        database.in_turn(revocations.TURN)
        head = _head()
        _write(head, seal=_seal(head, secret))


def glance(*, secret: str) -> str:
    """What is wrong with the end of the trail, by three rows; empty when it is well. ``verify`` looks at all."""
    head = _head()
    newest = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    if (newest.id if newest else 0, newest.digest if newest else FIRST) != (head.last, head.digest):
        return "The audit trail does not end where its head says; run 'musicconnect audit verify'."
    return "" if head.last == 0 else _told_of_seal(head, secret)


def verify(*, secret: str, anchor: str = "") -> Verification:
    """Walk along the whole chain and name every entry that was changed, removed or inserted; ``Invalid`` for an anchor that is none."""
    found = Verification()
    wanted, wanted_digest = _anchor(anchor) if anchor else (0, "")
    with database.transaction():
        database.in_turn(revocations.TURN)
        head, last = (
            _head(),
            AuditEntry.select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(1).scalar(),
        )
    before, previous, number = FIRST, FIRST, 0
    for entry in _oldest_first(until=last or 0):
        if entry.id > head.last:
            found.tell(f"Entry {entry.id} was inserted behind the end of the trail, which is {head.last}.")
        elif not entry.digest:
            found.tell(f"Entry {entry.id} was inserted: it is no part of the chain.")
            continue
        elif digest_of(entry, previous) != entry.digest:
            found.tell(_wrong(entry, number, previous=previous, before=before))
        found.entries += 1
        if found.entries == wanted and not hmac.compare_digest(entry.digest, wanted_digest):
            found.tell(
                f"Entry {entry.id} is not the one of the anchor: the trail was made anew from there or before."
            )
        before, previous, number = previous, entry.digest, entry.id
    if number < head.last:
        found.tell(f"Entries {number + 1} to {head.last} were removed from the end of the trail.")
    elif number == head.last and previous != head.digest:
        found.tell(f"Entry {number} is not the one the head was written for.")
    if found.entries < head.count and not found.problems:
        found.tell(f"The trail has {found.entries} entries, and its head says {head.count}.")
    if found.entries < wanted:
        found.tell(
            f"The trail has {found.entries} entries, and the anchor says {wanted}: its end was cut off."
        )
    if found.entries and (told := _told_of_seal(head, secret)):
        found.tell(told)
    found.anchor = f"{found.entries}:{previous}"
    return found


def _wrong(entry: AuditEntry, number: int, *, previous: str, before: str) -> str:
    """Which of the things that can be wrong explains why *entry* does not follow from the one with *number*."""
    if previous != before and digest_of(entry, before) == entry.digest:
        return f"Entry {number} was inserted."
    if entry.id > number + 1:
        missing = (
            f"Entry {number + 1} was"
            if entry.id == number + 2
            else f"Entries {number + 1} to {entry.id - 1} were"
        )
        return f"{missing} removed, or entry {entry.id} was changed."
    return f"Entry {entry.id} was changed" + (f", or entry {number} and its digest." if number else ".")


def _oldest_first(*, until: int) -> Iterator[AuditEntry]:
    after: int | None = None
    while True:
        query = AuditEntry.select().where(AuditEntry.id <= until).order_by(AuditEntry.id).limit(AT_ONCE)
        rows = list(query if after is None else query.where(AuditEntry.id > after))
        yield from rows
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].id


def _head() -> AuditHead:
    found: AuditHead | None = AuditHead.get_or_none(AuditHead.id == _ONLY)
    if found is not None:
        return found
    # Somebody took it away: the trail goes on, unsealed.
    newest = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    count = AuditEntry.select().count()
    last, digest = (newest.id, newest.digest) if newest else (0, FIRST)
    AuditHead.create(id=_ONLY, count=count, last=last, digest=digest, seal="")
    return AuditHead.get_by_id(_ONLY)


def _write(head: AuditHead, *, seal: str) -> None:
    values = {"count": head.count, "last": head.last, "digest": head.digest, "seal": seal}
    AuditHead.update(**values).where(AuditHead.id == _ONLY).execute()


def _seal(head: AuditHead, secret: str) -> str:
    key = hmac.digest(secret.encode(), b"seal of the audit trail", hashlib.sha256)
    return hmac.digest(key, f"{head.count}:{head.last}:{head.digest}".encode(), hashlib.sha256).hex()


def _is_sealed(head: AuditHead, secret: str) -> bool:
    return hmac.compare_digest(head.seal.encode(), _seal(head, secret).encode())


def _told_of_seal(head: AuditHead, secret: str) -> str:
    if _is_sealed(head, secret):
        return ""
    if not head.seal:
        return (
            "The audit trail is not sealed: it was chained by an upgrade, or its head was changed. "
            "When it is as you know it, run 'musicconnect audit seal'."
        )
    return "The seal of the audit trail is not ours: its head was changed, or the secret key is another one."


def _anchor(text: str) -> tuple[int, str]:
    count, _colon, digest = text.strip().partition(":")
    if not count.isdecimal() or not count.isascii() or len(digest) != len(FIRST):
        raise Invalid(
            "An anchor is a number, a colon and 64 hexadecimal digits, as 'audit verify' prints it."
        )
    return int(count), digest.lower()
