"""Settings of plugins that an admin wrote on a page: kept in the database, taken when a process starts.

What stands in the environment or in ``musicconnect.toml`` beats them, as it beats every default.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

import peewee

from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.database import proxy
from appliance.settings import Settings


class PluginSetting(Base):
    """One value of one plugin, as JSON."""

    plugin = peewee.CharField(max_length=60)
    name = peewee.CharField(max_length=60)
    value = peewee.TextField()
    updated_at = UtcDateTimeField()

    class Meta:
        primary_key = peewee.CompositeKey("plugin", "name")


def stored() -> dict[str, dict[str, object]]:
    """Every value that is kept, by plugin; nothing from a database that has no room for them yet."""
    if not proxy.table_exists(PluginSetting._meta.table_name):
        return {}
    found: dict[str, dict[str, object]] = {}
    for row in PluginSetting.select().order_by(PluginSetting.plugin, PluginSetting.name):
        found.setdefault(row.plugin, {})[row.name] = json.loads(row.value)
    return found


def keep(plugin: str, values: Mapping[str, object], *, forget: set[str], now: datetime) -> None:
    """Keep *values* of *plugin* and drop what is to be forgotten; call it inside a transaction."""
    for name, value in values.items():
        PluginSetting.insert(plugin=plugin, name=name, value=json.dumps(value), updated_at=now).on_conflict(
            conflict_target=[PluginSetting.plugin, PluginSetting.name],
            preserve=[PluginSetting.value, PluginSetting.updated_at],
        ).execute()
    if forget:
        PluginSetting.delete().where(
            PluginSetting.plugin == plugin, PluginSetting.name.in_(sorted(forget))
        ).execute()


def merged(settings: Settings) -> Settings:
    """*settings* with what is kept beneath what was given."""
    plugins = {name: {**values} for name, values in stored().items()}
    for name, given in settings.plugins.items():
        plugins[name] = {**plugins.get(name, {}), **given}
    return replace(
        settings,
        plugins=MappingProxyType({name: MappingProxyType(values) for name, values in plugins.items()}),
    )


def fingerprint(settings: Settings) -> str:
    """A digest of the values of plugins: two processes with the same one run with the same."""
    text = json.dumps(
        {name: dict(values) for name, values in settings.plugins.items()}, sort_keys=True, default=str
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]
