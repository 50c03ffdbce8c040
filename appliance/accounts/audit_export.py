"""The audit trail for other programs, line by line however long it is: a table (CSV), or one JSON object a line."""

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice

from appliance.accounts import audit
from appliance.accounts.audit import Filter
from appliance.accounts.models import AuditEntry

HEADINGS = ("number", "at", "action", "actor", "actor_address", "subject", "detail", "digest")
AT_ONCE = 500


def csv_lines(wanted: Filter | None) -> Iterator[str]:
    """A heading and a row for each entry that is *wanted*, newest first; ``None`` wants none."""
    yield _row(HEADINGS)
    for entry, address in _entries(wanted):
        at, actor = entry.at.isoformat(), entry.actor or ""
        values = (entry.id, at, entry.action, actor, address, entry.subject, entry.detail, entry.digest)
        yield _row(values)


def json_lines(wanted: Filter | None) -> Iterator[str]:
    """An object a line, newest first."""
    for entry, address in _entries(wanted):
        told = {
            "number": entry.id,
            "at": entry.at.isoformat(),
            "action": entry.action,
            "actor": entry.actor,
            "actor_address": address or None,
            "subject": entry.subject,
            "detail": audit.facts(entry),
            "digest": entry.digest,
        }
        yield json.dumps(told, ensure_ascii=False) + "\n"


def _entries(wanted: Filter | None) -> Iterator[tuple[AuditEntry, str]]:
    """Entries with the present address of who acted, empty for who is gone."""
    if wanted is None:
        return
    every = audit.every(wanted=wanted)
    while some := list(islice(every, AT_ONCE)):
        names = audit.names_of(some)
        yield from ((entry, names.get(entry.actor or "", "")) for entry in some)


def _row(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_safe(str(value)) for value in values])
    return out.getvalue()


def _safe(text: str) -> str:
    # A cell that begins like this, whatever blanks stand before, is run as a formula by the programs that open such files.
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "|")) or text[:1] in "\t\r\n" else text
