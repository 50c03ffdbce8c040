"""Plugins: what runs, what does not and why, and a form made of the settings that each declares."""

from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance import clock
from appliance import hooks
from appliance.accounts.permissions import Permission
from appliance.collective import plugin_forms
from appliance.collective.plugin_forms import Row
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.hooks import Plugin
from appliance.hooks import Status
from web import navigation
from web.admin import entrance
from web.request_cycle import appliance

STATUS = {
    Status.READY: lazy_gettext("Ready"),
    Status.DISABLED: lazy_gettext("Switched off"),
    Status.BAD_SETTINGS: lazy_gettext("Wrong settings"),
    Status.FAILED_TO_LOAD: lazy_gettext("Could not be loaded"),
    Status.FAILED_SELF_CHECK: lazy_gettext("Cannot work"),
}
SECRET = "secret."  # noqa: S105 - the beginning of a field's name, by which its value is kept out of pages
REMOVE = ".remove"


@dataclass(frozen=True, slots=True)
class Entry:
    """One plugin with its form."""

    name: str
    version: str
    source: str
    status: str
    well: bool
    runs: bool
    pages: str
    explanation: str
    rows: list["FormRow"]
    problem: Exception | None


@dataclass(frozen=True, slots=True)
class FormRow:
    """One setting as a field."""

    name: str
    field: str
    kind: str
    help: str
    allowed: str
    text: str
    is_set: bool
    fixed: bool
    choices: list[tuple[str, str]]
    bounds: dict[str, int]


@entrance.get("/plugins", Permission.PLUGINS_CHANGE)
def plugins() -> str:
    """All plugins."""
    return _page()


@entrance.post("/plugins/<name>", Permission.PLUGINS_CHANGE)
def change_plugin(name: str) -> ResponseReturnValue:
    """Keep the settings of one plugin for the next start."""
    given = {key.removeprefix(SECRET): value for key, value in request.form.items() if key != "csrf_token"}
    try:
        changed = plugin_forms.change(
            name, given, settings=appliance().settings, actor=entrance.actor().id, now=clock.now()
        )
    except (Invalid, Conflict) as error:
        return _page(at=name, problem=error), 409 if isinstance(error, Conflict) else 422
    told = _("Saved. It counts from the next start on.") if changed else _("Nothing was changed.")
    return entrance.done(told, "admin.plugins")


def _page(*, at: str = "", problem: Exception | None = None) -> str:
    settings = appliance().settings
    entries = [
        _entry(
            plugin,
            plugin_forms.rows(plugin, settings, kept=kept),
            problem if plugin.name == at else None,
        )
        for kept in (plugin_forms.kept(),)
        for plugin in hooks.plugins()
    ]
    return entrance.page("plugins", "plugins", entries=entries, behind=plugin_forms.behind(settings))


def _entry(plugin: Plugin, rows: list[Row], problem: Exception | None) -> Entry:
    return Entry(
        name=plugin.name,
        version=plugin.version,
        source=plugin.source,
        status=str(STATUS[plugin.status]),
        well=plugin.status in {Status.READY, Status.DISABLED},
        runs=plugin.status is Status.READY,
        pages=path if navigation.exists(path := f"/plugins/{plugin.name}/") else "",
        explanation=plugin.explanation,
        rows=[_row(plugin.name, row, sent=problem is not None) for row in rows],
        problem=problem,
    )


def _row(plugin: str, row: Row, *, sent: bool) -> FormRow:
    setting = row.setting
    kind = {bool: "switch", int: "number", tuple: "list"}.get(setting.type, "text")
    if setting.secret:
        kind = "secret"
    elif setting.choices:
        kind = "choice"
    text = row.text
    if sent and kind != "secret" and not row.fixed:
        text = request.form.get(setting.name, "")
    return FormRow(
        name=setting.name,
        field=f"{SECRET}{setting.name}" if setting.secret else setting.name,
        kind=kind,
        help=setting.help,
        allowed=setting.allowed(),
        text=text,
        is_set=row.is_set,
        fixed=row.fixed,
        choices=[(choice, choice) for choice in setting.choices],
        bounds={
            name: bound
            for name, bound in (("min", setting.minimum), ("max", setting.maximum))
            if bound is not None
        },
    )
