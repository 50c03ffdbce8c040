"""What every command shares: the group, the settings of this call, and errors told as a sentence and an exit code."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import peewee

from appliance import database
from appliance import logs
from appliance import settings as settings_module
from appliance import startup
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import Unavailable
from appliance.settings import Settings
from appliance.startup import Appliance

EXIT_WRONG, EXIT_UNAVAILABLE = 2, 3
PACKAGES = {"postgres": "psycopg", "postgresql": "psycopg", "redis": "redis", "rediss": "redis"}
"""What speaks to an engine, by how its address begins; one node needs neither."""


class Commands(click.Group):
    """The group of all commands; a plugin's are added when the group is first asked."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of MusicConnect is a sentence and an exit code, never a stack."""
        try:
            return super().invoke(ctx)
        except MusicConnectError as error:
            click.echo(f"musicconnect: {error}", err=True)
            ctx.exit(EXIT_UNAVAILABLE if isinstance(error, Unavailable) else EXIT_WRONG)
        except peewee.PeeweeException as error:
            click.echo(f"musicconnect: {database.unavailable(error)}", err=True)
            ctx.exit(EXIT_UNAVAILABLE)


def settings_from(ctx: click.Context, flags: Mapping[str, object] | None = None) -> Settings:
    """The settings with the flags of this command line on top, and logging set up by them."""
    given = {**(ctx.find_root().obj or {})}
    given.update({name: value for name, value in (flags or {}).items() if value is not None})
    settings = settings_module.load(given)
    logs.configure(settings.log_level, settings.log_format)
    require_packages(settings)
    return settings


def require_packages(settings: Settings) -> None:
    """``Invalid`` when an address leads to an engine that nothing installed here can speak to."""
    for name in ("database_url", "database_replica_url", "queue_url", "cache_url", "rate_limit_url"):
        package = PACKAGES.get(urlsplit(getattr(settings, name)).scheme, "")
        if package and find_spec(package) is None:
            raise Invalid(
                f"The setting '{name}' needs the package {package}, which is not installed; run: pip install 'musicconnect[cluster]'.",
                field=name,
            )


def data_option(function: Any) -> Any:
    """``--data`` for a subcommand too, so that it may stand where people expect it."""

    def take(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> None:
        if value is not None:
            ctx.find_root().obj["data"] = value

    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=take,
        help="Folder that holds everything this node keeps (default: ./data).",
    )(function)


def started(ctx: click.Context) -> Appliance:
    """MusicConnect started for this command, with a database that is up to date."""
    from_flags = settings_from(ctx)
    found = startup.start(from_flags)
    database.check()
    return found
