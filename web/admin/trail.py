"""The audit trail as a page and as a file."""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from datetime import datetime

from flask import Response
from flask import request
from flask import stream_with_context
from flask import url_for

from appliance.accounts import audit
from appliance.accounts import audit_export
from appliance.accounts import people as accounts
from appliance.accounts.audit import Action
from appliance.accounts.audit import Filter
from appliance.accounts.models import AuditEntry
from appliance.accounts.permissions import Permission
from appliance.collective import mentions
from appliance.errors import NotFound
from web.admin import acts
from web.admin import entrance

DAYS = ("first", "last")


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


@entrance.get("/audit", Permission.TRAIL_READ)
def trail() -> str:
    """Who did what and when, newest first, narrowed by action, person and day."""
    wanted, asked = _wanted()
    before = request.args.get("before", type=int)
    found = audit.entries(before=before, limit=entrance.ON_A_PAGE + 1, wanted=wanted) if wanted else []
    rows, older = entrance.sliced(found, "admin.trail", **asked)
    kept = {name: value for name, value in asked.items() if value}
    return entrance.page(
        "trail",
        "trail",
        lines=told_entries(rows),
        older=older,
        asked=asked,
        actions=sorted(((str(action), acts.told(action)) for action in Action), key=lambda pair: pair[1]),
        export=url_for("admin.export_trail", **kept),
        export_lines=url_for("admin.export_trail_lines", **kept),
        first=before is None,
    )


@entrance.get("/audit.csv", Permission.TRAIL_READ)
def export_trail() -> Response:
    """The same as a table for other programs, however long it is."""
    return _file(audit_export.csv_lines, "audit.csv", "text/csv; charset=utf-8")


@entrance.get("/audit.jsonl", Permission.TRAIL_READ)
def export_trail_lines() -> Response:
    """The same with one JSON object a line."""
    return _file(audit_export.json_lines, "audit.jsonl", "application/jsonl; charset=utf-8")


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


def _file(lines: Callable[[Filter | None], Iterator[str]], name: str, mimetype: str) -> Response:
    wanted, _asked = _wanted()
    answer = Response(stream_with_context(lines(wanted)), mimetype=mimetype)
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _wanted() -> tuple[Filter | None, dict[str, str]]:
    """What to look for, ``None`` for what nobody can have done, and what was asked in the words of the form."""
    asked = {name: request.args.get(name, "").strip()[:254] for name in ("action", "actor", "subject", *DAYS)}
    actor = ""
    if asked["actor"]:
        try:
            actor = accounts.find(asked["actor"]).id
        except NotFound:
            # Also by id: of a person who is gone that is all there is.
            actor = asked["actor"] if len(asked["actor"]) == 26 else ""
            if not actor:
                return None, asked
    days = {name: _day(asked[name]) for name in DAYS}
    asked.update({name: day.isoformat() if day else "" for name, day in days.items()})
    return Filter(action=asked["action"], actor=actor, subject=asked["subject"], **days), asked


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
