"""Settings of plugins as a form: what each declares, what holds now and why, and keeping what an admin wrote.

The values are taken when a process starts, so a change tells which processes still run with the old ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance import hooks
from appliance import node_processes
from appliance import plugin_settings
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.hooks import Plugin
from appliance.node_processes import NodeProcess
from appliance.settings import Setting
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """One setting of a plugin: what it is, what will hold at the next start, and who decided it."""

    setting: Setting
    text: str
    is_set: bool
    fixed: bool


def find(name: str) -> Plugin:
    """The installed plugin of this name, or ``NotFound``."""
    for plugin in hooks.plugins():
        if plugin.name == name:
            return plugin
    raise NotFound("There is no such plugin.")


def kept() -> dict[str, dict[str, object]]:
    """What admins wrote for each plugin."""
    return plugin_settings.stored()


def rows(plugin: Plugin, settings: Settings, *, kept: Mapping[str, Mapping[str, object]]) -> list[Row]:
    """The form of *plugin* with what is *kept*; a secret is never among the texts."""
    given = settings.plugins.get(plugin.name, {})
    own = kept.get(plugin.name, {})
    found = []
    for setting in plugin.settings:
        value = given.get(setting.name, own.get(setting.name, setting.default))
        found.append(
            Row(
                setting,
                text="" if setting.secret else _text(value),
                is_set=bool(value),
                fixed=setting.name in given,
            )
        )
    return found


def change(
    name: str, sent: Mapping[str, str], *, settings: Settings, actor: str | None, now: datetime
) -> bool:
    """Keep what *sent* says of each setting; True when something is different from the next start on.

    A switch that is not sent is off. A secret that is left empty stays; sent with ``NAME.remove`` it goes. What says the
    default is not kept, so that a better default of a later version counts. ``Invalid`` names the setting that cannot be.
    """
    plugin = find(name)
    given = settings.plugins.get(name, {})
    with transaction():
        before = plugin_settings.stored().get(name, {})
        values: dict[str, object] = {}
        for setting in plugin.settings:
            if setting.name in given:
                if setting.name in sent:
                    raise Conflict(
                        "This is set by the environment or the settings file and cannot be changed here."
                    )
                continue
            value = _value(setting, sent, before)
            if value != setting.default:
                values[setting.name] = list(value) if isinstance(value, tuple) else value
        changed = sorted(key for key in {*values, *before} if values.get(key) != before.get(key))
        if changed:
            plugin_settings.keep(name, values, forget=set(before) - set(values), now=now)
            audit.record(
                Action.PLUGIN_CHANGED,
                actor=actor,
                subject=f"plugin:{name}",
                detail={"settings": changed},
                now=now,
            )
    return bool(changed)


def behind(settings: Settings) -> list[NodeProcess]:
    """The processes that run with other settings of plugins than a new one would."""
    wanted = plugin_settings.fingerprint(plugin_settings.merged(settings))
    return [process for process in node_processes.running() if process.plugins != wanted]


def _value(setting: Setting, sent: Mapping[str, str], before: Mapping[str, object]) -> Any:
    raw = sent.get(setting.name, "")
    source = "this form"
    if setting.type is bool:
        return setting.read(setting.name in sent and raw.lower() not in {"", "off", "false"}, source=source)
    if setting.secret and not raw:
        kept = before.get(setting.name, setting.default)
        return setting.default if f"{setting.name}.remove" in sent else kept
    if "\0" in raw:
        raise Invalid("This holds a character that cannot be stored.", field=setting.name)
    if setting.type is tuple:
        return setting.read(raw.replace("\n", ","), source=source)
    if not raw.strip() and setting.type is not str:
        return setting.default
    return setting.read(raw.strip(), source=source)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(str(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
