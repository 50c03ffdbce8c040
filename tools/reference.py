"""Write the pages of the manual that are read off the code: settings, hooks, commands and errors.

Run ``python tools/reference.py`` after changing one of them; a test compares the pages with the code.
"""

import inspect
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click
import pluggy

from appliance import errors
from appliance import hooks
from appliance import hookspecs
from appliance import observed
from appliance import settings
from appliance.cli import cli

DOCS = Path(__file__).resolve().parents[1] / "docs"
MADE = "<!-- Written by tools/reference.py; change the code and run it again. -->\n\n"


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, "utf-8")


def pages() -> dict[str, str]:
    """The name of each page and its text."""
    return {
        "settings.md": settings_page(),
        "hooks.md": hooks_page(),
        "commands.md": commands_page(),
        "errors.md": errors_page(),
    }


def settings_page() -> str:
    """The table of settings, of the core and of each bundled plugin."""
    lines = [
        "# Settings",
        "",
        "Every value has a default that suits one node. To change one, write it into `musicconnect.toml`, or give it as",
        "`MUSICCONNECT_<NAME>` in the environment, or, for `data`, `host` and `port`, as a flag. A flag beats the environment, and",
        "the environment beats the file. The file is looked for in the working folder, then in the data folder:",
        "",
        "```toml",
        'collective_name = "Harbour Records"',
        'public_url = "https://music.example"',
        "trusted_proxies = 1",
        "",
        "[plugins.webhook_out]",
        'urls = ["https://example.org/new-music"]',
        'secret = "whsec_…"',
        "```",
        "",
        "A secret need not stand in the environment itself: `MUSICCONNECT_<NAME>_FILE` names the file it lies in, such as",
        "`MUSICCONNECT_SECRET_KEY_FILE=/run/secrets/secret_key`, as Docker and Kubernetes hand secrets over. So may every setting of a",
        "plugin: `MUSICCONNECT_PLUGIN_STRIPE_PAYMENTS__SECRET_KEY_FILE`. A line break at its end does not count.",
        "",
        "`musicconnect settings` lists what holds now, with secrets masked. A wrong value stops the start with the name of the",
        "setting, the value and what is allowed.",
        "",
        *table(settings.core_settings(), "MUSICCONNECT_"),
        "",
        "## Settings of bundled plugins",
        "",
        "A plugin declares its own; they stand in its own table of the file, or in `MUSICCONNECT_PLUGIN_<PLUGIN>__<NAME>`.",
    ]
    for name, module in bundled():
        lines += [
            "",
            f"### {name}",
            "",
            *table(module.plugin_settings(), f"MUSICCONNECT_PLUGIN_{name.upper()}__"),
        ]
    if settings.REMOVED:
        lines += ["", "## Renamed and removed", ""]
        lines += [f"- {sentence}" for sentence in settings.REMOVED.values()]
    return page(lines)


def table(rows: object, prefix: str) -> Iterator[str]:
    """Settings as a Markdown table."""
    yield "| setting | default | allowed | what for |"
    yield "|---|---|---|---|"
    for row in rows:  # type: ignore[attr-defined]
        default = f"`{row.shown(row.default)}`" if row.shown(row.default) and not row.secret else "none"
        secret = " Never shown." if row.secret else ""
        yield f"| `{row.name}`<br>`{prefix}{row.name.upper()}` | {default} | {row.allowed()} | {row.help}{secret} |"


def bundled() -> list[tuple[str, object]]:
    """The plugins that come with MusicConnect and have settings."""
    points = sorted(entry_points(group=hookspecs.GROUP), key=lambda point: point.name)
    modules = [(point.name, point.load()) for point in points if point.value.startswith("plugins.")]
    return [(name, module) for name, module in modules if hasattr(module, "plugin_settings")]


def hooks_page() -> str:
    """Every hook with its signature, its docstring, and the bundled plugins that use it."""
    lines = [
        "# Hooks",
        "",
        "A plugin implements any of these with `@appliance.hookimpl`; [](plugins.md) shows how. Only ids, texts and numbers cross a",
        "hook. A plugin that raises is named in the log and keeps nobody else.",
    ]
    for name, function in specs():
        lines += [
            "",
            f"## {name}",
            "",
            "```py",
            signature(name, function),
            "```",
            "",
            inspect.cleandoc(function.__doc__ or ""),
        ]
        users = [point for point, module in loaded() if hasattr(module, name)]
        lines += ["", "Used by: " + ", ".join(f"`{user}`" for user in users) + "."]
    lines += ["", "## What crosses a hook", ""]
    for kind in (
        hookspecs.PublishedTrack,
        hookspecs.Departure,
        hookspecs.ForeignAccount,
        hookspecs.WebPages,
        hookspecs.Visitor,
        observed.ErrorFacts,
        observed.SpansWanted,
        observed.Span,
        settings.Setting,
    ):
        fields = ", ".join(f"`{field}`" for field in kind.__dataclass_fields__)
        lines += [f"**{kind.__name__}**: {inspect.cleandoc(kind.__doc__ or '')} Its fields: {fields}.", ""]
    return page(lines)


def specs() -> list[tuple[str, object]]:
    """The hooks in the order of the source."""
    manager = pluggy.PluginManager(hookspecs.GROUP)
    found = {
        n: f
        for n, f in vars(hookspecs).items()
        if inspect.isfunction(f) and manager.parse_hookspec_opts(hookspecs, n)
    }
    return sorted(found.items(), key=lambda item: item[1].__code__.co_firstlineno)


def loaded() -> list[tuple[str, object]]:
    """Every entry point that ships with MusicConnect."""
    points = sorted(entry_points(group=hookspecs.GROUP), key=lambda point: point.name)
    ours = ("plugins.", "web.", "transcoder.")
    return [(point.name, point.load()) for point in points if point.value.startswith(ours)]


def signature(name: str, function: object) -> str:
    """The first line of an implementation."""
    text = str(inspect.signature(function))  # type: ignore[arg-type]
    for module in (
        "appliance.settings.",
        "appliance.hookspecs.",
        "appliance.observed.",
        "collections.abc.",
        "'",
        '"',
    ):
        text = text.replace(module, "")
    return f"def {name}{text}: ..."


def commands_page() -> str:
    """What ``--help`` says, for every command."""
    hooks.add_commands(cli)
    lines = ["# Commands", "", "What `--help` says. `--data` may stand before or after the command."]
    for path, command in walk("musicconnect", cli):
        context = click.Context(
            command, info_name=path, help_option_names=["-h", "--help"], terminal_width=96
        )
        lines += ["", f"## {path}", "", "```text", command.get_help(context).rstrip(), "```"]
    lines += [
        "",
        "Exit codes: 0 done, 1 `doctor` found something to mend, 2 wrong input, 3 something does not answer.",
    ]
    return page(lines)


def walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, by name."""
    yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from walk(f"{path} {name}", command.commands[name])


def errors_page() -> str:
    """The five kinds of errors."""
    lines = [
        "# Errors",
        "",
        "Every error that MusicConnect raises on purpose is one of five kinds, and its text is a sentence for the person who caused",
        "it. The API tells it as `application/problem+json` (RFC 9457), the command line as a line and an exit code.",
        "",
        "| kind | what it means |",
        "|---|---|",
    ]
    kinds = [
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and kind.__base__ is errors.MusicConnectError
    ]
    lines += [f"| `{kind.__name__}` | {inspect.cleandoc(kind.__doc__ or '')} |" for kind in kinds]
    return page(lines)


def page(lines: list[str]) -> str:
    """A page, with the note that it was written by a program."""
    return MADE + "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
