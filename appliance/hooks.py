"""Plugins: found by entry point, loaded one by one, each with a status; a bad one is named and the rest go on."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points
from typing import TYPE_CHECKING
from typing import Any

import pluggy

from appliance import failures
from appliance import hookspecs
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import Unavailable
from appliance.settings import Setting
from appliance.settings import Settings

if TYPE_CHECKING:
    import click

log = logging.getLogger(__name__)

CORE = frozenset({"web", "transcoder"})
"""Entry points that are MusicConnect itself: never disabled, not listed among the plugins."""


BROKEN = (Exception, SystemExit)
"""What a plugin's fault may look like; a module that was written as a script calls ``sys.exit`` on import."""


class Status(StrEnum):
    """What became of a plugin."""

    READY = "ready"
    DISABLED = "disabled"
    BAD_SETTINGS = "bad settings"
    FAILED_TO_LOAD = "failed to load"
    FAILED_SELF_CHECK = "failed self-check"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed plugin: its name, where it comes from, its status, and the sentence that explains it."""

    name: str
    source: str
    status: Status
    explanation: str = ""
    settings: tuple[Setting, ...] = ()
    version: str = ""


_specs = pluggy.PluginManager(hookspecs.GROUP)
_specs.add_hookspecs(hookspecs)
_manager = _specs
_plugins: tuple[Plugin, ...] = ()


def load(settings: Settings, *, points: Iterable[EntryPoint] | None = None) -> tuple[Plugin, ...]:
    """Load every plugin anew for *settings* and return what became of each; never raises for a plugin's fault."""
    global _manager, _plugins
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    _manager = manager
    found = sorted(entry_points(group=hookspecs.GROUP) if points is None else points, key=lambda p: p.name)
    results = ((point, _load_one(manager, point, settings)) for point in found)
    loaded = (replace(plugin, version=_version(point)) for point, plugin in results if plugin is not None)
    _plugins = (*loaded, *_missing(found, settings))
    for plugin in _plugins:
        if plugin.status not in {Status.READY, Status.DISABLED}:
            log.error(
                "plugin does not run",
                extra={"plugin": plugin.name, "status": plugin.status, "why": plugin.explanation},
            )
    return _plugins


def plugins() -> tuple[Plugin, ...]:
    """What became of each plugin at the last ``load``."""
    return _plugins


def _version(point: EntryPoint) -> str:
    return point.dist.version if point.dist else ""


def _missing(found: Iterable[EntryPoint], settings: Settings) -> list[Plugin]:
    # A misspelt name would otherwise leave the plugin on its defaults, and nobody would know why.
    absent = sorted(set(settings.plugins) - {point.name for point in found})
    told = "There are settings for it, but no plugin of this name is installed."
    return [Plugin(name, "", Status.FAILED_TO_LOAD, told) for name in absent]


def _load_one(manager: pluggy.PluginManager, point: EntryPoint, settings: Settings) -> Plugin | None:
    name, source = point.name, point.value
    if name in settings.disabled_plugins and name not in CORE:
        return Plugin(name, source, Status.DISABLED, "It is listed in the setting 'disabled_plugins'.")
    if manager.has_plugin(name):
        return Plugin(name, source, Status.FAILED_TO_LOAD, "Another installed plugin has the same name.")
    try:
        module = point.load()
        manager.register(module, name=name)
        # pluggy reports a misspelt hook only when asked.
        manager.check_pending()
        _refuse_wrappers(manager, module)
    except BROKEN as error:
        _forget(manager, name)
        log.debug("plugin failed to load", exc_info=True)
        return Plugin(name, source, Status.FAILED_TO_LOAD, f"{type(error).__name__}: {failures.told(error)}")
    if name in CORE:
        return None
    rows: tuple[Setting, ...] = ()
    try:
        rows = tuple(_own(manager, module, "plugin_settings") or ())
        values = _values(name, rows, settings)
    except BROKEN as error:
        _forget(manager, name)
        return Plugin(name, source, Status.BAD_SETTINGS, _sentence(error), rows)
    try:
        if _own(manager, module, "plugin_start", settings=settings, values=values) is False:
            _forget(manager, name)
    except BROKEN as error:
        _forget(manager, name)
        log.debug("plugin failed its self-check", exc_info=True)
        return Plugin(name, source, Status.FAILED_SELF_CHECK, _sentence(error), rows)
    return Plugin(name, source, Status.READY, "", rows)


def _refuse_wrappers(manager: pluggy.PluginManager, module: object) -> None:
    # A wrapper runs around the other plugins, so a failure in it could not be kept from them.
    for caller in manager.get_hookcallers(module) or ():
        for implementation in caller.get_hookimpls():
            if implementation.plugin is module and (implementation.wrapper or implementation.hookwrapper):
                raise TypeError(
                    f"'{caller.name}' is a hook wrapper; MusicConnect calls every plugin by itself"
                )


def _own(manager: pluggy.PluginManager, module: object, hook: str, **arguments: Any) -> Any:
    """Call one hook of one plugin only."""
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        if implementation.plugin is module:
            taken = {name: arguments[name] for name in implementation.argnames}
            return implementation.function(**taken)
    return None


def _values(name: str, rows: tuple[Setting, ...], settings: Settings) -> dict[str, object]:
    given = settings.plugins.get(name, {})
    known = {row.name: row for row in rows}
    for key in given:
        if key not in known:
            raise Invalid(
                f"The plugin '{name}' has no setting '{key}'; it has {', '.join(known) or 'none'}.", field=key
            )
    return {
        key: row.read(given[key], source=f"the settings of the plugin '{name}'")
        if key in given
        else row.default
        for key, row in known.items()
    }


def _sentence(error: BaseException) -> str:
    return (
        str(error)
        if isinstance(error, MusicConnectError)
        else f"{type(error).__name__}: {failures.told(error)}"
    )


def _forget(manager: pluggy.PluginManager, name: str) -> None:
    if manager.has_plugin(name):
        manager.unregister(name=name)


def announce(hook: str, **arguments: Any) -> list[Any]:
    """Call *hook* on every plugin by itself, so that one that raises is named in the log and keeps nobody else.

    For a first-result hook the list ends with the first answer. Returns the answers that are not ``None``.
    """
    return [answer for _name, answer in offers(hook, **arguments)]


def offers(hook: str, **arguments: Any) -> list[tuple[str, Any]]:
    """The same as ``announce``, each answer with the name of its plugin."""
    caller = getattr(_manager.hook, hook)
    first_only = bool(caller.spec and caller.spec.opts.get("firstresult"))
    answers: list[tuple[str, Any]] = []
    for implementation in reversed(caller.get_hookimpls()):
        try:
            answer = implementation.function(**{name: arguments[name] for name in implementation.argnames})
        except BROKEN:
            log.exception("a plugin failed", extra={"plugin": implementation.plugin_name, "hook": hook})
            continue
        if answer is not None:
            answers.append((implementation.plugin_name, answer))
            if first_only:
                break
    return answers


def has(hook: str) -> bool:
    """True when a plugin that runs implements *hook*."""
    return bool(getattr(_manager.hook, hook).get_hookimpls())


def insist(hook: str, **arguments: Any) -> None:
    """Call *hook* on every plugin where going on without it would be wrong; ``Unavailable`` names the one that failed."""
    for implementation in reversed(getattr(_manager.hook, hook).get_hookimpls()):
        _insisted(implementation, hook, arguments)


def first(hook: str, **arguments: Any) -> Any:
    """The first answer to *hook*, or ``None``; ``Unavailable`` names a plugin that failed before there was one."""
    for implementation in reversed(getattr(_manager.hook, hook).get_hookimpls()):
        answer = _insisted(implementation, hook, arguments)
        if answer is not None:
            return answer
    return None


def _insisted(implementation: Any, hook: str, arguments: dict[str, Any]) -> Any:
    try:
        return implementation.function(**{name: arguments[name] for name in implementation.argnames})
    except BROKEN as error:
        log.exception("a plugin failed", extra={"plugin": implementation.plugin_name, "hook": hook})
        raise Unavailable(
            "The plugin '{plugin}' failed, so this was not done. Try again later.",
            plugin=implementation.plugin_name,
        ) from error


def add_commands(cli: "click.Group", *, points: Iterable[EntryPoint] | None = None) -> list[tuple[str, str]]:
    """Let every installed plugin add its commands; returns the name and problem of each that could not."""
    problems: list[tuple[str, str]] = []
    found = entry_points(group=hookspecs.GROUP) if points is None else points
    for point in sorted(found, key=lambda p: p.name):
        manager = pluggy.PluginManager(hookspecs.GROUP)
        manager.add_hookspecs(hookspecs)
        try:
            manager.register(point.load(), name=point.name)
            manager.hook.register_commands(cli=cli)
        except BROKEN as error:
            problems.append((point.name, f"{type(error).__name__}: {failures.told(error)}"))
    return problems
