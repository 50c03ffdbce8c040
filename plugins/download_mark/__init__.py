"""Write into each download for whom it was made, in a way that only the collective can read; see README.md beside this file."""

from pathlib import Path

import click

from appliance import hookimpl
from appliance.accounts.models import User
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.invocation import data_option
from appliance.invocation import started
from appliance.settings import Setting
from plugins.download_mark import marks

SHORTEST_KEY = 32
_key = ""


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """The key of the marks."""
    return (
        Setting(
            "key",
            str,
            "",
            f"Key of the marks, at least {SHORTEST_KEY} characters; empty: downloads are not marked.",
            secret=True,
        ),
    )


@hookimpl
def plugin_start(values: dict[str, object]) -> bool:
    """Take the key; without one there is nothing to do."""
    global _key
    _key = ""
    key = str(values["key"])
    if not key:
        return False
    if len(key) < SHORTEST_KEY:
        raise Invalid(
            f"The setting 'key' is too short to be safe; give at least {SHORTEST_KEY} characters.",
            field="key",
        )
    _key = key
    return True


@hookimpl
def mark_download(path: str, track_id: str, listener_id: str) -> None:
    """Put the mark of this person and track among the tags."""
    marks.write(Path(path), marks.mark(_key, track_id, listener_id))


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add the way back from a file to a person."""
    cli.add_command(trace)


@click.command("trace-download", short_help="Tell for whom a marked download was made.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@click.pass_context
def trace(ctx: click.Context, file: Path) -> None:
    """Tell for whom a marked download was made, by the mark in FILE and the key of the plugin 'download_mark'."""
    started(ctx)
    if not _key:
        raise Conflict("The plugin 'download_mark' has no key, so it can read no marks.")
    found = marks.read(file)
    if not found:
        raise NotFound("This file has no mark.")
    for person in User.select().order_by(User.id).iterator():
        if found == marks.mark(_key, marks.track_of(found), person.id):
            click.echo(f"track {marks.track_of(found)}, made for {person.email} ({person.id})")
            return
    raise NotFound(
        "No account here has this mark: the key has changed since, the account is gone, or the mark is forged."
    )
