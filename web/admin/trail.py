"""The audit trail as a page and as a file."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from datetime import datetime

from flask import Response
from flask import request
from flask import stream_with_context
from flask import url_for

from appliance.accounts import audit
from appliance.accounts import people as accounts
from appliance.accounts.audit import Action
from appliance.accounts.audit import Filter
from appliance.accounts.models import AuditEntry
from appliance.collective import mentions
from appliance.errors import NotFound
from web.admin import acts
from web.admin import entrance

HEADINGS = ("number", "at", "action", "actor", "actor_address", "subject", "detail")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it."""

    id: int
    at: datetime
    action: str
    act: str
    actor: str
    subject: str
    name: str
    detail: list[tuple[str, str]]


@entrance.blueprint.get("/audit")
def trail() -> str:
    """Who did what and when, newest first, narrowed by action, person and day."""
    wanted, asked = _wanted()
    before = request.args.get("before", type=int)
    found = audit.entries(before=before, limit=entrance.ON_A_PAGE + 1, wanted=wanted) if wanted else []
    rows, older = entrance.sliced(found, "admin.trail", **asked)
    return entrance.page(
        "trail",
        "trail",
        lines=told_entries(rows),
        older=older,
        asked=asked,
        actions=sorted(((str(action), acts.told(action)) for action in Action), key=lambda pair: pair[1]),
        export=url_for("admin.export_trail", **{name: value for name, value in asked.items() if value}),
        first=before is None,
    )


@entrance.blueprint.get("/audit.csv")
def export_trail() -> Response:
    """The same as a table for other programs, however long it is."""
    wanted, _asked = _wanted()
    answer = Response(stream_with_context(_csv(wanted)), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = "attachment; filename=audit.csv"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def told_entries(rows: list[AuditEntry]) -> list[Line]:
    """Entries with the names of those who acted and of what they acted on, by one more query a kind."""
    names = audit.names_of(rows)
    things = mentions.names(row.subject for row in rows)
    return [
        Line(
            id=row.id,
            at=row.at,
            action=row.action,
            act=acts.told(row.action),
            actor=names.get(row.actor, row.actor) if row.actor else "",
            subject=row.subject,
            name=things.get(row.subject, ""),
            detail=[(key, _text(value)) for key, value in audit.facts(row).items()],
        )
        for row in rows
    ]


def _wanted() -> tuple[Filter | None, dict[str, str]]:
    """What to look for, ``None`` for what nobody can have done, and what was asked in the words of the form."""
    asked = {name: request.args.get(name, "").strip()[:254] for name in ("action", "actor", "day", "subject")}
    actor = ""
    if asked["actor"]:
        try:
            actor = accounts.find(asked["actor"]).id
        except NotFound:
            # Also by id: of a person who is gone that is all there is.
            actor = asked["actor"] if len(asked["actor"]) == 26 else ""
            if not actor:
                return None, asked
    try:
        day = date.fromisoformat(asked["day"]) if asked["day"] else None
    except ValueError:
        asked["day"], day = "", None
    return Filter(action=asked["action"], actor=actor, subject=asked["subject"], day=day), asked


def _csv(wanted: Filter | None) -> Iterator[str]:
    yield _row(HEADINGS)
    waiting: list[AuditEntry] = []
    for entry in audit.every(wanted=wanted) if wanted else ():
        waiting.append(entry)
        if len(waiting) == entrance.ON_A_PAGE * 10:
            yield from _rows(waiting)
            waiting = []
    yield from _rows(waiting)


def _rows(entries: list[AuditEntry]) -> Iterator[str]:
    names = audit.names_of(entries)
    for entry in entries:
        actor = entry.actor or ""
        yield _row(
            (
                entry.id,
                entry.at.isoformat(),
                entry.action,
                actor,
                names.get(actor, ""),
                entry.subject,
                entry.detail,
            )
        )


def _row(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_safe(str(value)) for value in values])
    return out.getvalue()


def _safe(text: str) -> str:
    # A cell that begins like this is run as a formula by the programs that open such files.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
