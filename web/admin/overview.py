"""The first page of an admin, and the health of the node with the mend for each red line."""

from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance import doctor
from appliance import jobs
from appliance.accounts import audit
from appliance.accounts.permissions import Permission
from appliance.collective import figures
from appliance.collective import storage_use
from appliance.collective import work
from appliance.errors import Unavailable
from web import sentences
from web.admin import entrance
from web.admin.trail import told_entries
from web.request_cycle import appliance

LATEST = 6
NAMES = {
    "python": lazy_gettext("Python"),
    "packages": lazy_gettext("Packages"),
    "data folder": lazy_gettext("Data folder"),
    "secret key": lazy_gettext("Secret key"),
    "database": lazy_gettext("Database"),
    "queue": lazy_gettext("Queue"),
    "storage": lazy_gettext("Storage"),
    "jobs": lazy_gettext("Jobs"),
    "audit trail": lazy_gettext("Audit trail"),
    "books": lazy_gettext("Books"),
    "mail": lazy_gettext("Mail"),
    "plugins": lazy_gettext("Plugins"),
    "address": lazy_gettext("Address"),
    "open files": lazy_gettext("Open files"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A check as the page shows it."""

    name: str
    well: bool
    sentence: str


@entrance.get("", Permission.COLLECTIVE_SEE)
def overview() -> str:
    """How the collective does."""
    lines = health_lines()
    use = storage_use.folders()
    return entrance.page(
        "overview",
        "overview",
        new="new" in request.args,
        wrong=[line for line in lines if not line.well],
        checks=len(lines),
        counts=figures.counts(),
        work=work.counts(),
        messages=_waiting_messages(),
        stored=sum(row.size_bytes for row in use),
        counted=use[0].counted_at if use else None,
        entries=told_entries(audit.entries(limit=LATEST)),
    )


@entrance.get("/health", Permission.COLLECTIVE_SEE)
def health() -> str:
    """Every check with what it found."""
    return entrance.page("health", "health", lines=health_lines())


def health_lines() -> list[Line]:
    """What the doctor finds from within the running server."""
    return [
        Line(
            name=str(NAMES.get(finding.name, finding.name)),
            well=finding.error is None,
            sentence=sentences.told(finding.error) if finding.error else finding.sentence,
        )
        for finding in doctor.findings(appliance().settings, connect=False)
    ]


def _waiting_messages() -> str:
    try:
        return str(jobs.check())
    except Unavailable:
        return _("unknown")
